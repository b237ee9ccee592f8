package web

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	gates "github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// payload breaks out of whatever it stands in, were it not escaped: an
// attribute, an element, a comment, a script. Its terminal codes open what
// would swallow the markup behind them.
const payload = `"'><script>window.hacked=1</script><img src=x onerror="window.hacked=1"><svg onload=window.hacked=1>` +
	"</pre></code></title></textarea><!-- -->{{.}}${7*7}\u202ereversed\x1b]0;swallow\x1b[31"

// hostileWorld fills every text that others write with the payload. It returns
// the paths of pages that show them.
func hostileWorld(w *world) []string {
	w.t.Helper()
	evil := access.Actor{Kind: access.User, Name: "eve" + payload, ID: 6}
	var paths []string
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE clients SET name = $1`, "acme"+payload)
		if err != nil {
			return err
		}
		c, err := w.opts.Clients.Ensure(ctx, tx, clients.Installation{ID: 66, Account: "eve"})
		if err != nil {
			return err
		}
		_, err = w.opts.Clients.EnsureRepo(ctx, tx, c, clients.Repo{ID: 66, Owner: "eve", Name: "x", CloneURL: "javascript:window.hacked=1//.git"})
		return err
	})
	paths = append(paths, "/changes/"+w.open(clients.Repo{ID: 66, ClientID: w.clientOf(66)}, 1, "link", "h66").ID)

	p := run.Pull{
		Repo: w.repo.ID, Number: 1, Client: w.repo.ClientID, Title: payload, Author: payload, HeadSHA: payload, HeadRepo: 99, HeadRef: payload,
		BaseSHA: payload, BaseRef: payload, Open: true, Labels: []string{payload},
	}
	var change run.Change
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := w.opts.Runs.SavePull(ctx, tx, p); err != nil {
			return err
		}
		opened, err := w.opts.Runs.OpenChange(ctx, tx, p, evil)
		change = opened.Change
		return err
	})
	paths = append(paths, "/changes/"+change.ID)
	var runs []run.Run
	project := planner.Project{Name: payload, Dir: payload, Workspace: payload}
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		runs, _, err = w.opts.Runs.AddPlans(ctx, tx, change, []run.Wanted{
			{Project: project, InputsDigest: payload, Options: hostileOptions}, {Project: planner.Project{Name: "b", Dir: payload + "b"}},
			{Project: planner.Project{Name: "waits", Dir: payload + "c", DependsOn: []string{payload}}},
		}, payload, evil)
		if err != nil {
			return err
		}
		return w.opts.Runs.Trust(ctx, tx, change, evil)
	})
	paths = append(paths, hostileAsks(w, change, project, p, evil)...)
	plan := w.planned(runs[0], func(r *run.Run) {
		r.Diff, r.PlanDigest, r.StateLineage = "+ "+payload+"\n"+payload+"\n- "+payload, payload, payload
		r.Summary = tfplan.Summary{Create: 1}
		r.Report = &policy.Report{
			Verdict: policy.Fail, Mandatory: 1, Problems: []policy.Problem{{File: payload, Line: 1, Message: payload}},
			Findings: []policy.Finding{{Rule: payload, Title: payload, Severity: payload, Level: payload, Address: payload, Message: payload, Help: payload}},
		}
		one := dec("1")
		hostileLine := cost.Component{Name: payload, Detail: payload, Unit: payload, Quantity: one, Price: one, Monthly: one}
		hostileCost := cost.ResourceCost{Address: payload, Action: payload, Status: payload, Note: payload, Before: &one, After: &one, Assumed: []string{payload}, Usage: []string{payload},
			Components: []cost.Component{hostileLine}, Was: []cost.Component{{Name: payload, Detail: payload + "2", Quantity: one, Price: one, Monthly: one}}}
		r.Estimate = &cost.Estimate{
			Currency: payload, Before: one, After: one, Delta: one, AsOf: payload, Sources: []string{payload}, Counts: cost.Counts{Total: 2}, Notes: []string{payload}, UsageUnread: []string{payload},
			Advice:    []cost.Advice{{Address: payload, Text: payload, Why: payload, File: payload, Line: 1}},
			ByUse:     &cost.Amounts{Before: one, After: one},
			Resources: []cost.ResourceCost{hostileCost, {Address: payload, Status: cost.StatusUnsupported, Note: payload}},
		}
		r.LogBlob = w.put("log", "first "+payload+"\nlast line\n")
		r.PlanJSONBlob = w.put("plan.json", `{"format_version":"1.2","resource_changes":[{"address":"aws_x.<script>window.hacked=1</script>","mode":"managed","type":"aws_x","name":"<script>window.hacked=1</script>","change":{"actions":["create"],"before":null,"after":{"name":"</pre><script>window.hacked=1</script>\u202e"},"after_unknown":{}}}]}`)
	})
	failed := w.planned(runs[1], func(r *run.Run) { r.Error = payload })
	w.tx(func(ctx context.Context, tx *db.Tx) error { return waive(ctx, w, tx, plan, evil) })
	word := lasting(w, plan, payload)
	paths = append(paths, "/runs/"+plan.ID, "/runs/"+failed.ID, "/runs/"+runs[2].ID, "/runs/"+plan.ID+"/plan")
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		opened, err := w.opts.Runs.OpenChange(ctx, tx, run.Pull{Repo: w.repo.ID, Number: 2, Client: w.repo.ClientID, HeadSHA: "z"}, evil)
		if err != nil {
			return err
		}
		paths = append(paths, "/changes/"+opened.Change.ID)
		if err := w.opts.Runs.SetUnplannable(ctx, tx, opened.Change.ID, payload); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO deliveries (guid, repo_id, event, action, body, received_ms, status, error) VALUES ($1,7,$1,$1,$2,1,'failed',$1)`, payload, []byte("{}"))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO nodes (id, name, started_ms, beat_ms) VALUES ($1,$1,1,1)`, payload)
		if err != nil {
			return err
		}
		return w.opts.Trail.Record(ctx, tx, access.Event{Client: w.repo.ClientID, Actor: evil, Action: payload, Subject: payload, Detail: map[string]any{payload: payload, "x": map[string]string{payload: payload}}})
	})
	w.deadJob(payload)
	return append(paths, "/waivers?all=1", "/waivers/"+word.ID, "/", "/locks", "/history", "/audit", "/queue", "/?client=%22%3E%3Cscript%3Ewindow.hacked=1%3C/script%3E", "/%3Cscript%3Ewindow.hacked=1%3C/script%3E")
}

// hostileOptions are options as nobody could type them: what keeps them out
// stands elsewhere, and pages don't lean on it.
var hostileOptions = planner.Options{Targets: []string{payload}, Replace: []string{payload}, Vars: []string{"a=" + payload}}

// hostileAsks adds what commands ask for to the change. It returns the paths
// of what it added.
func hostileAsks(w *world, change run.Change, project planner.Project, p run.Pull, evil access.Actor) (paths []string) {
	w.t.Helper()
	verdicts, _ := json.Marshal(gates.Record{
		Act: gates.Act(payload), HeadSHA: payload, BaseSHA: payload, PlanDigest: payload,
		Verdicts: []gates.Verdict{{Gate: payload, Why: payload + "`" + payload + "`", Who: payload, How: payload}, {Gate: payload, Open: true, Why: "`" + payload}},
	})
	op := w.operation(change, planner.Project{Name: payload, Dir: "op"}, planner.Operation{Kind: planner.OperationKind(payload), Args: []string{payload, payload}}, string(verdicts))
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if op, err = w.opts.Runs.Begin(ctx, tx, op, payload); err != nil {
			return err
		}
		op, err = w.opts.Runs.Intend(ctx, tx, op, w.lock(ctx, tx, op))
		if err != nil {
			return err
		}
		return w.opts.Runs.AskStop(ctx, tx, op, evil)
	})
	w.say(w.follow(payload), op, "first "+payload+"\n"+payload+"\n")
	paths = append(paths, "/runs/"+op.ID)
	for _, r := range w.drift(change, payload, hostileOptions, project, planner.Project{Name: payload + "2", Dir: "d2"}) {
		paths = append(paths, "/runs/"+r.ID)
	}
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		o, err := w.opts.Runs.OpenGroup(ctx, tx, p, payload, "group", "b", evil)
		if err != nil {
			return err
		}
		paths = append(paths, "/changes/"+o.Change.ID)
		return w.opts.Runs.SetGated(ctx, tx, o.Change.ID, payload+"\n`"+payload+"`")
	})
	return paths
}

