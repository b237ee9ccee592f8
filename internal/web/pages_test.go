package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func TestListOfChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "")
		busyWorld(w)
		doc := w.page("/")
		var got []string
		for _, row := range find(doc, "li", "row") {
			got = append(got, content(find(row, "span", "badge")[0])+" | "+content(find(row, "a", "title")[0])+" | "+content(find(row, "div", "sums")[0]))
		}
		want := []string{
			"Applying | Scale the worker pool | +3 −1 1 project",
			"Plan failed | Give the orders database more memory | ~1 ±1 3 projects: 1 failed, 1 forbidden, 1 unchanged",
			"Planning | Move state buckets to eu-central-1 | 2 projects: 2 planning",
			"Applied | Add a bucket for access logs | +2 1 project",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the list says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if main := find(doc, "main", "")[0]; attr(main, "data-live") != "2" {
			t.Errorf("the list is renewed every %q s while work is under way", attr(main, "data-live"))
		}
		only := w.page("/?client=globex")
		if rows := find(only, "li", "row"); len(rows) != 1 || !strings.Contains(content(rows[0]), "globex/platform#3") {
			t.Errorf("narrowed to one client there are %d rows", len(rows))
		}
		if res := w.ask("GET", "/?client=nobody"); res.StatusCode != http.StatusNotFound {
			t.Errorf("a client that is not there: %s", res.Status)
		}
	})
}

func TestListsComeInPieces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "")
		for i := range 7 {
			w.plans(w.open(w.repo, i+1, "Change "+string(rune('A'+i)), "head"), "net")
		}
		var titles []string
		for path := "/?limit=3"; path != ""; {
			doc := w.page(path)
			for _, a := range find(doc, "a", "title") {
				titles = append(titles, strings.TrimPrefix(content(a), "Change "))
			}
			path = ""
			if more := find(doc, "p", "more"); len(more) > 0 {
				path = attr(find(more[0], "a", "")[0], "href")
			}
			if len(titles) > 7 {
				break
			}
		}
		if got := strings.Join(titles, ""); got != "GFEDCBA" {
			t.Errorf("the pieces give %s", got)
		}
		var page historyPage
		w.json("/api/v1/history?limit=4", &page)
		if len(page.Runs) != 4 || page.Next != page.Runs[3].ID {
			t.Fatalf("%d runs, next %s", len(page.Runs), page.Next)
		}
		w.json("/api/v1/history?limit=4&before="+page.Next, &page)
		if len(page.Runs) != 3 || page.Runs[2].Pull != 1 {
			t.Errorf("the second piece has %d runs", len(page.Runs))
		}
		for _, bad := range []string{"/?limit=0", "/?limit=501", "/?limit=x", "/?before=x", "/history?before=%27"} {
			if res := w.ask("GET", bad); res.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s", bad, res.Status)
			}
		}
	})
}

func (w *world) json(path string, into any) {
	w.t.Helper()
	// Answers are decoded into the types that made them, but for the clock.
	text := w.text(path)
	dec := json.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(into); err != nil {
		w.t.Fatalf("%s: %v\n%s", path, err, text)
	}
}

func TestChangePage(t *testing.T) {
	w := local(t)
	change, plan := busyWorld(w)
	doc := w.page("/changes/" + change.ID)
	cards := find(doc, "section", "project")
	if len(cards) != 3 {
		t.Fatalf("%d projects are shown", len(cards))
	}
	prod := content(cards[0])
	for _, part := range []string{
		"database/prod", "Forbidden by policy", "+$61.32 a month", "Locked by #12", "No public ingress", "aws_security_group_rule.open",
		"Port 22 is open", "Plan: 1 to add, 1 to change, 1 to destroy",
	} {
		if !strings.Contains(prod, part) {
			t.Errorf("the first project does not say %q: %s", part, prod)
		}
	}
	diff := find(cards[0], "pre", "diff")[0]
	for class, part := range map[string]string{"add": `"0.0.0.0/0"`, "del": `"10.0.0.0/8"`, "mod": "instance_class", "replace": "-/+ resource", "note": "# aws_db_instance.main"} {
		found := false
		for _, s := range find(diff, "span", class) {
			found = found || strings.Contains(content(s), part)
		}
		if !found {
			t.Errorf("%q is not coloured as %s", part, class)
		}
	}
	if got := content(cards[1]); !strings.Contains(got, "No changes") || !strings.Contains(got, "policy passed") {
		t.Errorf("the second project says %s", got)
	}
	if got := content(cards[2]); !strings.Contains(got, "Failed") || !strings.Contains(got, "Unsupported argument") {
		t.Errorf("the third project says %s", got)
	}
	linked := false
	for _, a := range find(doc, "a", "") {
		linked = linked || attr(a, "href") == "/runs/"+plan.ID
		if text := content(a); text == "On GitHub" && attr(a, "href") != "https://github.example.com/acme/infra/pull/12" {
			t.Errorf("GitHub is linked as %s", attr(a, "href"))
		}
	}
	if !linked {
		t.Error("the run is not linked")
	}
	newer := w.open(w.repo, 12, "Give the orders database more memory", "ffff000011")
	text := content(w.page("/changes/" + change.ID))
	if !strings.Contains(text, "Superseded") || !strings.Contains(text, "ffff0000") {
		t.Errorf("a newer commit is not told of: %s", text)
	}
	if text := content(w.page("/changes/" + newer.ID)); !strings.Contains(text, "Its projects are not known yet.") {
		t.Errorf("a change without projects says %s", text)
	}
}

