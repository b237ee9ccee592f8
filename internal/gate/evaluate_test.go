package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func ptr[T any](v T) *T { return &v }

func usd(s string) *decimal.Decimal { return ptr(decimal.RequireFromString(s)) }

const head = "abc1234def5678"

// good returns facts under which every gate of strict is open.
func good() Facts {
	return Facts{
		Now:   time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC), // a Wednesday
		Actor: Actor{Login: "alice", ID: 1, Role: "maintain", Teams: map[string]bool{"acme/platform": true, "acme/network": false}},
		Pull: Pull{Number: 7, Title: "Add a bucket", Author: "bob", AuthorID: 2, HeadSHA: head, HeadRef: "bucket", BaseSHA: "ba5e", BaseRef: "main",
			Labels: []string{"Approved-By-Finance"}, Open: true, Mergeable: ptr(true), Behind: ptr(0)},
		Reviews: &Reviews{HeadSHA: head, ApprovedBy: []Person{{Login: "alice", ID: 1, Role: "maintain"}, {Login: "carol", ID: 3, Role: "write"}}},
		Owners: &Owners{Files: []OwnedFile{{"net/main.tf", []string{"@acme/network"}}, {"iam.tf", []string{"@Carol", "x@example.com"}}},
			Members: map[string]map[string]bool{"acme/network": {"carol": true}}},
		Checks: &CheckResults{HeadSHA: head, Passed: []string{"ci/build", "ci/test", "lint"}},
		Plan: &Plan{Project: "net", Dir: "net", Workspace: "default", Create: 1, Digest: "d1", Serial: 4,
			Resources: []Resource{{"aws_s3_bucket.logs", "aws_s3_bucket", "create"}}},
		Policy: &Policy{Verdict: "pass"},
		Cost:   &CostChange{Before: usd("100"), After: usd("140.5"), Delta: usd("40.5"), Known: true},

		Budgets: &BudgetsSay{},
	}
}

// strict asks for everything.
func strict() Rules {
	return Rules{
		Approvals: 2, CodeOwners: true, Mergeable: true, Checks: []string{"ci/*", "lint"}, UpToDate: true, Policies: true, Budgets: true,
		MaxMonthlyCost: usd("50"), Labels: []string{"approved-by-finance"}, WithoutLabels: []string{"do-not-apply"}, Role: "maintain",
		People:      People{Users: []string{"Zoe"}, Teams: []string{"acme/platform"}},
		Expressions: []Expression{{Name: "few", Expr: "plan.create < 3", Message: "Make it smaller.", Pos: "tidelock.hcl:9"}},
	}
}

func TestEverythingOpen(t *testing.T) {
	all := Evaluate(strict(), good())
	if closed := Closed(all); len(closed) > 0 {
		t.Fatalf("closed: %+v", closed)
	}
	var order []string
	for _, v := range all {
		order = append(order, v.Gate)
		if v.Why == "" {
			t.Errorf("%s says nothing", v.Gate)
		}
	}
	if got, want := strings.Join(order, " "), strings.Join(append(names, "few"), " "); got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	if v := Evaluate(Rules{}, Facts{}); len(v) != 0 {
		t.Errorf("nothing was asked for: %+v", v)
	}
}

// TestNothingKnownKeepsEveryGateClosed takes all facts away.
func TestNothingKnownKeepsEveryGateClosed(t *testing.T) {
	for _, v := range Evaluate(strict(), Facts{}) {
		if v.Open {
			t.Errorf("%s is open although nothing is known: %s", v.Gate, v.Why)
		}
	}
}

