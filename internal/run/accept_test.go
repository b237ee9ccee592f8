package run_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

var (
	grace = access.Actor{Kind: access.User, Name: "grace", ID: 2}
	alan  = access.Actor{Kind: access.User, Name: "alan", ID: 3}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func finding(rule string, level policy.Level, pack string) policy.Finding {
	return policy.Finding{Rule: rule, Level: level, Pack: pack, Fingerprint: "f-" + rule, Address: "aws_x." + rule, Message: rule + " is wrong"}
}

// judged is a plan with these findings.
func judged(owners map[string]policy.Owners, findings ...policy.Finding) run.Run {
	r := policy.Report{Verdict: policy.Fail, Findings: findings, Owners: owners}
	for _, f := range findings {
		switch f.Level {
		case policy.Hard:
			r.Hard++
			r.Mandatory++
		case policy.Mandatory:
			r.Mandatory++
		default:
			r.Advisory++
		}
	}
	return run.Run{
		ID: "plan", Client: "c", Repo: 7, Pull: 12, Kind: run.Plan, Status: run.Planned, PlanDigest: "d", Author: "ada", AuthorID: 1, Read: noon, Report: &r,
		Project: planner.Project{Name: "net", Dir: "net", Workspace: "default"},
	}
}

// forPlan and lasting are words about what the rule found; "*" is everything.
func forPlan(who access.Actor, rule string) run.Waiver {
	w := run.Waiver{Client: "c", Key: run.Key{Repo: 7, Dir: "net", Workspace: "default"}, Pull: 12, PlanDigest: "d", Actor: who, Given: noon.Add(-time.Hour)}
	if rule != "*" {
		w.Rule, w.Fingerprint = rule, "f-"+rule
	}
	return w
}

func lasting(who access.Actor, rule string, left time.Duration) run.Waiver {
	w := forPlan(who, rule)
	w.PlanDigest, w.Pull, w.Reason, w.Expires = "", 3, "because", noon.Add(left)
	return w
}

func TestForbidden(t *testing.T) {
	open := finding("open", policy.Mandatory, "")
	wide := finding("wide", policy.Mandatory, "db")
	hard := finding("hard", policy.Hard, "")
	note := finding("note", policy.Advisory, "")
	two := map[string]policy.Owners{"": {Count: 2}}
	twoForDB := map[string]policy.Owners{"db": {Who: []string{"acme/db"}, Count: 2}}
	with := func(r run.Run, words ...run.Waiver) run.Run {
		r.Waivers = words
		return r
	}
	change := func(w run.Waiver, f func(*run.Waiver)) run.Waiver {
		f(&w)
		return w
	}
	for _, tt := range []struct {
		name string
		run  run.Run
		want bool // forbidden
	}{
		{"passed", with(run.Run{Report: &policy.Report{Verdict: policy.Pass}}), false},
		{"warned", with(run.Run{Report: &policy.Report{Verdict: policy.Warn}}), false},
		{"never judged", with(run.Run{}, forPlan(grace, "*")), true},
		{"could not be judged", with(run.Run{Client: "c", Repo: 7, Pull: 12, PlanDigest: "d", Report: &policy.Report{Verdict: policy.Error}}, forPlan(grace, "*")), true},
		{"a verdict that nobody knows", with(run.Run{Client: "c", Repo: 7, Pull: 12, PlanDigest: "d", Report: &policy.Report{Verdict: "fine"}}, forPlan(grace, "*")), true},
		{"nobody said anything", judged(nil, open, note), true},
		{"accepted for this plan", with(judged(nil, open, note), forPlan(grace, "open")), false},
		{"everything accepted for this plan", with(judged(nil, open, wide, note), forPlan(grace, "*")), false},
		{"accepted for a while", with(judged(nil, open), lasting(grace, "open", time.Hour)), false},
		{"one of two findings", with(judged(nil, open, wide), forPlan(grace, "open")), true},
		{"both, by different people", with(judged(nil, open, wide), forPlan(grace, "open"), lasting(alan, "wide", time.Hour)), false},
		{"the author", with(judged(nil, open), forPlan(ada, "open")), true},
		{"the author by another name", with(judged(nil, open), forPlan(access.Actor{Kind: access.User, Name: "ada-lovelace", ID: 1}, "open")), true},
		{"somebody who got the author's old name", with(judged(nil, open), forPlan(access.Actor{Kind: access.User, Name: "ada", ID: 9}, "open")), false},
		{"the author, of a lasting word of an earlier pull", with(judged(nil, open), lasting(ada, "open", time.Hour)), true},
		{"one of two owners", with(judged(two, open), forPlan(grace, "open")), true},
		{"one of two owners, twice", with(judged(two, open), forPlan(grace, "open"), lasting(grace, "open", time.Hour), forPlan(grace, "*")), true},
		{"one of two owners, and the author", with(judged(two, open), forPlan(grace, "open"), forPlan(ada, "open")), true},
		{"two of two owners", with(judged(two, open), forPlan(grace, "open"), lasting(alan, "open", time.Hour)), false},
		{"two of two owners, one of whom has expired", with(judged(two, open), forPlan(grace, "open"), lasting(alan, "open", 0)), true},
		{"one for most, two for a pack", with(judged(twoForDB, open, wide), forPlan(grace, "*")), true},
		{"one for most, two for a pack, who are there", with(judged(twoForDB, open, wide), forPlan(grace, "*"), forPlan(alan, "wide")), false},
		{"expired at this moment", with(judged(nil, open), lasting(grace, "open", 0)), true},
		{"expires after this moment", with(judged(nil, open), lasting(grace, "open", time.Millisecond)), false},
		{"expires, and nobody knows the time", change2(with(judged(nil, open), lasting(grace, "open", time.Hour)), func(r *run.Run) { r.Read = time.Time{} }), true},
		{"a lasting word without an end", with(judged(nil, open), change(lasting(grace, "open", 0), func(w *run.Waiver) { w.Expires = time.Time{} })), true},
		{"a lasting word for everything", with(judged(nil, open), lasting(grace, "*", time.Hour)), true},
		{"revoked", with(judged(nil, open), change(forPlan(grace, "open"), func(w *run.Waiver) { w.Ended = run.Revoked })), true},
		{"seen to be expired, and the clock went back", with(judged(nil, open), change(lasting(grace, "open", time.Hour), func(w *run.Waiver) { w.Ended = run.Expired })), true},
		{"a finding that can't be told from others", with(judged(nil, policy.Finding{Rule: "old", Level: policy.Mandatory}), forPlan(grace, "open")), true},
		{"one of those, accepted with its plan", with(judged(nil, policy.Finding{Rule: "old", Level: policy.Mandatory}), forPlan(grace, "*")), false},
		{"more than the report lists", change2(with(judged(nil, open), forPlan(grace, "open")), func(r *run.Run) { r.Report.Mandatory, r.Report.Omitted = 3, 2 }), true},
		{"more than the report lists, accepted whole", change2(with(judged(nil, open), forPlan(grace, "*")), func(r *run.Run) { r.Report.Mandatory, r.Report.Omitted = 3, 2 }), false},
		{"more than the report lists, of a pack that takes two", change2(with(judged(twoForDB, open), forPlan(grace, "*")), func(r *run.Run) { r.Report.Mandatory, r.Report.Omitted = 3, 2 }), true},
		{"more than the report lists, all of it advice", change2(with(judged(nil, open), forPlan(grace, "open")), func(r *run.Run) { r.Report.Omitted = 2 }), false},
		{"it fails and does not say why", with(judged(nil), forPlan(grace, "open")), true},
		{"it fails and does not say why, accepted whole", with(judged(nil), forPlan(grace, "*")), false},
		{"hard beside accepted", with(judged(nil, open, hard), forPlan(grace, "*"), forPlan(alan, "*")), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.run.Forbidden(); got != tt.want {
				t.Errorf("forbidden: %v, want %v; %+v", got, tt.want, tt.run.Standing())
			}
		})
	}
}