func TestRunPage(t *testing.T) {
	w := local(t)
	_, plan := busyWorld(w)
	doc := w.page("/runs/" + plan.ID)
	text := content(doc)
	for _, part := range []string{
		"Plan of database/prod", "in 4.2 s", "1 violation", "aws_db_instance.main: Refreshing state...", "sha256:5f3e", "b1946ac9 , serial 12",
		"$61.32", "$122.64", "db.t4g.large, PostgreSQL", "priced 2 of 3", "be0fd72c11", "2027-01-15",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not say %q: %s", part, text)
		}
	}
	log := w.text("/runs/" + plan.ID + "/log")
	if log != "aws_db_instance.main: Refreshing state...\nPlan: 0 to add, 1 to change, 0 to destroy.\n" {
		t.Errorf("the log is %q", log)
	}
	if ct := w.ask("GET", "/runs/"+plan.ID+"/log").Header.Get("Content-Type"); ct != "text/plain; charset=utf-8" {
		t.Errorf("the log is sent as %s", ct)
	}
	var answer struct{ ID, Log string }
	w.json("/api/v1/runs/"+plan.ID+"/log", &answer)
	if answer.ID != plan.ID || answer.Log != log {
		t.Errorf("as JSON the log is %+v", answer)
	}
}

// What a run does shows while it does it: how far it is by what it is measured,
// that Terraform is silent, what it waits for. Once it has ended, what it took.
func TestRunPageTellsProgress(t *testing.T) {
	w := local(t)
	r := w.begin(w.plans(w.open(w.repo, 60, "t", "60"), "net")[0])
	tell := func(done, total int, now run.Now) (text string, api runView) {
		t.Helper()
		if err := w.opts.Runs.Progress(t.Context(), r.ID, done, total, now); err != nil {
			t.Fatal(err)
		}
		w.json("/api/v1/runs/"+r.ID, &api)
		return content(w.page("/runs/" + r.ID)), api
	}
	text, api := tell(0, 0, run.Now{Waits: "memory"})
	if !strings.Contains(text, "Waits for memory") || api.Progress == nil || api.Progress.MachineWait != "memory" {
		t.Errorf("%+v: %s", api.Progress, text)
	}
	text, api = tell(12, 40, run.Now{Text: "reading data.aws_ami.a, for 40s", Guess: true})
	if !strings.Contains(text, "12 of about 40 resources") || !strings.Contains(text, "reading data.aws_ami.a, for 40s") || strings.Contains(text, "Waits") ||
		*api.Progress != (progressView{Now: "reading data.aws_ami.a, for 40s", Counts: "12 of about 40", Estimated: true}) {
		t.Errorf("%+v: %s", api.Progress, text)
	}
	if _, api = tell(12, 40, run.Now{Text: "no word from Terraform for 2m0s", Quiet: 2 * time.Minute}); api.Progress.SilentMS != 120_000 || !api.Silent() {
		t.Errorf("%+v", api.Progress)
	}
	if doc := w.page("/runs/" + r.ID); len(find(doc, "p", "trouble")) != 1 {
		t.Error("that Terraform is silent does not stand out")
	}
	r.PeakMemory = 300<<20 + 1
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.opts.Runs.Finish(ctx, tx, r, run.Planned) })
	w.json("/api/v1/runs/"+r.ID, &api)
	if text := content(w.page("/runs/" + r.ID)); strings.Contains(text, "no word") || !strings.Contains(text, "301 MB at most") || api.PeakMemory != r.PeakMemory {
		t.Errorf("ended: %d, %s", api.PeakMemory, text)
	}
}

func TestThreat_DamagedLogIsNotShown(t *testing.T) {
	w := local(t)
	_, plan := busyWorld(w)
	if err := w.opts.Blobs.Delete(t.Context(), plan.Client, plan.LogBlob); err != nil {
		t.Fatal(err)
	}
	if text := content(w.page("/runs/" + plan.ID)); !strings.Contains(text, "can't be read") || !strings.Contains(text, "Plan of database/prod") {
		t.Errorf("without its log the page says %s", text)
	}
	if !strings.Contains(w.log.String(), "log can't be read") {
		t.Error("nothing is logged")
	}
	if res := w.ask("GET", "/runs/"+plan.ID+"/log"); res.StatusCode < 400 {
		t.Errorf("the log: %s", res.Status)
	}
}

