package web

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	gates "github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

var grace = access.Actor{Kind: access.User, Name: "grace", ID: 2}

// want queues plans of projects as they are configured.
func (w *world) want(c run.Change, wanted ...run.Wanted) []run.Run {
	w.t.Helper()
	var out []run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		out, _, err = w.opts.Runs.AddPlans(ctx, tx, c, wanted, "", ada)
		return err
	})
	return out
}

func project(name string, order int, on ...string) planner.Project {
	return planner.Project{Name: name, Dir: name, Workspace: "default", Order: order, DependsOn: on}
}

// operation queues a state operation and drift checks beside the plans.
func (w *world) operation(c run.Change, p planner.Project, op planner.Operation, record string) run.Run {
	w.t.Helper()
	var r run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		r, err = w.opts.Runs.AddOperation(ctx, tx, c, p, op, "c0ffee", record, grace)
		return err
	})
	return r
}

func (w *world) drift(c run.Change, batch string, o planner.Options, projects ...planner.Project) []run.Run {
	w.t.Helper()
	var out []run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = w.opts.Runs.AddDrift(ctx, tx, c, projects, o, "c0ffee", batch, grace)
		return err
	})
	return out
}

// compared takes a drift check to its end.
func (w *world) compared(r run.Run, found tfplan.Summary) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if r, err = w.opts.Runs.Begin(ctx, tx, r, "node-1"); err != nil {
			return err
		}
		r.Summary = found
		return w.opts.Runs.Finish(ctx, tx, r, run.Planned)
	})
}

func record(verdicts ...gates.Verdict) string {
	b, _ := json.Marshal(gates.Record{Act: gates.ActApply, HeadSHA: "be0fd72c11", BaseSHA: "0b5e55ed", PlanDigest: "sha256:5f3e", StateSerial: 12, Verdicts: verdicts})
	return string(b)
}

// askedWorld fills a change with everything that can be asked for.
func askedWorld(w *world) (c run.Change, plans []run.Run) {
	w.t.Helper()
	c = w.open(w.repo, 30, "Grow the network", "9a11aa7700")
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.opts.Runs.Trust(ctx, tx, c, grace) })
	o := planner.Options{Targets: []string{"module.vpc"}, Vars: []string{"note=two words"}}
	plans = w.want(c, run.Wanted{Project: project("app", 0, "net")}, run.Wanted{Project: project("net", 0), Options: o}, run.Wanted{Project: project("dns", 2)})
	plans[1] = w.planned(plans[1], func(r *run.Run) { r.Summary.Create, r.Report = 1, failing() })
	w.tx(func(ctx context.Context, tx *db.Tx) error { return waive(ctx, w, tx, plans[1], grace) })
	plans[2] = w.planned(plans[2], func(r *run.Run) { r.Summary.Create = 1 })
	w.operation(c, project("net", 0), planner.Operation{Kind: planner.Import, Args: []string{"aws_s3_bucket.logs", "the id"}},
		record(gates.Verdict{Gate: "approvals", Open: true, Why: "`grace` approved this head (a\\_b)."}))
	checks := w.drift(c, "b-1", planner.Options{Targets: []string{"module.vpc"}}, project("net", 0), project("dns", 2))
	w.compared(checks[0], tfplan.Summary{Update: 2})
	w.compared(checks[1], tfplan.Summary{})
	return c, plans
}

// waive has the actor accept everything that was found in the plan.
func waive(ctx context.Context, w *world, tx *db.Tx, plan run.Run, who access.Actor) error {
	_, err := w.opts.Runs.Waive(ctx, tx, run.Word{Plan: plan, All: true, Actor: who})
	return err
}