// lock takes the project's lock for the run and returns its fence.
func (w *world) lock(ctx context.Context, tx *db.Tx, r run.Run) int64 {
	w.t.Helper()
	l, _, err := w.opts.Runs.Acquire(ctx, tx, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return l.Fence
}

func (w *world) clientOf(repo int64) string {
	w.t.Helper()
	r, err := w.opts.Clients.Repo(w.t.Context(), w.opts.DB, repo)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ClientID
}

type doomed struct {
	Text string `json:"text"`
}

func (doomed) Kind() string { return "doomed" }

// deadJob makes a job that was given up with the message.
func (w *world) deadJob(message string) {
	w.t.Helper()
	queue.Handle(w.queue, "test", func(context.Context, queue.Job[doomed]) error { return queue.Discard(errors.New(message)) }, queue.HandlerOptions{})
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.queue.Enqueue(ctx, tx, doomed{message}) })
	if err := w.queue.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		if dead, err := w.queue.Dead(ctx, 1); err != nil {
			w.t.Fatal(err)
		} else if len(dead) == 1 {
			tick.Stop()
			break
		}
		<-tick.C
	}
	if err := w.queue.Stop(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// TestThreat_HostileTextStaysText looks for anything that a payload could have
// become: an element that no template of ours has, an attribute that runs or
// leads elsewhere, a character that hides others.
func TestThreat_HostileTextStaysText(t *testing.T) {
	w := local(t)
	followed := 0
	for _, path := range hostileWorld(w) {
		res := w.ask("GET", path)
		doc, err := html.Parse(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(path, "/changes") || strings.HasPrefix(path, "/runs") {
			if res.StatusCode != 200 {
				t.Errorf("%s: %s", path, res.Status)
			}
		}
		for d := range doc.Descendants() {
			switch d.Type {
			case html.CommentNode:
				t.Errorf("%s: a comment %q", path, d.Data)
			case html.TextNode:
				for _, r := range d.Data {
					if terminal.Hidden(r) {
						t.Errorf("%s: %U in %q", path, r, d.Data)
						break
					}
				}
			case html.ElementNode:
				if hasAttr(d, "data-follow") {
					followed++
				}
				if d.Data == "svg" || (d.Data == "img" && !strings.HasPrefix(attr(d, "src"), "/static/")) || (d.Data == "script" && !strings.HasPrefix(attr(d, "src"), "/static/")) {
					t.Errorf("%s: an element %s", path, outer(d))
				}
				for _, a := range d.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") || (a.Key != "href" && strings.Contains(a.Key, "<")) {
						t.Errorf("%s: <%s %s=%q>", path, d.Data, a.Key, a.Val)
					}
				}
			}
		}
		if len(find(doc, "h1", "")) != 1 || len(find(doc, "main", "")) != 1 {
			t.Errorf("%s: the payload broke the page's frame", path)
		}
	}
	if followed != 1 {
		t.Errorf("%d logs that grow were seen", followed)
	}
	log := w.text("/runs/" + w.runWithLog() + "/log")
	if strings.ContainsAny(log, "\x1b\u202e") || !strings.HasSuffix(log, "last line\n") {
		t.Errorf("the log is %q", log)
	}
}

func (w *world) runWithLog() string {
	w.t.Helper()
	all, err := listRuns(w.t.Context(), w.opts.DB, "", "", 10)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range all {
		if r.LogBlob != "" {
			return r.ID
		}
	}
	w.t.Fatal("no run has a log")
	return ""
}

func TestQueuePage(t *testing.T) {
	w := local(t)
	w.deadJob("the repository is gone")
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (guid, repo_id, event, action, body, received_ms, status, error) VALUES ('g-1',7,'push','',$1,1,'failed','no such field')`, []byte("{}"))
		return err
	})
	text := content(w.page("/queue"))
	for _, part := range []string{"doomed", "the repository is gone", "1 attempt", "push", "acme/infra", "no such field", "g-1", "Dead 1"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not say %q: %s", part, text)
		}
	}
	var page struct {
		Counts map[string]int
		Dead   []struct{ Kind, Error string }
	}
	w.json("/api/v1/queue", &page)
	if page.Counts["dead"] != 1 || len(page.Dead) != 1 || page.Dead[0].Kind != "doomed" {
		t.Errorf("as JSON: %+v", page)
	}
}