func TestThreat_WholePlanHidesSecrets(t *testing.T) {
	const canary = "hunter2-canary"
	raw := `{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{},"resource_changes":[` +
		`{"address":"aws_x.a","mode":"managed","type":"aws_x","name":"a","provider_name":"registry.terraform.io/hashicorp/aws",` +
		`"change":{"actions":["create"],"before":null,"after":{"name":"first","password":"` + canary + `","token":"server-secret-1"},"after_unknown":{},` +
		`"before_sensitive":false,"after_sensitive":{"password":true}}}],"output_changes":{},"configuration":{}}`
	w := local(t)
	w.site.Masker = redact.NewMasker("server-secret-1")
	c := w.open(w.repo, 1, "t", "h")
	plan := w.planned(w.plans(c, "net")[0], func(r *run.Run) {
		r.Summary, r.PlanJSONBlob, r.Diff = tfplan.Summary{Create: 1}, w.put("plan.json", raw), "# cut"
	})
	for _, path := range []string{"/runs/" + plan.ID + "/plan", "/api/v1/runs/" + plan.ID + "/plan"} {
		text := w.text(path)
		if !strings.Contains(text, "aws_x.a will be created") || !strings.Contains(text, "first") || !strings.Contains(text, "(sensitive value)") {
			t.Errorf("%s gives %s", path, text)
		}
		if strings.Contains(text, "server-secret-1") || !strings.Contains(text, redact.Mask) {
			t.Errorf("%s shows a secret of the server's", path)
		}
		if strings.Contains(text, canary) {
			t.Errorf("%s shows a sensitive value", path)
		}
	}
	if !strings.Contains(w.text("/changes/"+c.ID), "/runs/"+plan.ID+"/plan") {
		t.Error("the change does not lead to the whole plan")
	}
}

func TestLocksPage(t *testing.T) {
	w := local(t)
	if text := content(w.page("/locks")); !strings.Contains(text, "Nothing is locked.") {
		t.Errorf("without locks: %s", text)
	}
	busyWorld(w)
	rows := find(find(w.page("/locks"), "tbody", "")[0], "tr", "")
	if len(rows) != 4 {
		t.Fatalf("%d locks are shown", len(rows))
	}
	last := content(rows[3])
	for _, part := range []string{"globex/platform workers", "#3 ada", "40 s ago", "an apply uses it"} {
		if !strings.Contains(last, part) {
			t.Errorf("the apply's lock does not say %q: %s", part, last)
		}
	}
}

func TestAuditPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "")
		w.open(w.repo, 1, "t", "h")
		text := content(w.page("/audit"))
		if !strings.Contains(text, "Chain verified") || !strings.Contains(text, "change.open") || !strings.Contains(text, "head h, pull 1, repo 7") {
			t.Errorf("the trail says %s", text)
		}
		if _, err := d.ExecContext(t.Context(), `UPDATE events SET detail = '{"pull":2}' WHERE seq = 1`); err != nil {
			t.Fatal(err)
		}
		if text := content(w.page("/audit")); !strings.Contains(text, "Chain verified") {
			t.Error("the answer about the same head is not kept for a minute")
		}
		w.pass(chainFresh + time.Second)
		if text := content(w.page("/audit")); !strings.Contains(text, "Chain broken") || !strings.Contains(text, "event 1 of the audit trail was changed") {
			t.Errorf("an edited event: %s", text)
		}
		var page struct {
			Chain  struct{ State string }
			Events []struct {
				Actor  access.Actor
				Detail map[string]int
			}
		}
		w.json("/api/v1/audit", &page)
		if page.Chain.State != "broken" || len(page.Events) != 1 || page.Events[0].Actor != ada || page.Events[0].Detail["pull"] != 2 {
			t.Errorf("as JSON: %+v", page)
		}
	})
}

func TestEmptyPages(t *testing.T) {
	w := local(t)
	for path, part := range map[string]string{"/": "No changes yet.", "/history": "Nothing has run yet.", "/audit": "No events yet.", "/queue": "every webhook could be read"} {
		if text := content(w.page(path)); !strings.Contains(text, part) {
			t.Errorf("%s says %s", path, text)
		}
	}
}