// askedPaths returns addresses of pages, which are the API's too, that show
// everything that can be asked for.
func askedPaths(w *world) []string {
	w.t.Helper()
	c, plans := askedWorld(w)
	paths := []string{"/changes/" + c.ID}
	for _, p := range plans {
		paths = append(paths, "/runs/"+p.ID)
	}
	runs, err := w.opts.Runs.Runs(w.t.Context(), w.opts.DB, c.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range runs {
		if r.Kind == run.StateChange || r.Kind == run.Drift {
			paths = append(paths, "/runs/"+r.ID)
		}
	}
	var group run.Change
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		p, err := w.opts.Runs.Pull(ctx, tx, w.repo.ID, c.Pull)
		if err != nil {
			return err
		}
		o, err := w.opts.Runs.OpenGroup(ctx, tx, p, "gh-readonly-queue/main/pr-30-0b5e55ed1f", "91d5a0aa", "b", ada)
		group = o.Change
		return err
	})
	plan := w.planned(w.plans(group, "net/queue")[0], func(r *run.Run) { r.Summary.Create, r.PlanJSONBlob = 1, w.put("plan.json", secretPlan) })
	apply := w.applying(plan)
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.opts.Runs.AskStop(ctx, tx, apply, grace) })
	w.say(w.follow("node-1"), apply, "aws_x.a: Creating...\naws_x.a: Still creating... [10s elapsed]\n")
	return append(paths, "/changes/"+group.ID, "/runs/"+apply.ID)
}

func has(t *testing.T, where string, n *html.Node, parts ...string) {
	t.Helper()
	text := content(n)
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s does not say %q: %s", where, p, text)
		}
	}
}

func lacks(t *testing.T, where string, n *html.Node, parts ...string) {
	t.Helper()
	text := content(n)
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%s says %q: %s", where, p, text)
		}
	}
}

func TestChangePageTellsWhatWasAsked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "")
		c, plans := askedWorld(w)
		doc := w.page("/changes/" + c.ID)
		cards := find(doc, "section", "project")
		if len(cards) != 3 {
			t.Fatalf("%d projects are shown: a state operation or a drift check is none", len(cards))
		}
		// In the order in which they are planned and applied.
		has(t, "net", cards[0], "net Planned", "layer 1", "Planned with -target=module.vpc", `"-var=note=two words"`, "It is a part of what the code asks for",
			"1 violation, accepted", "accepted by grace")
		lacks(t, "net", cards[0], "Forbidden by policy")
		has(t, "dns", cards[1], "layer 1, group 2")
		lacks(t, "dns", cards[1], "Planned with")
		has(t, "app", cards[2], "Waits its turn", "layer 2, after net", "Waits for net . It starts by itself once that is applied.")
		has(t, "the page", doc, "The commit comes from a fork. grace let it be planned")

		rows := find(doc, "tr", "operation")
		if len(rows) != 3 {
			t.Fatalf("%d operations are shown", len(rows))
		}
		has(t, "the newest check", rows[0], "Drift check dns", "No drift", "-target=module.vpc")
		has(t, "the other check", rows[1], "Drift check net", "Drift", "~2", "grace")
		lacks(t, "the other check", rows[1], "-refresh-only", "No drift")
		has(t, "the operation", rows[2], "State operation net", "Queued", `import aws_s3_bucket.logs "the id"`)
		if a := find(rows[2], "a", ""); !strings.HasPrefix(attr(a[0], "href"), "/runs/") {
			t.Errorf("the operation leads to %q", attr(a[0], "href"))
		}

		// The list counts what was accepted as what it is.
		row := find(w.page("/"), "li", "row")[0]
		has(t, "the list", row, "3 projects: 1 to follow, 2 planned")
		lacks(t, "the list", row, "forbidden", "Forbidden")

		// Another plan of the project needs another word.
		again := w.want(c, run.Wanted{Project: project("net", 0)})
		w.planned(again[0], func(r *run.Run) { r.Summary.Create, r.Report, r.PlanDigest = 1, failing(), "sha256:other" })
		has(t, "a new plan", find(w.page("/changes/"+c.ID), "section", "project")[0], "net Forbidden by policy")
		has(t, "the list", find(w.page("/"), "li", "row")[0], "1 forbidden")
		if again[0].ID == plans[1].ID {
			t.Error("the plan is the same")
		}
	})
}