func change2(r run.Run, f func(*run.Run)) run.Run {
	f(&r)
	return r
}

// Nobody's word, in whatever form and number, opens what a hard rule found.
func TestThreat_NobodyAcceptsAHardFinding(t *testing.T) {
	hard := finding("hard", policy.Hard, "")
	for _, listed := range []bool{true, false} {
		r := judged(map[string]policy.Owners{"": {Count: 1}}, hard)
		if !listed { // beyond what the report has room for
			r.Report.Findings = nil
		}
		for i := range 50 {
			who := access.Actor{Kind: access.User, Name: fmt.Sprint("u", i), ID: int64(100 + i)}
			r.Waivers = append(r.Waivers, forPlan(who, "hard"), forPlan(who, "*"), lasting(who, "hard", time.Hour))
		}
		if s := r.Standing(); !r.Forbidden() || s.Open() == 0 || s.Hard != 1 {
			t.Errorf("listed %v: %+v", listed, s)
		}
	}
	// The count of hard findings says nothing, and the finding itself does.
	r := judged(nil, hard)
	r.Report.Hard, r.Waivers = 0, []run.Waiver{forPlan(grace, "*"), forPlan(grace, "hard")}
	if !r.Forbidden() {
		t.Error("a hard finding passes where the report does not count it")
	}
}