func TestUnknownThings(t *testing.T) {
	w := local(t)
	_, plan := busyWorld(w)
	const nobody = "01900000-0000-7000-8000-000000000000"
	for path, want := range map[string]int{
		"/changes/" + nobody: 404, "/runs/" + nobody: 404, "/changes/x": 404, "/runs/%00": 404, "/runs/" + plan.ID + "/nothing": 404,
		"/runs/" + nobody + "/log": 404, "/runs/" + nobody + "/plan": 404, "/nothing": 404, "/api/v1/runs/" + nobody: 404, "/api/v2": 404,
		"/changes/" + plan.ID: 404, "/static/000000000000/style.css": 404, assets["style.css"].path + "x": 404,
		"/runs/%7B" + plan.ID + "%7D": 404,
	} {
		res := w.ask("GET", path)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != want {
			t.Errorf("GET %s: %s", path, res.Status)
		}
		if strings.HasPrefix(path, "/api/") {
			var p problem
			if err := json.Unmarshal(body, &p); err != nil || p.Error.Kind != "not_found" || p.Error.Message == "" {
				t.Errorf("GET %s: %s", path, body)
			}
		} else if !strings.Contains(string(body), "To the changes") {
			t.Errorf("GET %s leads nowhere: %s", path, body)
		}
	}
}

func TestFailuresGiveNothingAway(t *testing.T) {
	w := local(t)
	c := w.open(w.repo, 1, "t", "h")
	if err := w.opts.DB.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/changes/" + c.ID, "/queue", "/api/v1/audit"} {
		res := w.ask("GET", path)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode < 500 || strings.Contains(string(body), "sql") || strings.Contains(string(body), "database is closed") {
			t.Errorf("GET %s: %s %s", path, res.Status, body)
		}
	}
	if !strings.Contains(w.log.String(), "page failed") {
		t.Error("nothing is logged")
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	w := local(t)
	busyWorld(w)
	tag := w.ask("GET", "/").Header.Get("ETag")
	again := func(r *http.Request) { r.Header.Set("If-None-Match", tag) }
	if res := w.ask("GET", "/", again); res.StatusCode != http.StatusNotModified {
		t.Errorf("the same page: %s", res.Status)
	}
	w.open(w.repo, 20, "Something new", "h20")
	if res := w.ask("GET", "/", again); res.StatusCode != http.StatusOK {
		t.Errorf("a changed page: %s", res.Status)
	}
}

// TestPagesAreSound checks what every page must keep: one heading, no inline
// script or style, nothing from elsewhere, labels on what has no text.
func TestPagesAreSound(t *testing.T) {
	w := local(t)
	change, plan := busyWorld(w)
	for _, path := range []string{"/", "/changes/" + change.ID, "/runs/" + plan.ID, "/locks", "/history", "/audit", "/drift", "/queue", "/waivers"} {
		doc := w.page(path)
		for _, tag := range []string{"h1", "main", "title"} {
			if n := len(find(doc, tag, "")); n != 1 {
				t.Errorf("%s has %d %s", path, n, tag)
			}
		}
		if current := find(doc, "nav", ""); len(current) == 0 || !strings.Contains(outer(current[0]), `aria-current="page"`) {
			t.Errorf("%s: the menu does not say where one is", path)
		}
		ids := map[string]bool{}
		for d := range doc.Descendants() {
			if d.Type != html.ElementNode {
				continue
			}
			if d.Data == "style" || (d.Data == "script" && (attr(d, "src") == "" || d.FirstChild != nil)) {
				t.Errorf("%s has inline %s", path, d.Data)
			}
			if d.Data == "img" && !hasAttr(d, "alt") {
				t.Errorf("%s has an image without alt", path)
			}
			for _, a := range d.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style":
					t.Errorf("%s: <%s %s>", path, d.Data, a.Key)
				case (a.Key == "src" || (a.Key == "href" && d.Data == "link")) && !strings.HasPrefix(a.Val, "/static/"):
					t.Errorf("%s loads %s", path, a.Val)
				case a.Key == "id" && ids[a.Val]:
					t.Errorf("%s: id %s twice", path, a.Val)
				case a.Key == "id":
					ids[a.Val] = true
				}
			}
		}
	}
}

func hasAttr(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func outer(n *html.Node) string {
	var b strings.Builder
	_ = html.Render(&b, n)
	return b.String()
}

// What a run shows as its tool is its own, not the server's of today.
func TestRunShowsItsTool(t *testing.T) {
	w := local(t)
	r := w.begin(w.plans(w.open(w.repo, 61, "t", "61"), "net")[0])
	show := func() (string, string) {
		var api runView
		w.json("/api/v1/runs/"+r.ID, &api)
		return content(w.page("/runs/" + r.ID)), api.Tool
	}
	if page, api := show(); strings.Contains(page, "Run with") || api != "" {
		t.Errorf("before it is known: %q", api)
	}
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		return w.opts.Runs.SetTool(ctx, tx, r.ID, run.ToolWord("tofu", "1.8.0"))
	})
	if page, api := show(); !strings.Contains(page, "OpenTofu 1.8.0") || api != "OpenTofu 1.8.0" {
		t.Errorf("%q", api)
	}
}