func TestRunPageTellsWhatWasAsked(t *testing.T) {
	w := local(t)
	c, plans := askedWorld(w)
	doc := w.page("/runs/" + plans[1].ID)
	has(t, "the plan", doc, "Plan of net", "Planned with -target=module.vpc", "It holds for these values and not for those of the code.", "accepted by grace")
	has(t, "the plan that waits", w.page("/runs/"+plans[0].ID), "Waits its turn", "Waits for net .", "Depends on net", "Turn layer 2")

	var change changeJSON
	w.json("/api/v1/changes/"+c.ID, &change)
	op := change.Operations[2]
	page := w.page("/runs/" + op.ID)
	has(t, "the operation", page, "State operation on net", `import aws_s3_bucket.logs "the id"`, "Gates before the apply", "open approvals grace approved this head (a_b).",
		"head be0fd72c on base 0b5e55ed", "state serial 12")
	if code := find(find(page, "section", "gates")[0], "code", ""); len(code) == 0 || content(code[0]) != "grace" {
		t.Error("the gate's text is shown with its marks")
	}
	if title := content(find(page, "title", "")[0]); title != "State operation on net · Tidelock" {
		t.Errorf("its title is %q", title)
	}
	check := w.page("/runs/" + change.Operations[1].ID)
	has(t, "the check", check, "Drift check of net", "Drift", "Together with dns")

	// The audit trail leads to what it tells of.
	for _, row := range find(w.page("/audit"), "tr", "") {
		text := content(row)
		for action, to := range map[string]string{"state.queue": "/runs/", "drift.queue": "/changes/", "fork.trust": "/changes/", "policy.waive": "/runs/", "drift.planned": "/runs/"} {
			if strings.Contains(text, action+" ") {
				if a := find(row, "a", ""); len(a) != 1 || !strings.HasPrefix(attr(a[0], "href"), to) {
					t.Errorf("%s does not lead to %s: %s", action, to, text)
				}
			}
		}
	}
	has(t, "the history", w.page("/history"), `import aws_s3_bucket.logs "the id"`, "Drift check dns", "-target=module.vpc")
}

type runJSON struct {
	ID, Kind, Status, Project, Batch string
	Layer                            int
	OrderGroup                       int      `json:"order_group"`
	DependsOn                        []string `json:"depends_on"`
	WaitsFor                         []string `json:"waits_for"`
	Options                          *struct {
		Flags, Means []string
		Typed        string
		Alters, Part bool
	}
	Operation *struct {
		Kind, Typed string
		Args        []string
	}
	Retry     bool
	StoppedBy *access.Actor `json:"stopped_by"`
	Forbidden *bool
	Waivers   []access.Actor
	Gates     *struct {
		Act      string
		HeadSHA  string `json:"head_sha"`
		Serial   int64  `json:"state_serial"`
		At       *time.Time
		Verdicts []gates.Verdict
	}
	Together []struct{ ID, Project string }
}

type changeJSON struct {
	Phase      string
	GroupRef   string        `json:"group_ref"`
	TrustedBy  *access.Actor `json:"trusted_by"`
	Tally      map[string]int
	Projects   []struct{ Plan, Apply *runJSON }
	Operations []runJSON
	Commits    []struct {
		GroupRef string `json:"group_ref"`
	}
}

func TestAPITellsWhatWasAsked(t *testing.T) {
	w := local(t)
	c, plans := askedWorld(w)
	var got changeJSON
	w.json("/api/v1/changes/"+c.ID, &got)
	net, dns, app := got.Projects[0].Plan, got.Projects[1].Plan, got.Projects[2].Plan
	switch {
	case got.TrustedBy == nil || *got.TrustedBy != grace, got.GroupRef != "", got.Tally["deferred"] != 1, got.Tally["forbidden"] != 0, len(got.Operations) != 3:
		t.Fatalf("the change is %+v", got)
	case !slices.Equal(net.Options.Flags, []string{"-target=module.vpc", "-var=note=two words"}), !net.Options.Alters, !net.Options.Part, len(net.Options.Means) != 2,
		net.Options.Typed != `-target=module.vpc "-var=note=two words"`, *net.Forbidden, !slices.Equal(net.Waivers, []access.Actor{grace}), net.Layer != 1:
		t.Errorf("net is %+v", net)
	case dns.OrderGroup != 2, dns.Options != nil, dns.Forbidden == nil || *dns.Forbidden:
		t.Errorf("dns is %+v", dns)
	case app.Status != "deferred", app.Layer != 2, !slices.Equal(app.DependsOn, []string{"net"}), !slices.Equal(app.WaitsFor, []string{"net"}), app.Forbidden != nil:
		t.Errorf("app is %+v", app)
	}
	check, op := got.Operations[1], got.Operations[2]
	switch {
	case check.Kind != "drift", check.Batch != "b-1", !slices.Equal(check.Options.Flags, []string{"-target=module.vpc"}), check.Layer != 0, check.Forbidden != nil:
		t.Errorf("the check is %+v", check)
	case op.Kind != "state", op.Operation.Kind != "import", !slices.Equal(op.Operation.Args, []string{"aws_s3_bucket.logs", "the id"}),
		op.Gates.Act != "apply", op.Gates.HeadSHA != "be0fd72c11", op.Gates.Serial != 12, op.Gates.At != nil, len(op.Gates.Verdicts) != 1, !op.Gates.Verdicts[0].Open:
		t.Errorf("the operation is %+v", op)
	}
	var one runJSON
	w.json("/api/v1/runs/"+plans[0].ID, &one)
	if !slices.Equal(one.WaitsFor, []string{"net"}) {
		t.Errorf("the run waits for %v", one.WaitsFor)
	}
	w.json("/api/v1/runs/"+check.ID, &one)
	if len(one.Together) != 1 || one.Together[0].Project != "dns" {
		t.Errorf("the check came together with %v", one.Together)
	}
	if text := w.text("/api/v1/history"); strings.Contains(text, `"forbidden"`) {
		t.Error("the history judges what it has not read")
	}
}