// TestEachFactTakenAwayClosesItsGate takes one fact away at a time and finds
// just the gates closed that look at it.
func TestEachFactTakenAwayClosesItsGate(t *testing.T) {
	for _, c := range []struct {
		name   string
		take   func(f *Facts)
		closed string
	}{
		{"reviews", func(f *Facts) { f.Reviews = nil }, Approvals + " " + CodeOwners},
		{"reviews of another head", func(f *Facts) { f.Reviews.HeadSHA = "old" }, Approvals + " " + CodeOwners},
		{"owners", func(f *Facts) { f.Owners = nil }, CodeOwners},
		{"membership of owners", func(f *Facts) { f.Owners.Members = nil }, CodeOwners},
		{"mergeable", func(f *Facts) { f.Pull.Mergeable = nil }, Mergeable},
		{"checks", func(f *Facts) { f.Checks = nil }, Checks},
		{"checks of another head", func(f *Facts) { f.Checks.HeadSHA = "old" }, Checks},
		{"behind", func(f *Facts) { f.Pull.Behind = nil }, UpToDate},
		{"policy", func(f *Facts) { f.Policy = nil }, Policies},
		{"cost", func(f *Facts) { f.Cost = nil }, Cost},
		{"difference", func(f *Facts) { f.Cost.Delta = nil }, Cost},
		{"part of the cost", func(f *Facts) { f.Cost.Known = false }, Cost},
		{"role", func(f *Facts) { f.Actor.Role = "" }, Role},
		{"teams", func(f *Facts) { f.Actor.Teams = nil }, Users},
		{"plan", func(f *Facts) { f.Plan = nil }, "few"},
		{"actor", func(f *Facts) { f.Actor = Actor{} }, Role + " " + Users},
		{"roles of reviewers", func(f *Facts) { f.Reviews.ApprovedBy[0].Role, f.Reviews.ApprovedBy[1].Role = "", "" }, Approvals + " " + CodeOwners},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			c.take(&f)
			var got []string
			for _, v := range Closed(Evaluate(strict(), f)) {
				got = append(got, v.Gate)
			}
			if strings.Join(got, " ") != c.closed {
				t.Errorf("closed %v, want %s", got, c.closed)
			}
		})
	}
}

