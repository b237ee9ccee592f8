package bot

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// judgedPlan is a plan of the project that policies forbid for these findings.
func judgedPlan(name string, owners map[string]policy.Owners, findings ...policy.Finding) run.Pair {
	report := policy.Report{Verdict: policy.Fail, Findings: findings, Owners: owners}
	for i := range findings {
		f := &findings[i]
		f.Address, f.Message = "aws_x."+f.Rule, "It is wrong."
		if f.Fingerprint == "" {
			f.Fingerprint = "f-" + f.Rule
		}
		switch f.Level {
		case "":
			f.Level = policy.Mandatory
			report.Mandatory++
		case policy.Hard:
			report.Hard++
			report.Mandatory++
		}
	}
	return run.Pair{Plan: &run.Run{ID: name, Client: "c", Kind: run.Plan, Repo: 7, Pull: 12, Status: run.Planned, PlanDigest: "d-" + name, Report: &report,
		Author: "ada", AuthorID: 1, Project: planner.Project{Name: name, Dir: name, Workspace: "default"}}}
}

// Who may accept what, for how long, and what they are told.
func TestApprovePolicies(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	found := func(rule string) policy.Finding { return policy.Finding{Rule: rule} }
	of := func(pack, rule string) policy.Finding { return policy.Finding{Rule: rule, Pack: pack} }
	hard := policy.Finding{Rule: "hard", Level: policy.Hard}
	two := map[string]policy.Owners{"": {Who: []string{"grace", "acme/sec"}, Count: 2}}
	packs := map[string]policy.Owners{"": {Who: []string{"grace"}}, "db": {Who: []string{"acme/db"}, Count: 2}}
	all := Owned{Owners: packs, Mine: map[string]bool{"": true, "db": true}}
	some := Owned{Owners: packs, Mine: map[string]bool{"": true, "db": false}}
	none := Owned{Owners: packs, Mine: map[string]bool{"": false, "db": false}}
	said := func(w run.Waiver, pair run.Pair) run.Pair {
		r := pair.Plan
		w.Client, w.Key, w.Pull, w.Actor = r.Client, r.Key(), r.Pull, access.Actor{Kind: access.User, Name: "grace", ID: 2}
		if w.Expires.IsZero() {
			w.PlanDigest = r.PlanDigest
		}
		r.Waivers = append(r.Waivers, w)
		return pair
	}
	many := func(pair run.Pair) run.Pair {
		pair.Plan.Report.Omitted, pair.Plan.Report.Mandatory = 3, pair.Plan.Report.Mandatory+3
		return pair
	}
	for _, tt := range []struct {
		name, say string
		owned     Owned
		pairs     []run.Pair
		want      string   // the intents but for the reply
		told      []string // in the reply
		untold    string   // not in it
	}{
		{name: "everything", say: "approve-policies", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"), found("wide"))},
			want: "waive open wide", told: []string{"`grace` accepts 2 findings of `net`, for exactly the plan that is shown", "- `open` `aws_x.open`: It is wrong.", "No policy keeps `net` from being applied any more."}},
		{name: "one rule", say: "approve-policies --rule open", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"), found("wide"))},
			want: "waive open", told: []string{"accepts 1 finding", "Policies still forbid `net`", "1 finding: 1 more owner must accept it, of `grace`."}},
		{name: "rules by a pattern", say: "approve-policies --rule 'w*'", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"), found("wide"))}, want: "waive wide"},
		{name: "no such rule", say: "approve-policies --rule opne", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"))},
			told: []string{"**Nothing was accepted.**", "There are `open`."}},
		{name: "one project", say: "approve-policies -p app", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open")), judgedPlan("app", nil, found("wide"))}, want: "waive wide", untold: "`net`"},
		{name: "two projects", say: "approve-policies", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open")), judgedPlan("app", nil, found("wide"))}, want: "waive open wide"},
		{name: "one of two owners", say: "approve-policies", owned: all, pairs: []run.Pair{judgedPlan("net", two, found("open"))},
			want: "waive open", told: []string{"1 finding: 1 more owner must accept it"}, untold: "any more"},
		{name: "for a month", say: `approve-policies --for 30d --reason "until @acme/all has a VPN"`, owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"))},
			want: "waive open until 2026-12-23", told: []string{"until **2026-12-23 12:00 UTC**, in whatever plan of this project they come back: until @\u2060acme/all has a VPN"}},
		{name: "for a month without a reason", say: "approve-policies --for 30d", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"))},
			told: []string{"needs a reason", "`approve-policies --for 30d --reason \"…\"`"}},
		{name: "for longer than the server allows", say: "approve-policies --for 91d --reason x", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"))},
			told: []string{"`90d` at most, and `91d` was asked for"}},
		{name: "only some packs", say: "approve-policies", owned: some, pairs: []run.Pair{judgedPlan("net", packs, found("open"), of("db", "wide"))},
			want: "waive open", told: []string{"1 finding of the policies `db`: 2 more owners must accept it, of `acme/db`."}},
		{name: "none of the packs", say: "approve-policies", owned: none, pairs: []run.Pair{judgedPlan("net", packs, found("open"), of("db", "wide"))},
			told: []string{"@grace can't accept policy findings of these plans", "1 more owner must accept it, of `grace`.", "2 more owners must accept it, of `acme/db`."}},
		{name: "owners that nobody can tell", say: "approve-policies", owned: Owned{Mine: map[string]bool{"": true}, Problem: "The policies of `acme/rules` can't be had."}, pairs: []run.Pair{judgedPlan("net", nil, found("open"))},
			told: []string{"**Nothing was accepted.**", "can't be told now: The policies of `acme/rules` can't be had."}},
		{name: "a hard finding beside others", say: "approve-policies", owned: all, pairs: []run.Pair{judgedPlan("net", nil, found("open"), hard)},
			want: "waive open", told: []string{"1 finding can't be accepted by anyone: the comment above says how to mend it."}},
		{name: "a hard finding alone", say: "approve-policies", owned: all, pairs: []run.Pair{judgedPlan("net", nil, hard)},
			told: []string{"**Nothing was accepted.**", "can't be accepted by anyone"}, untold: "@grace can't"},
		{name: "said before", say: "approve-policies", owned: all, pairs: []run.Pair{said(run.Waiver{Fingerprint: "f-open"}, judgedPlan("net", two, found("open")))},
			told: []string{"**Nothing was accepted.**", "1 more owner"}, untold: "@grace can't"},
		{name: "said for an hour, and now for this plan", say: "approve-policies", owned: all,
			pairs: []run.Pair{said(run.Waiver{Fingerprint: "f-open", Expires: now.Add(time.Hour)}, judgedPlan("net", nil, found("open")))}, want: "waive open"},
		{name: "said for a week, and now for two", say: "approve-policies --for 2w --reason x", owned: all,
			pairs: []run.Pair{said(run.Waiver{Fingerprint: "f-open", Expires: now.Add(168 * time.Hour)}, judgedPlan("net", nil, found("open")))}, want: "waive open until 2026-12-07"},
		{name: "said for two weeks, and now for one", say: "approve-policies --for 1w --reason x", owned: all,
			pairs: []run.Pair{said(run.Waiver{Fingerprint: "f-open", Expires: now.Add(336 * time.Hour)}, judgedPlan("net", nil, found("open")))}, told: []string{"**Nothing was accepted.**"}},
		{name: "more than is listed", say: "approve-policies", owned: all, pairs: []run.Pair{many(judgedPlan("net", nil, found("open")))},
			want: "waive open all", told: []string{"accepts everything that the policies found in `net`", "No policy keeps `net`"}},
		{name: "more than is listed, of packs that are others'", say: "approve-policies", owned: some, pairs: []run.Pair{many(judgedPlan("net", nil, found("open")))},
			want: "waive open", told: []string{"3 findings that the comment has no room for", "by who owns all its policies"}},
		{name: "more than is listed, for a month", say: "approve-policies --for 30d --reason x", owned: all, pairs: []run.Pair{many(judgedPlan("net", nil, found("open")))},
			want: "waive open until 2026-12-23", told: []string{"can only be accepted with this very plan"}},
		{name: "the author", say: "author: approve-policies", owned: all, pairs: []run.Pair{judgedPlan("net", packs, found("open"))},
			told: []string{"Who opened the pull request can't accept its policy findings. Ask `grace` to comment"}},
		{name: "nothing is forbidden", say: "approve-policies", owned: all, pairs: []run.Pair{pair(run.Planned, policy.Pass)}, told: []string{"No policy forbids any plan"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line, author := strings.CutPrefix(tt.say, "author: ")
			sender, id := "grace", int64(2)
			if author {
				sender, id = "ada", 1
			}
			f := Facts{Settings: Settings{WaiverMax: 90 * 24 * time.Hour}, Pull: openPull(), Role: github.RoleRead, Change: &run.Change{ID: "ch"}, Pairs: tt.pairs,
				Gate: gate.Facts{Now: now, Actor: gate.Actor{Login: sender, ID: id}}, Owned: map[run.Key]Owned{}}
			f.Pull.AuthorID = 1
			for _, p := range tt.pairs {
				f.Owned[p.Plan.Key()] = tt.owned
			}
			commands := command.Parse(line, "tidelock")
			if len(commands) != 1 {
				t.Fatalf("%d commands in %q", len(commands), line)
			}
			expect(t, decideCommand(commands[0], sender, f), tt.want, tt.told, tt.untold)
		})
	}
}

// expect compares intents with what is wanted, and what the reply says.
func expect(t *testing.T, intents []Intent, want string, told []string, untold string) {
	t.Helper()
	var did []string
	reply := ""
	for _, in := range names(intents) {
		if text, ok := strings.CutPrefix(in, "reply: "); ok {
			reply = text
		} else {
			did = append(did, in)
		}
	}
	if got := strings.Join(did, "; "); got != want {
		t.Errorf("did %q, want %q", got, want)
	}
	for _, s := range told {
		if !strings.Contains(reply, s) {
			t.Errorf("the reply lacks %q:\n%s", s, reply)
		}
	}
	if reply == "" || untold != "" && strings.Contains(reply, untold) {
		t.Errorf("the reply says %q:\n%s", untold, reply)
	}
}

// What may not be had at all: the server forbids words that last.
func TestApprovePoliciesWhereNothingLasts(t *testing.T) {
	f := Facts{Role: github.RoleRead, Pull: openPull(), Change: &run.Change{ID: "ch"}, Pairs: []run.Pair{judgedPlan("net", nil, policy.Finding{Rule: "open"})},
		Gate: gate.Facts{Now: time.Now(), Actor: gate.Actor{Login: "grace", ID: 2}}}
	f.Owned = map[run.Key]Owned{f.Pairs[0].Plan.Key(): {Mine: map[string]bool{"": true}}}
	expect(t, decideCommand(command.Parse("approve-policies --for 1h --reason x", "t")[0], "grace", f), "", []string{"for exactly one plan only"}, "")
	expect(t, decideCommand(command.Parse("approve-policies", "t")[0], "grace", f), "waive open", nil, "")
}

// A reply never grows beyond what GitHub takes, and strangers' texts in it are
// inert.
func TestThreat_RepliesAboutFindingsAreBounded(t *testing.T) {
	var pairs []run.Pair
	owned := map[run.Key]Owned{}
	evil := strings.Repeat("@org/team <img src=x> ", 60)
	for i := range 300 {
		p := judgedPlan("p"+strings.Repeat("x", 200)+string(rune('A'+i)), nil, slices.Repeat([]policy.Finding{{Rule: "r" + evil[:200], Pack: evil[:100]}}, 100)...)
		for j := range p.Plan.Report.Findings {
			p.Plan.Report.Findings[j].Message, p.Plan.Report.Findings[j].Address = evil, evil
		}
		pairs = append(pairs, p)
		owned[p.Plan.Key()] = Owned{Mine: map[string]bool{"": true}, Owners: map[string]policy.Owners{"": {Who: slices.Repeat([]string{"acme/" + strings.Repeat("t", 90)}, 50)}}}
	}
	f := Facts{Role: github.RoleRead, Pull: openPull(), Change: &run.Change{ID: "ch"}, Pairs: pairs, Owned: owned, Gate: gate.Facts{Now: time.Now(), Actor: gate.Actor{Login: "grace", ID: 2}}}
	for _, who := range []string{"grace", "ada"} {
		for _, in := range decideCommand(command.Parse("approve-policies", "t")[0], who, f) {
			r, ok := in.(Reply)
			if !ok {
				continue
			}
			if len(r.Text) > 60000 {
				t.Errorf("%s gets a reply of %d bytes: %.500s", who, len(r.Text), r.Text)
			}
			if bad := markdowntest.Strangers(markdowntest.Page(t, r.Text), "p code ul li strong"); len(bad) > 0 {
				t.Errorf("%s gets %q in\n%.3000s", who, bad, r.Text)
			}
		}
	}
}

func TestRevokePolicies(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	net := run.Key{Repo: 7, Dir: "net", Workspace: "default"}
	word := func(rule string, change func(*run.Waiver)) run.Waiver {
		w := run.Waiver{ID: rule, Client: "c", Key: net, Project: "net", Pull: 3, Fingerprint: "f-" + rule, Rule: rule, Actor: access.Actor{Kind: access.User, Name: "alan", ID: 3}, Expires: now.Add(time.Hour)}
		if change != nil {
			change(&w)
		}
		return w
	}
	words := []run.Waiver{
		word("open", nil),
		word("wide", func(w *run.Waiver) { w.Pack = "db" }),
		word("mine", func(w *run.Waiver) { w.Pack, w.Actor = "db", access.Actor{Kind: access.User, Name: "grace", ID: 2} }),
		word("over", func(w *run.Waiver) { w.Expires = now }),
		word("elsewhere", func(w *run.Waiver) { w.Dir = "app" }),
		word("here", func(w *run.Waiver) { w.Pull, w.PlanDigest, w.Expires = 12, "d", time.Time{} }),
		word("otherpull", func(w *run.Waiver) { w.Pull, w.PlanDigest, w.Expires = 13, "d", time.Time{} }),
	}
	packs := map[string]policy.Owners{"": {Who: []string{"grace"}}, "db": {Who: []string{"acme/db"}}}
	for _, tt := range []struct {
		name, say string
		mine      bool
		want      string
		told      []string
	}{
		{"an owner", "revoke-policies", true, "revoke open mine here", []string{"`grace` takes back", "- `open` in `net`, accepted by `alan`", "1 word of others' policies stays"}},
		{"an owner, one rule", "revoke-policies --rule open", true, "revoke open", nil},
		{"no owner takes back their own", "revoke-policies", false, "revoke mine", nil},
		{"no owner", "revoke-policies --rule open", false, "", []string{"**Nothing was taken back.**", "`open`: ask `grace`, or `alan`, who accepted it."}},
		{"no such rule", "revoke-policies --rule nothing", true, "", []string{"Nothing of what these rules found stands accepted here."}},
		{"no such project", "revoke-policies -p nothing", true, "", []string{"No project of this pull request matches"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := Facts{Role: github.RoleRead, Pull: openPull(), Change: &run.Change{ID: "ch"}, Pairs: []run.Pair{pair(run.Planned, policy.Pass)}, Waivers: words,
				Gate: gate.Facts{Now: now, Actor: gate.Actor{Login: "grace", ID: 2}}, Owned: map[run.Key]Owned{net: {Owners: packs, Mine: map[string]bool{"": tt.mine, "db": false}}}}
			expect(t, decideCommand(command.Parse(tt.say, "t")[0], "grace", f), tt.want, tt.told, "")
		})
	}
}
