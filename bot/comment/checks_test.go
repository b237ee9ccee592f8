package comment

import (
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/run"
)

// spelled writes checks down as "name status/conclusion: title [buttons]".
func spelled(checks []github.Check) []string {
	var out []string
	for _, k := range checks {
		s := k.Name + " " + k.Status
		if k.Conclusion != "" {
			s += "/" + k.Conclusion
		}
		s += ": " + k.Title
		var ids []string
		for _, a := range k.Actions {
			ids = append(ids, a.Identifier)
		}
		if len(ids) > 0 {
			s += " [" + strings.Join(ids, " ") + "]"
		}
		out = append(out, s)
	}
	return out
}

// What each state of things shows as checks, with its buttons.
func TestChecks(t *testing.T) {
	all := scenes()
	before := func(v View) View { // the merge applies, and `apply` does too
		v.Settings.ApplyBeforeMerge = true
		return v
	}
	alone := func(v View) View { // only `apply` applies
		v.Settings.ApplyBeforeMerge, v.Settings.ApplyOnMerge = true, false
		return v
	}
	posted := func(v View, names ...string) View {
		v.Posted = map[string]run.Check{}
		for _, n := range names {
			v.Posted[n] = run.Check{Name: n, ID: 5}
		}
		return v
	}
	status := func(v View, s run.ChangeStatus) View {
		v.Change.Status = s
		return v
	}
	group := all["one"]
	group.Change.GroupRef = "refs/heads/gh-readonly-queue/main/pr-7"
	perProject := all["policy"]
	perProject.Settings.ProjectChecks = true
	const plan = "Plan: 1 to add, 1 to change, 0 to destroy"
	for _, c := range []struct {
		name string
		view View
		want []string
	}{
		{"planned, applied by the merge", all["one"], []string{"tidelock/plan completed/success: " + plan + " [plan unlock]"}},
		{"planned, applied by both", before(all["one"]), []string{"tidelock/plan completed/success: " + plan + " [plan apply unlock]",
			"tidelock/apply completed/neutral: Comment apply to apply, or merge [plan apply unlock]"}},
		{"planned, applied by command alone", alone(all["one"]), []string{"tidelock/plan completed/success: " + plan + " [plan apply unlock]",
			"tidelock/apply queued: Comment apply to apply [plan apply unlock]"}},
		{"commands that are not taken have no buttons", before(all["few_commands"]), []string{"tidelock/plan completed/success: " + plan + " [plan]",
			"tidelock/apply completed/neutral: Comment apply to apply, or merge [plan]"}},
		{"unchanged", all["unchanged"], []string{"tidelock/plan completed/success: No changes [plan]"}},
		{"unchanged, where the apply's check may be required", alone(all["unchanged"]), []string{"tidelock/plan completed/success: No changes [plan]", "tidelock/apply completed/success: Nothing to apply"}},
		{"planning", all["planning"], []string{"tidelock/plan in_progress: Planning"}},
		{"not begun", status(all["queued"], run.Pending), []string{"tidelock/plan in_progress: Planning"}},
		{"waiting", all["waiting"], []string{"tidelock/plan queued: 1 project waits for another pull request's lock [plan]"}},
		{"failed", all["failed"], []string{"tidelock/plan completed/failure: The plan failed for 1 of 2 projects [plan]"}},
		{"forbidden", all["policy"], []string{"tidelock/plan completed/failure: A policy forbids 1 of 2 plans [plan unlock]"}},
		{"a check for each project, if asked", perProject, []string{"tidelock/plan completed/failure: A policy forbids 1 of 2 plans [plan unlock]",
			"tidelock: data completed/failure: A policy forbids it: Plan: 2 to add, 0 to change, 1 to destroy", "tidelock: app completed/success: " + plan}},
		{"canceled", all["plan_canceled"], []string{"tidelock/plan completed/cancelled: Canceled: the plan of 1 of 2 projects [plan]"}},
		{"layers", all["layers"], []string{"tidelock/plan completed/success: Plan: 2 to add, 2 to change, 0 to destroy in 2 projects · then 2 more [plan unlock]"}},
		{"applying", all["applying"], []string{"tidelock/plan completed/success: Plan: 2 to add, 2 to change, 0 to destroy in 2 projects [plan unlock]", "tidelock/apply in_progress: Applying"}},
		{"applied", all["applied"], []string{"tidelock/plan completed/success: " + plan + " in 2 projects", "tidelock/apply completed/success: Applied 1 project"}},
		{"held", all["held"], []string{"tidelock/plan completed/success: " + plan + " [plan unlock]", "tidelock/apply completed/action_required: A person must decide [plan unlock]"}},
		{"planned again after the merge", merged(all["one"]), []string{"tidelock/plan completed/success: " + plan + " [plan apply unlock]", "tidelock/apply queued: Comment apply to apply [plan apply unlock]"}},
		{"empty", all["empty"], []string{"tidelock/plan completed/neutral: No Terraform project is touched"}},
		{"closed before anything was said", all["closed"], nil},
		{"closed", posted(all["closed"], PlanCheck), []string{"tidelock/plan completed/neutral: Closed: nothing was applied, and the locks are free"}},
		{"superseded before anything was said", status(all["planning"], run.Outdated), nil},
		{"superseded", posted(status(all["planning"], run.Outdated), PlanCheck), []string{"tidelock/plan completed/cancelled: Superseded by a newer commit"}},
		{"superseded after its plan had ended", posted(status(alone(all["one"]), run.Outdated), PlanCheck, ApplyCheck), []string{"tidelock/apply completed/cancelled: Superseded by a newer commit"}},
		{"superseded while it was applied", posted(status(all["applying"], run.Outdated), PlanCheck, ApplyCheck), []string{"tidelock/apply in_progress: Applying"}},
		{"a merge queue's commit", group, []string{"tidelock/plan completed/success: " + plan}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := spelled(Checks(c.view))
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

// GitHub takes three buttons, with labels of 20 and descriptions of 40
// characters.
func TestGitHub10_ButtonsFit(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range scenes() {
		for _, settle := range []bool{false, true} {
			v.Settings.ApplyBeforeMerge = settle
			for _, k := range Checks(v) {
				if len(k.Actions) > 3 {
					t.Errorf("%d buttons", len(k.Actions))
				}
				for _, a := range k.Actions {
					seen[a.Identifier] = true
					if len(a.Label) > 20 || len(a.Description) > 40 || len(a.Identifier) > 20 {
						t.Errorf("too long: %+v", a)
					}
				}
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("buttons: %v", seen)
	}
}

// The plan's check holds the plans, and what is applied of them takes nothing
// away; who holds a lock stands in it.
func TestPlanCheckShowsThePlans(t *testing.T) {
	check := func(v View) github.Check { return Checks(v)[0] }
	planned, applying := check(scenes()["many"]), check(scenes()["applying"])
	for _, want := range []string{"| `live/app` | +1 ~1 |", "```diff", "aws_security_group_rule.https", "What changes in <code>live/app</code>"} {
		if !strings.Contains(planned.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, planned.Text)
		}
	}
	if want := "🔒 This pull request holds the lock of `live/app`, `live/network` and `live/dns`, since 2026-05-04 12:00 UTC for `ada`."; !strings.Contains(planned.Summary, want) {
		t.Errorf("the summary lacks %q:\n%s", want, planned.Summary)
	}
	if !planned.CompletedAt.Equal(noon.Add(9 * time.Second)) {
		t.Errorf("completed at %v", planned.CompletedAt)
	}
	if strings.Contains(applying.Text, "applying") || !strings.Contains(applying.Text, "📋 planned") {
		t.Errorf("the plan's check follows the apply:\n%s", applying.Text)
	}
	waiting := check(scenes()["waiting"])
	if want := "`network` waits for #3 (`alice`, since 2026-05-04 12:00 UTC)."; !strings.Contains(waiting.Summary, want) {
		t.Errorf("the summary lacks %q:\n%s", want, waiting.Summary)
	}
}

// What GitHub is told while work is under way, and when.
func TestPaceOfProgress(t *testing.T) {
	var at []time.Duration
	for passed := time.Duration(0); len(at) < 8; passed = at[len(at)-1] {
		at = append(at, NextWord(passed))
	}
	want := []time.Duration{4 * time.Second, 30 * time.Second, 90 * time.Second, 210 * time.Second, 450 * time.Second, 930 * time.Second, 1530 * time.Second, 2130 * time.Second}
	for i := range want {
		if at[i] != want[i] {
			t.Fatalf("told at %v, not %v", at, want)
		}
	}
	if got := NextWord(29 * time.Second); got != 30*time.Second {
		t.Errorf("after 29 s the next word is at %v", got)
	}
	busy := scenes()["planning"]
	for _, c := range []struct {
		name string
		view View
		ago  time.Duration
		want Pace
	}{
		{"at once", busy, 0, Pace{Busy: true}},
		{"after 3 s", busy, 3 * time.Second, Pace{Busy: true}},
		{"after 4 s", busy, 4 * time.Second, Pace{Busy: true, Check: true}},
		{"after 29 s", busy, 29 * time.Second, Pace{Busy: true, Check: true}},
		{"after 30 s", busy, 30 * time.Second, Pace{Busy: true, Check: true, Comment: true}},
		{"at rest", scenes()["one"], 0, Pace{Check: true, Comment: true}},
	} {
		if got := PaceOf(c.view, c.view.Now.Add(-c.ago)); got != c.want {
			t.Errorf("%s: %+v, not %+v", c.name, got, c.want)
		}
	}
	waits := queued("network", run.Queued)
	waits.Error = "Somebody else holds the lock of the state."
	if got := PaceOf(scene(only(waits), only(planned("app"))), time.Time{}); got != (Pace{Check: true, Comment: true}) {
		t.Errorf("what waits for somebody else is told at once: %+v", got)
	}
	if got := PaceOf(busy, time.Time{}); got.Check || !got.Busy {
		t.Errorf("nobody has noted when it began: %+v", got)
	}
}

// Which states are worth a comment, with the settings for silence.
func TestWorthAComment(t *testing.T) {
	quiet := func(v View) View {
		v.Settings.QuietUnchanged = true
		return v
	}
	group := scenes()["one"]
	group.Change.GroupRef = "refs/heads/gh-readonly-queue/main/pr-7"
	outdated := scenes()["one"]
	outdated.Change.Status = run.Outdated
	noted := quiet(scenes()["unchanged"])
	noted.Change.Notes = "Look at this."
	for _, c := range []struct {
		name     string
		view     View
		new, old bool // worth a new comment; worth updating the one that is there
	}{
		{"planned", scenes()["one"], true, true},
		{"unchanged", scenes()["unchanged"], true, true},
		{"unchanged, quietly", quiet(scenes()["unchanged"]), false, true},
		{"unchanged, quietly, with notes", noted, true, true},
		{"planning, quietly", quiet(scenes()["planning"]), false, true},
		{"planned, quietly", quiet(scenes()["one"]), true, true},
		{"failed, quietly", quiet(scenes()["failed"]), true, true},
		{"no project", scenes()["empty"], false, true},
		{"closed", scenes()["closed"], false, true},
		{"superseded", outdated, false, false},
		{"a merge queue's", group, false, false},
	} {
		if got := Worth(c.view, false); got != c.new {
			t.Errorf("%s: worth a new comment: %v", c.name, got)
		}
		if got := Worth(c.view, true); got != c.old {
			t.Errorf("%s: worth an update: %v", c.name, got)
		}
	}
}