// TestGates goes through each gate, open and closed, with what is said.
func TestGates(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules Rules
		facts func(f *Facts)
		want  string // part of the sentence
		open  bool
	}{
		{"two of two", Rules{Approvals: 2}, nil, "2 approving reviews of `abc1234`: `alice` and `carol`", true},
		{"two of three", Rules{Approvals: 3}, nil, "It needs 3 approving reviews of `abc1234`, and has 2 (`alice` and `carol`). Anyone with write access but the author `bob` can approve the pull request on GitHub.", false},
		{"none", Rules{Approvals: 1}, func(f *Facts) { f.Reviews.ApprovedBy = nil }, "It needs 1 approving review of `abc1234`, and has none.", false},
		{"changes asked for", Rules{Approvals: 1}, func(f *Facts) { f.Reviews.Against = []Person{{Login: "dave", ID: 9, Role: "write"}} }, "`dave` asks for changes. `dave` can approve, or", false},
		{"changes asked for by nobody known", Rules{Approvals: 1}, func(f *Facts) { f.Reviews.Against = []Person{{Login: "dave", ID: 9}} }, "`dave` asks for changes", false},
		{"changes asked for by a reader", Rules{Approvals: 1}, func(f *Facts) { f.Reviews.Against = []Person{{Login: "dave", ID: 9, Role: "read"}} }, "", true},
		{"the same person twice", Rules{Approvals: 2}, func(f *Facts) { f.Reviews.ApprovedBy[1] = f.Reviews.ApprovedBy[0] }, "has 1 (`alice`)", false},
		{"stale ones are named", Rules{Approvals: 3}, func(f *Facts) { f.Reviews.Stale = []Person{{Login: "erin", ID: 5, Role: "admin"}} }, "What `erin` approved was an older commit.", false},

		{"owners", Rules{CodeOwners: true}, nil, "The owners have approved 2 changed files.", true},
		{"no file is owned", Rules{CodeOwners: true}, func(f *Facts) { f.Owners.Files = []OwnedFile{{Path: "x.tf"}} }, "No changed file has an owner", true},
		{"an owner is missing", Rules{CodeOwners: true}, func(f *Facts) { f.Reviews.ApprovedBy = f.Reviews.ApprovedBy[:1] }, "No owner of `net/main.tf` and `iam.tf` has approved `abc1234`. Each file's owner (`acme/network`, `Carol` and `x@example.com`) can approve", false},
		{"an e-mail address owns it", Rules{CodeOwners: true}, func(f *Facts) { f.Owners.Files = []OwnedFile{{"x.tf", []string{"carol@example.com"}}} }, "can name logins or teams in CODEOWNERS", false},

		{"conflict", Rules{Mergeable: true}, func(f *Facts) { f.Pull.Mergeable = ptr(false) }, "It conflicts with `main`.", false},
		{"merged", Rules{Mergeable: true, UpToDate: true}, func(f *Facts) { f.Pull.Merged, f.Pull.Mergeable, f.Pull.Behind = true, nil, nil }, "It is merged.", true},
		{"behind", Rules{UpToDate: true}, func(f *Facts) { f.Pull.Behind = ptr(3) }, "It lacks 3 commits of `main`.", false},

		{"every check", Rules{Checks: []string{"*"}}, nil, "3 checks passed.", true},
		{"no check at all", Rules{Checks: []string{"*"}}, func(f *Facts) { f.Checks.Passed = nil }, "Nothing has reported to `abc1234` as `*` yet.", false},
		{"one failed", Rules{Checks: []string{"*"}}, func(f *Facts) { f.Checks.Failed = []string{"e2e"} }, "Failed: `e2e`.", false},
		{"one that nobody asked for failed", Rules{Checks: []string{"ci/*"}}, func(f *Facts) { f.Checks.Failed = []string{"e2e"} }, "", true},
		{"one is not done", Rules{Checks: []string{"ci/*"}}, func(f *Facts) { f.Checks.Pending = []string{"ci/slow"} }, "Not finished yet: `ci/slow`.", false},
		{"failed and passed", Rules{Checks: []string{"lint"}}, func(f *Facts) { f.Checks.Failed = []string{"lint"} }, "Failed: `lint`", false},
		{"never reported", Rules{Checks: []string{"lint", "sec/*"}}, nil, "as `sec/*` yet", false},
		{"name with brackets", Rules{Checks: []string{"build [fast]"}}, func(f *Facts) { f.Checks.Passed = []string{"build [fast]"} }, "", true},
		{"star does not cross a slash", Rules{Checks: []string{"ci/*"}}, func(f *Facts) { f.Checks.Passed = []string{"ci/a/b"} }, "as `ci/*` yet", false},

		{"warnings pass", Rules{Policies: true}, func(f *Facts) { f.Policy.Verdict = "warn" }, "", true},
		{"findings", Rules{Policies: true}, func(f *Facts) { f.Policy.Verdict = "fail" }, "A policy forbids the plan. Whoever may approve policies can comment `approve-policies`", false},
		{"findings approved", Rules{Policies: true}, func(f *Facts) { f.Policy = &Policy{Verdict: "fail", Waived: true} }, "were approved", true},
		{"hard findings", Rules{Policies: true}, func(f *Facts) { f.Policy = &Policy{Verdict: "fail", Hard: 1} }, "nobody can accept", false},
		{"hard findings, and somebody says that they are approved", Rules{Policies: true}, func(f *Facts) { f.Policy = &Policy{Verdict: "fail", Waived: true, Hard: 1} }, "nobody can accept", false},
		{"not judged, and approved", Rules{Policies: true}, func(f *Facts) { f.Policy = &Policy{Verdict: "error", Waived: true} }, "could not judge", false},
		{"no verdict", Rules{Policies: true}, func(f *Facts) { f.Policy = &Policy{} }, "could not judge", false},

		{"within the limit", Rules{MaxMonthlyCost: usd("40.5")}, nil, "40.50 USD a month more", true},
		{"above it", Rules{MaxMonthlyCost: usd("40.49")}, nil, "It costs 40.50 USD a month more, and the limit is 40.49.", false},
		{"cheaper", Rules{MaxMonthlyCost: usd("0")}, func(f *Facts) { f.Cost.Delta = usd("-3") }, "", true},

		{"label of another case", Rules{Labels: []string{"APPROVED-by-finance"}}, nil, "", true},
		{"label missing", Rules{Labels: []string{"approved-by-finance", "ready"}}, nil, "It lacks the label `ready`. Anyone with triage access can add", false},
		{"label that forbids", Rules{WithoutLabels: []string{"approved-by-FINANCE"}}, nil, "forbids this. Anyone with triage access can remove", false},

		{"role", Rules{Role: "admin"}, nil, "It needs the role `admin`, and `alice` has `maintain`. Anyone with the role `admin` or a higher one can give the command.", false},
		{"role that nobody knows", Rules{Role: "read"}, func(f *Facts) { f.Actor.Role = "deployer" }, "`alice` has `deployer`", false},
		{"rule of a role that nobody knows", Rules{Role: "root"}, func(f *Facts) { f.Actor.Role = "root" }, "which does not exist", false},
		{"user", Rules{People: People{Users: []string{"ALICE"}}}, func(f *Facts) { f.Actor.Teams = nil }, "`alice` may do this", true},
		{"another user", Rules{People: People{Users: []string{"zoe"}}}, nil, "`alice` is not among those who may do this. `zoe` can give the command.", false},
		{"not of the team", Rules{People: People{Users: []string{"zoe"}, Teams: []string{"acme/network"}}}, nil, "`zoe` and members of `acme/network` can give", false},
		{"one list lets through, another does not", Rules{People: People{Users: []string{"alice"}}, Also: []People{{Users: []string{"zoe"}}}}, nil, "`alice` is not among", false},

		{"expression", Rules{Expressions: []Expression{{Name: "small", Expr: "plan.create > 5", Message: "Make it *large*, @bob.", Pos: "t.hcl:3"}}}, nil,
			"Make it \\*large\\*, @\u2060bob. The rule `small` (`t.hcl:3`) is not met. Whoever owns the rule can", false},
		{"expression that fails", Rules{Expressions: []Expression{{Name: "x", Expr: "plan.resources[5].type == 'a'"}}}, nil, "could not be judged: index out of bounds", false},
		{"expression that is none", Rules{Expressions: []Expression{{Name: "x", Expr: "plan."}}}, nil, "can't be read", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			if c.facts != nil {
				c.facts(&f)
			}
			all := Evaluate(c.rules, f)
			open := len(Closed(all)) == 0
			said := Sentence(all[0])
			if open != c.open || !strings.Contains(said, c.want) {
				t.Errorf("open %v, %q; want %v, %q", open, said, c.open, c.want)
			}
		})
	}
}