// A word opens nothing but what it was given for.
func TestThreat_WaiverOpensNothingElsewhere(t *testing.T) {
	for name, change := range map[string]func(*run.Waiver){
		"client":     func(w *run.Waiver) { w.Client = "other" },
		"repository": func(w *run.Waiver) { w.Repo = 8 },
		"directory":  func(w *run.Waiver) { w.Dir = "net/other" },
		"workspace":  func(w *run.Waiver) { w.Workspace = "prod" },
		"finding":    func(w *run.Waiver) { w.Fingerprint = "f-other" },
		"plan, or forever": func(w *run.Waiver) {
			w.PlanDigest = map[bool]string{true: "", false: "d2"}[w.PlanDigest == ""]
			w.Expires = time.Time{}
		},
	} {
		for kind, w := range map[string]run.Waiver{"plan": forPlan(grace, "open"), "lasting": lasting(grace, "open", time.Hour)} {
			r := judged(nil, finding("open", policy.Mandatory, ""))
			r.Waivers = []run.Waiver{w}
			if r.Forbidden() {
				t.Fatal("it opens nothing at all")
			}
			change(&r.Waivers[0])
			if !r.Forbidden() {
				t.Errorf("a %s word of another %s opens the plan", kind, name)
			}
		}
	}
	other := forPlan(grace, "open")
	other.Pull = 13
	r := judged(nil, finding("open", policy.Mandatory, ""))
	if r.Waivers = []run.Waiver{other}; !r.Forbidden() {
		t.Error("a word for a plan opens the same plan of another pull")
	}
}

// Until is when the first of what is accepted is so no more: with more owners
// than are needed, those who said it for longest count.
func TestStandingUntil(t *testing.T) {
	two := map[string]policy.Owners{"": {Count: 2}}
	open, wide := finding("open", policy.Mandatory, ""), finding("wide", policy.Mandatory, "")
	r := judged(two, open, wide)
	r.Waivers = []run.Waiver{
		lasting(grace, "open", 5*time.Hour), lasting(alan, "open", 2*time.Hour), lasting(access.Actor{Name: "eve", ID: 4}, "open", 3*time.Hour),
		forPlan(grace, "wide"), forPlan(alan, "wide"),
	}
	s := r.Standing()
	if got := s.Until().Sub(noon); got != 3*time.Hour {
		t.Errorf("it stands for %s", got)
	}
	if !s.Findings[1].Until().IsZero() || s.Accepted() != 2 || s.Open() != 0 || len(s.By()) != 3 {
		t.Errorf("%+v", s)
	}
	later := run.StandingOf(r, noon.Add(3*time.Hour))
	if later.Open() != 1 || len(later.Findings[0].By) != 1 || len(later.Findings[0].Lapsed) != 2 || later.Findings[0].Lapsed[0].Actor.Name != "eve" {
		t.Errorf("afterwards %+v", later.Findings[0])
	}
}

// What somebody is about to say is reckoned without saying it.
func TestSpoken(t *testing.T) {
	open := finding("open", policy.Mandatory, "")
	plan := judged(map[string]policy.Owners{"": {Count: 2}}, open)
	plan.Waivers = []run.Waiver{forPlan(grace, "open")}
	word := run.Word{Plan: plan, Findings: []policy.Finding{open}, Actor: alan}
	if got := word.Spoken(noon); got.Forbidden() || !plan.Forbidden() || len(plan.Waivers) != 1 {
		t.Errorf("spoken %+v", got.Standing())
	}
}
