package comment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// golden compares a reply with the file that a reviewer reads.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".md")
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != string(want) {
		t.Errorf("%s is another (-update writes it anew):\n%s", path, got)
	}
}

var graceActs = access.Actor{Kind: access.User, Name: "grace", ID: 2}

func operated(status run.Status, why string) run.Run {
	r := planned("network")
	r.Kind, r.Status, r.Error, r.Actor = run.StateChange, status, why, graceActs
	r.Operation = planner.Operation{Kind: planner.Import, Args: []string{"aws_s3_bucket.logs", "acme-logs"}}
	return r
}

func drifted(name string, s tfplan.Summary, diff string) run.Run {
	r := planned(name)
	r.Kind, r.Summary, r.Diff, r.Report, r.Estimate = run.Drift, s, diff, nil, nil
	return r
}

func replies() map[string]string {
	stopped := operated(run.Interrupted, "Its process ended without leaving a result.")
	stopped.StopActor = graceActs
	ended := failed("dns", "Error: no credentials")
	ended.Kind = run.Drift
	v := scene(only(planned("network")), only(planned("app")), only(unchanged("dns")), only(queued("web", run.Deferred)))
	return map[string]string{
		"operation_applied":     Operation(operated(run.Applied, "")),
		"operation_failed":      Operation(operated(run.Failed, "Error: Resource already managed by Terraform")),
		"operation_interrupted": Operation(stopped),
		"operation_held":        Operation(operated(run.Held, "A gate has closed since the command was given.")),
		"operation_canceled":    Operation(operated(run.Canceled, "")),
		"drift":                 Drift([]run.Run{drifted("network", tfplan.Summary{Update: 1}, resourceDiff), drifted("app", tfplan.Summary{}, ""), ended}),
		"drift_one":             Drift([]run.Run{drifted("network", tfplan.Summary{Update: 1}, resourceDiff)}),
		"drift_none":            Drift([]run.Run{drifted("network", tfplan.Summary{}, ""), drifted("app", tfplan.Summary{}, "")}),
		"cost":                  Cost(v),
		"cost_none":             Cost(scene(only(queued("network", run.Running)))),
		"refusal": Refusal("**Nothing was applied.**", []gate.Verdict{
			{Gate: gate.Approvals, Why: "1 of 2 approving reviews is there.", Who: "anyone with write access but the author", How: "approve the pull request on GitHub"},
			{Gate: gate.UpToDate, Why: "The head lacks 3 commits of `main`.", Who: "whoever may push to the branch", How: "merge `main` into it"},
		}),
		"refusal_one": Refusal("**Nothing was applied.**", []gate.Verdict{{Gate: "no-fridays", Why: "It is Friday."}}),
	}
}

func TestReplies(t *testing.T) {
	for name, text := range replies() {
		t.Run(name, func(t *testing.T) { golden(t, "reply_"+name, strings.TrimRight(text, "\n")) })
	}
}

// Nothing of a stranger's choosing is more than text in a reply.
func TestThreat_RepliesAreInert(t *testing.T) {
	const allowed = "h3 p table thead tbody tr th td code pre details summary ul li strong em sub"
	for _, s := range markdowntest.Hostile {
		r := operated(run.Failed, s)
		r.Project.Name, r.Operation.Args = s, []string{s, s}
		held := r
		held.Status = run.Held
		moved := drifted(s, tfplan.Summary{Update: 1}, s)
		broken := failed(s, s)
		plan := planned(s)
		plan.Estimate.Resources[0].Address, plan.Estimate.Resources[0].Note = s, s
		for _, body := range []string{Operation(r), Operation(held), Drift([]run.Run{moved, broken}), Cost(scene(only(plan)))} {
			if bad := markdowntest.Strangers(markdowntest.Page(t, body), allowed); len(bad) > 0 {
				t.Errorf("%q: %q got into\n%s", s, bad, body)
			}
		}
	}
}