// An approval counts only of the head, by a person who may write and is not
// the author: the latest decisive review, the role from the permission API.
func TestGitHub13_OnlyWritersApprove(t *testing.T) {
	for _, role := range []string{"", "none", "read", "triage", "contributor", "MEMBER"} {
		approve(t, Person{Login: "carol", ID: 3, Role: role}, false)
	}
	for _, role := range []string{"write", "maintain", "admin"} {
		approve(t, Person{Login: "carol", ID: 3, Role: role}, true)
	}
}

func TestThreat_AuthorAndBotsDontApprove(t *testing.T) {
	approve(t, Person{Login: "bob", ID: 2, Role: "admin"}, false)
	approve(t, Person{Login: "renamed", ID: 2, Role: "admin"}, false)
	approve(t, Person{Login: "BOB", ID: 0, Role: "admin"}, false)
	approve(t, Person{Login: "helper[bot]", ID: 9, Role: "write", Bot: true}, false)
}

func TestGitHub19_WhoAsksForChangesDoesNotApprove(t *testing.T) {
	f := good()
	f.Reviews.Against = []Person{{Login: "carol", ID: 3, Role: "write"}}
	if n := len(counting(f)); n != 1 {
		t.Errorf("%d approvals count, want alice's alone", n)
	}
	f.Reviews = &Reviews{HeadSHA: head, Stale: []Person{{Login: "carol", ID: 3, Role: "admin"}}}
	if v := Evaluate(Rules{Approvals: 1}, f)[0]; v.Open {
		t.Errorf("an approval of an older head opens: %s", v.Why)
	}
}

func approve(t *testing.T, p Person, open bool) {
	t.Helper()
	f := good()
	f.Reviews.ApprovedBy = []Person{p}
	f.Owners.Files = []OwnedFile{{"x.tf", []string{"@" + p.Login}}}
	for _, v := range Evaluate(Rules{Approvals: 1, CodeOwners: true}, f) {
		if v.Open != open {
			t.Errorf("%+v: %s open %v", p, v.Gate, v.Open)
		}
	}
}