func TestStoppedAndTriedAgain(t *testing.T) {
	w := local(t)
	c := w.open(w.repo, 31, "t", "31313131")
	plan := w.planned(w.plans(c, "net")[0], func(r *run.Run) { r.Summary.Create = 2 })
	apply := w.applying(plan)
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.opts.Runs.AskStop(ctx, tx, apply, grace) })
	card := find(w.page("/changes/"+c.ID), "section", "project")[0]
	has(t, "while it is stopped", card, "net Stopping", "stopped by grace")
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		apply.Error = "Stopped by @grace."
		return w.opts.Runs.Finish(ctx, tx, apply, run.Failed)
	})
	has(t, "when it was", find(w.page("/changes/"+c.ID), "section", "project")[0], "net Stopped")
	has(t, "its page", w.page("/runs/"+apply.ID), "grace asked for it to be stopped.")
	var again run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		again, err = w.opts.Runs.RetryApply(ctx, tx, w.reread(apply), "c0ffee", "", ada)
		return err
	})
	has(t, "the change", find(w.page("/changes/"+c.ID), "section", "project")[0], "Apply again")
	has(t, "the retry", w.page("/runs/"+again.ID), "It goes on where a failed apply of the same plan ended")
	var got runJSON
	if w.json("/api/v1/runs/"+again.ID, &got); !got.Retry || got.StoppedBy != nil {
		t.Errorf("the retry is %+v", got)
	}
	if w.json("/api/v1/runs/"+apply.ID, &got); got.StoppedBy == nil || *got.StoppedBy != grace {
		t.Errorf("the stopped apply is %+v", got)
	}
}

func TestMergeQueuesChangeIsNamed(t *testing.T) {
	w := local(t)
	own := w.open(w.repo, 32, "Queue me", "32323232")
	const ref = "gh-readonly-queue/main/pr-32-0b5e"
	var group run.Change
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		p, err := w.opts.Runs.Pull(ctx, tx, w.repo.ID, 32)
		if err != nil {
			return err
		}
		o, err := w.opts.Runs.OpenGroup(ctx, tx, p, ref, "9999aaaa", "b", ada)
		group = o.Change
		return err
	})
	doc := w.page("/changes/" + group.ID)
	has(t, "the group's page", doc, "merge queue", "The merge queue tries this pull request on "+ref)
	links := map[string]bool{}
	for _, a := range find(doc, "a", "") {
		links[attr(a, "href")] = true
	}
	if !links["/changes/"+own.ID] || !links["https://github.example.com/acme/infra/pull/32"] {
		t.Errorf("it leads to %v", links)
	}
	lacks(t, "the pull's own page", find(w.page("/changes/"+own.ID), "div", "head")[0], "merge queue")
	rows := find(w.page("/"), "li", "row")
	has(t, "the list", rows[0], "merge queue")
	lacks(t, "the list", rows[1], "merge queue")
	var got changeJSON
	if w.json("/api/v1/changes/"+group.ID, &got); got.GroupRef != ref || len(got.Commits) != 2 || got.Commits[0].GroupRef != ref || got.Commits[1].GroupRef != "" {
		t.Errorf("as JSON: %+v", got)
	}
}