// However long, replies fit.
func TestGitHub10_RepliesFit(t *testing.T) {
	var runs []run.Run
	var pairs []run.Pair
	for i := range 2000 {
		runs = append(runs, drifted(fmt.Sprintf("live/p%d", i), tfplan.Summary{Update: 40}, strings.Repeat(resourceDiff+"\n\n", 40)))
		pairs = append(pairs, only(planned(fmt.Sprintf("live/p%d", i))))
	}
	for name, body := range map[string]string{"drift": Drift(runs), "drift of a few": Drift(runs[:30]), "cost": Cost(scene(pairs...)), "cost of some": Cost(scene(pairs[:150]...))} {
		if len(body) > maxComment || len(body) < 500 {
			t.Errorf("%s: %d bytes", name, len(body))
		}
	}
}

// Whoever is called is called once in a comment, and never from a stranger's
// text.
func TestThreat_NobodyIsCalledTwice(t *testing.T) {
	for in, want := range map[string]string{
		"@ada and @ada":                       "@ada and @\u2060ada",
		"@ada, @Ada and @grace":               "@ada, @\u2060Ada and @grace",
		"@acme/ops @acme/ops @acme":           "@acme/ops @\u2060acme/ops @acme",
		"`@ada` @ada `@ada`":                  "`@ada` @ada `@ada`",
		"```\n@ada\n@ada\n```\n@ada":          "```\n@ada\n@ada\n```\n@ada",
		"\\`@ada \\`@ada":                     "\\`@ada \\`@\u2060ada",
		"an open ` fence @ada @ada":           "an open ` fence @ada @\u2060ada",
		"an @ alone @ is nobody @":            "an @ alone @ is nobody @",
		"``a ` b`` @ada ```x``` `@ada` @ada ": "``a ` b`` @ada ```x``` `@ada` @\u2060ada ",
	} {
		if got := markdown.Calm(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	blocked := func(name string) run.Pair {
		r := queued(name, run.Blocked)
		r.Error = "Waits for @everyone."
		return only(r)
	}
	v := scene(blocked("a"), blocked("b"))
	for _, p := range v.Pairs {
		v.Holders[p.Plan.Key()] = run.Lock{Key: p.Plan.Key(), Pull: 3, Holder: "alice", Taken: noon}
	}
	body := Render(v)
	if n := strings.Count(body, "@alice"); n != 1 {
		t.Errorf("alice is called %d times:\n%s", n, body)
	}
	held := with(planned("a"), run.Held, "Project @acme/everyone comes first. See `@ada` and <img src=x>.")
	if body := Render(scene(held)); strings.Contains(strings.ReplaceAll(body, "`@ada`", ""), "@acme") || strings.Contains(body, "<img") {
		t.Errorf("what was stored calls somebody, or is HTML:\n%s", body)
	}
	v.Holders[v.Pairs[0].Plan.Key()] = run.Lock{Pull: 3, Holder: "not a login <b>", Taken: noon}
	if body := Render(v); strings.Contains(body, "@not") || strings.Contains(strings.ReplaceAll(body, "`not a login <b>`", ""), "<b>") {
		t.Errorf("no login, and yet called:\n%s", body)
	}
}

// Options of a plan are shown wherever the plan is, and can't be more than text.
func TestThreat_OptionsAreInert(t *testing.T) {
	for _, s := range markdowntest.Hostile {
		r := planned("network")
		r.Options = planner.Options{Vars: []string{"x=" + s}, Targets: []string{s}}
		r.Report = &policy.Report{Verdict: policy.Fail, Mandatory: 1, Findings: []policy.Finding{{Rule: "r", Level: policy.Mandatory, Fingerprint: "f"}}}
		r.Waivers, r.Read = []run.Waiver{{Key: r.Key(), Client: r.Client, Fingerprint: "f", Actor: access.Actor{Kind: access.User, Name: s}, Reason: s, Expires: noon.Add(time.Hour)}}, noon
		pair := with(r, run.Failed, s)
		pair.Apply.StopActor = access.Actor{Kind: access.User, Name: s}
		v := scene(pair)
		v.Change.Trusted = access.Actor{Kind: access.User, Name: s}
		v.Holders[r.Key()] = run.Lock{Key: r.Key(), Pull: 7, Holder: s}
		body := Render(v)
		if bad := markdowntest.Strangers(markdowntest.Page(t, body), "h3 h4 p table thead tbody tr th td code pre details summary ul li strong em sub"); len(bad) > 0 {
			t.Errorf("%q: %q got into\n%s", s, bad, body)
		}
	}
}
