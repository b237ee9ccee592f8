package gate

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// some returns a few of the names.
func some(r *rand.Rand, names ...string) []string {
	var out []string
	for _, n := range names {
		if r.IntN(3) == 0 {
			out = append(out, n)
		}
	}
	return out
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func anyRules(r *rand.Rand) Rules {
	yes := func() bool { return r.IntN(3) == 0 }
	out := Rules{
		Approvals: pick(r, 0, 0, 1, 2, -1), CodeOwners: yes(), Mergeable: yes(), UpToDate: yes(), Policies: yes(),
		Checks: some(r, "*", "ci/*", "lint", "["), Labels: some(r, "a", "b", "A"), WithoutLabels: some(r, "b", "c"),
		Role:   pick(r, "", "", "read", "triage", "write", "maintain", "admin", "king"),
		People: People{Users: some(r, "alice", "bob"), Teams: some(r, "acme/platform", "acme/other")},
		Off:    some(r, Approvals, CodeOwners),
	}
	if yes() {
		out.MaxMonthlyCost = pick(r, usd("0"), usd("10"), usd("99.5"))
	}
	if yes() {
		out.Also = []People{{Users: some(r, "alice", "carol")}, {Teams: some(r, "acme/platform")}}
	}
	for _, e := range some(r, "plan.delete == 0", "pull.title != ''", "1 / plan.delete > 0", "nonsense(", "actor.memberOf('acme/other')") {
		out.Expressions = append(out.Expressions, Expression{Name: pick(r, "x", "y"), Expr: e})
	}
	return out
}

func anySet(r *rand.Rand) Set {
	return Set{Plan: anyRules(r), Apply: anyRules(r), Destroy: anyRules(r)}
}

// anyFacts returns facts that are mostly such that gates open, with some
// missing.
func anyFacts(r *rand.Rand) Facts {
	rare := func() bool { return r.IntN(8) == 0 }
	f := good()
	f.Actor.Login = pick(r, "alice", "alice", "bob", "carol")
	f.Actor.Role = pick(r, "admin", "admin", "maintain", "write", "read", "")
	f.Actor.Teams = map[string]bool{}
	for _, t := range []string{"acme/platform", "acme/other"} {
		if !rare() {
			f.Actor.Teams[t] = r.IntN(4) > 0
		}
	}
	f.Pull.Labels = some(r, "a", "b", "c")
	if r.IntN(2) == 0 {
		f.Pull.Labels = []string{"a"}
	}
	f.Reviews.ApprovedBy = f.Reviews.ApprovedBy[:pick(r, 2, 2, 1, 0)]
	f.Cost.Delta = ptr(decimal.NewFromInt(int64(r.IntN(120) - 20)))
	f.Plan.Delete = r.IntN(2)
	f.Policy.Verdict = pick(r, "pass", "pass", "fail", "")
	if rare() {
		f.Checks.Failed = []string{"lint"}
	}
	for _, take := range []func(){func() { f.Reviews = nil }, func() { f.Owners = nil }, func() { f.Checks = nil }, func() { f.Plan = nil },
		func() { f.Policy = nil }, func() { f.Cost = nil }, func() { f.Pull.Behind = nil }, func() { f.Pull.Mergeable = nil }} {
		if rare() {
			take()
		}
	}
	return f
}

// TestThreat_RepositoryCanOnlyTighten: whatever a repository asks for, its
// gates open only where the server's floor does. They open exactly where both
// open each alone.
func TestThreat_RepositoryCanOnlyTighten(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 14))
	opened, closed := 0, 0
	for i := range 2_500 {
		floor, repo, f := anySet(r), anySet(r), anyFacts(r)
		if r.IntN(2) == 0 { // gates of few rules, that open now and then
			floor = Set{Apply: Rules{Approvals: floor.Apply.Approvals, Labels: floor.Apply.Labels, People: floor.Apply.People}}
			repo = Set{Apply: Rules{Role: repo.Apply.Role, WithoutLabels: repo.Apply.WithoutLabels, People: repo.Apply.People, Also: repo.Apply.Also}}
		}
		both := floor.Tighten(repo)
		for _, act := range Acts() {
			is := func(s Set) bool { return len(Closed(Evaluate(s.Of(act), f))) == 0 }
			got, want := is(both), is(floor) && is(repo)
			if got != want {
				t.Fatalf("case %d, %s: together open %v, floor %v, repository %v\nfloor %+v\nrepository %+v\nfacts %+v", i, act, got, is(floor), is(repo), floor, repo, f)
			}
			if got {
				opened++
			} else {
				closed++
			}
			if is(Set{Apply: both.Apply, Destroy: both.Destroy}) && act == ActDestroy && len(Closed(Evaluate(both.Of(ActApply), f))) > 0 {
				t.Fatalf("case %d: a destroy gets around the gates of the apply", i)
			}
		}
		if again := both.Tighten(repo); !reflect.DeepEqual(again, both) {
			t.Fatalf("case %d: tightened twice is another thing:\n%+v\n%+v", i, both, again)
		}
	}
	if opened < 200 || closed < 200 {
		t.Errorf("the cases prove little: %d open, %d closed", opened, closed)
	}
}

func TestTightenLeavesItsArgumentsAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		floor, repo := anySet(r), anySet(r)
		before, err := json.Marshal([]Set{floor, repo})
		if err != nil {
			t.Fatal(err)
		}
		tight := floor.Tighten(repo)
		tight.Apply.Checks = append(tight.Apply.Checks, "more")
		floor.Loosens(repo)
		floor.Of(ActDestroy)
		after, err := json.Marshal([]Set{floor, repo})
		if err != nil || string(before) != string(after) {
			t.Fatalf("%v\n%s\n%s", err, before, after)
		}
	}
}

func TestRulesComeBackFromJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		s := anySet(r)
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Set
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(text) {
			t.Fatalf("%v\n%s\n%s", err, text, again)
		}
	}
}

func TestLoosens(t *testing.T) {
	floor := Set{Apply: Rules{Approvals: 2, CodeOwners: true, MaxMonthlyCost: usd("100"), Role: "maintain", People: People{Users: []string{"alice"}}}}
	for _, c := range []struct {
		wish Rules
		want string // "" is nothing
	}{
		{Rules{}, ""},
		{Rules{Approvals: 3, Role: "admin", MaxMonthlyCost: usd("50"), People: People{Users: []string{"Alice"}}}, ""},
		{Rules{Approvals: 1}, `Gate "apply": approvals = 1 asks for fewer reviews than the server, which wants 2.`},
		{Rules{Off: []string{CodeOwners, UpToDate}}, `Gate "apply": code_owners is turned off here, but the server asks for it.`},
		{Rules{MaxMonthlyCost: usd("500")}, `Gate "apply": max_monthly_cost_increase = 500 lets more through than the server, whose limit is 100.`},
		{Rules{Role: "write"}, `Gate "apply": role = "write" is less than the server asks for, which is "maintain".`},
		{Rules{People: People{Users: []string{"alice", "zoe"}, Teams: []string{"a/b"}}}, "Gate \"apply\": the server does not let `zoe` and `a/b` through, so naming them here changes nothing."},
	} {
		if got := strings.Join(floor.Loosens(Set{Apply: c.wish}), "\n"); got != c.want {
			t.Errorf("%+v: %q, want %q", c.wish, got, c.want)
		}
	}
}

func TestWithFloor(t *testing.T) {
	s := Set{Apply: Rules{Approvals: 1}}.WithFloor(2)
	if !s.Apply.Policies || !s.Destroy.Policies || s.Plan.Policies || s.Apply.Approvals != 2 || s.Of(ActDestroy).Approvals != 2 {
		t.Errorf("%+v", s)
	}
	if v := Evaluate(s.Of("grow"), good()); len(Closed(v)) == 0 {
		t.Error("an act that nobody knows has no closed gate")
	}
}