func TestGitHub14_MembershipThatWasNotAskedForIsNone(t *testing.T) {
	f := good()
	r := Rules{People: People{Teams: []string{"Acme/Platform"}}}
	if v := Evaluate(r, f)[0]; !v.Open {
		t.Errorf("a member: %s", v.Why)
	}
	if got := r.Needs().Teams; len(got) != 1 || got[0] != "acme/platform" {
		t.Errorf("teams to ask about: %v", got)
	}
	f.Actor.Teams = map[string]bool{"acme/platform": false}
	if v := Evaluate(r, f)[0]; v.Open || !strings.Contains(v.Why, "not among") {
		t.Errorf("no member: %+v", v)
	}
}

func TestNeeds(t *testing.T) {
	for _, c := range []struct {
		rules Rules
		want  Need
	}{
		{Rules{Labels: []string{"x"}, Policies: true, MaxMonthlyCost: usd("1")}, Need{}},
		{Rules{Approvals: 1}, Need{Reviews: true}},
		{Rules{CodeOwners: true}, Need{Reviews: true, Owners: true}},
		{Rules{Checks: []string{"*"}, UpToDate: true, Mergeable: true, Role: "write"}, Need{Checks: true, Compare: true, Mergeable: true, Role: true}},
		{Rules{Expressions: []Expression{{Expr: "pull.behind == 0 || pull.mergeable"}, {Expr: "checks.failed.size() == 0"}, {Expr: "actor.role == 'x'"},
			{Expr: "!actor.memberOf('Acme/Interns')"}, {Expr: "pull.approvals > 2"}}},
			Need{Compare: true, Mergeable: true, Checks: true, Role: true, Reviews: true, Teams: []string{"acme/interns"}}},
		{Rules{Expressions: []Expression{{Expr: "has(pull.behind)"}, {Expr: "broken("}}}, Need{Compare: true}},
	} {
		got := c.rules.Needs()
		if got.Role != c.want.Role || got.Reviews != c.want.Reviews || got.Owners != c.want.Owners || got.Checks != c.want.Checks ||
			got.Compare != c.want.Compare || got.Mergeable != c.want.Mergeable || strings.Join(got.Teams, " ") != strings.Join(c.want.Teams, " ") {
			t.Errorf("%+v needs %+v, want %+v", c.rules, got, c.want)
		}
	}
}

func TestCheckResults(t *testing.T) {
	var c CheckResults
	for _, r := range [][3]string{
		{"a", "completed", "success"}, {"b", "completed", "neutral"}, {"c", "completed", "skipped"}, {"d", "completed", "cancelled"},
		{"e", "in_progress", ""}, {"f", "SUCCESS", ""}, {"g", "pending", ""}, {"h", "error", ""}, {"i", "completed", ""}, {"j", "queued", ""},
		{"k", "completed", "stale"}, {"l", "", ""},
	} {
		c.Add(r[0], r[1], r[2])
	}
	if got := strings.Join(c.Passed, "") + " " + strings.Join(c.Pending, "") + " " + strings.Join(c.Failed, ""); got != "abcf egj dhikl" {
		t.Errorf("passed, pending, failed: %s", got)
	}
}

func TestThreat_HugeListsAndHostileTexts(t *testing.T) {
	f := good()
	f.Pull.Labels = nil
	for range 50_000 {
		f.Pull.Labels = append(f.Pull.Labels, strings.Repeat("l", 200)+"`\n# @everyone <!-- x -->")
	}
	f.Checks.Failed = f.Pull.Labels
	f.Pull.Author = "`x` @all\n[a](http://b)"
	f.Actor.Login = "\u202eevil\x00"
	r := strict()
	r.Approvals, r.WithoutLabels = 5, f.Pull.Labels[:1]
	r.Checks = []string{"*"}
	r.Expressions = append(r.Expressions, Expression{Name: "x", Expr: "false", Message: "<script> @all `code` <!-- tidelock -->\r\n\x1b[31m"})
	for _, v := range Evaluate(r, f) {
		s := Sentence(v)
		if len(s) > 3000 || strings.ContainsAny(s, "\n\r\x00\x1b\u202e") || strings.Contains(s, "<!--") || strings.Contains(s, "@all\n") || strings.Count(s, "`")%2 != strings.Count(s, "\\`")%2 {
			t.Errorf("%s: %q", v.Gate, s)
		}
	}
}