func TestGatedAndCanceledChanges(t *testing.T) {
	w := local(t)
	c := w.open(w.repo, 33, "t", "33")
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		return w.opts.Runs.SetGated(ctx, tx, c.ID, "It comes from a fork.\nAnyone with write access can comment `plan`.")
	})
	doc := w.page("/changes/" + c.ID)
	has(t, "a gated change", doc, "Not planned yet", "What the plan waits for", "can comment plan .")
	lacks(t, "a gated change", doc, "can't be planned", "`")
	c = w.open(w.repo, 34, "t", "34")
	r := w.plans(c, "net")[0]
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.opts.Runs.Cancel(ctx, tx, r, grace, "Canceled.") })
	has(t, "a canceled change", find(w.page("/"), "li", "row")[0], "Canceled")
	// Every phase, status and kind has words of its own.
	for _, p := range []run.Phase{run.PhaseGated, run.PhaseCanceled, run.PhaseWaiting, run.PhaseAttention} {
		if b := phaseBadge(changeRow{Phase: p}); b.Word == string(p) {
			t.Errorf("the phase %s has no words", p)
		}
	}
	for _, k := range []run.Kind{run.Plan, run.Apply, run.StateChange, run.Drift} {
		if kindWord(k) == string(k) || stateBadge(runView{Kind: k, Status: run.Running}).Word == "" {
			t.Errorf("the kind %s has no words", k)
		}
	}
}

func TestLockOfAStateOperation(t *testing.T) {
	w := local(t)
	c := w.open(w.repo, 35, "t", "35")
	r := w.operating(w.operation(c, project("net", 0), planner.Operation{Kind: planner.StateRemove, Args: []string{"aws_x.a"}}, ""))
	has(t, "the lock", find(w.page("/locks"), "tbody", "")[0], "a state operation uses it")
	has(t, "the operation", find(w.page("/changes/"+c.ID), "tr", "operation")[0], "Working", "state rm aws_x.a")
	if live := attr(find(w.page("/changes/"+c.ID), "main", "")[0], "data-live"); live != "2" {
		t.Errorf("the page is renewed every %q s while an operation is under way", live)
	}
	w.applied(r)
	has(t, "the operation", find(w.page("/changes/"+c.ID), "tr", "operation")[0], "Done")
}

// operating brings a state operation to where Terraform runs.
func (w *world) operating(r run.Run) run.Run {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		l, _, err := w.opts.Runs.Acquire(ctx, tx, r)
		if err != nil {
			return err
		}
		if r, err = w.opts.Runs.Begin(ctx, tx, r, "node-1"); err != nil {
			return err
		}
		r, err = w.opts.Runs.Intend(ctx, tx, r, l.Fence)
		return err
	})
	return r
}

func TestWaitsFor(t *testing.T) {
	pair := func(name string, order int, status run.Status, on ...string) run.Pair {
		return run.Pair{Plan: &run.Run{ID: name, Kind: run.Plan, Status: status, Project: project(name, order, on...), Summary: tfplan.Summary{Create: 1}}}
	}
	pairs := []run.Pair{pair("net", 0, run.Planned), pair("dns", 1, run.Planned), pair("app", 2, run.Deferred, "net")}
	apply := *pairs[2].Plan
	apply.Kind = run.Apply
	if got := waitsFor(pairs, *pairs[2].Plan); !slices.Equal(got, []string{"net"}) {
		t.Errorf("the plan waits for %v", got)
	}
	if got := waitsFor(pairs, apply); !slices.Equal(got, []string{"net", "dns"}) {
		t.Errorf("its apply waits for %v", got)
	}
	apply.Status = run.Queued
	if got := waitsFor(pairs, apply); got != nil {
		t.Errorf("one whose turn has come waits for %v", got)
	}
}

func TestInline(t *testing.T) {
	for text, want := range map[string]string{
		"`ada` approved":           "<ada> approved",
		"a\\_b \\`c\\` @\u2060ada": "a_b `c` @ada",
		"one ` alone":              "one ` alone",
		"`a\\b`":                   "<a\\b>",
		"ends with \\":             "ends with \\",
		"":                         "",
	} {
		var b strings.Builder
		for _, p := range inline(text) {
			if p.Code {
				b.WriteString("<" + p.Text + ">")
			} else {
				b.WriteString(p.Text)
			}
		}
		if b.String() != want {
			t.Errorf("%q is shown as %q", text, b.String())
		}
	}
}
