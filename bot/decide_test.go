package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

const head = "1111111111111111111111111111111111111111"

func openPull(change ...func(*run.Pull)) *run.Pull {
	p := run.Pull{Repo: 7, Number: 12, Client: "c", HeadRepo: 7, HeadSHA: head, HeadRef: "feature", BaseRef: "main", Open: true, Author: "ada"}
	for _, c := range change {
		c(&p)
	}
	return &p
}

func pair(status run.Status, verdict policy.Verdict, change ...func(*run.Pair)) run.Pair {
	plan := run.Run{ID: "plan", Kind: run.Plan, Repo: 7, Pull: 12, Status: status, Project: planner.Project{Name: "net", Dir: "net", Workspace: "default"},
		PlanDigest: "sha256:5f3e", Summary: tfplan.Summary{Create: 1}, Report: &policy.Report{Verdict: verdict}}
	p := run.Pair{Plan: &plan}
	for _, c := range change {
		c(&p)
	}
	return p
}

func applied(status run.Status) func(*run.Pair) {
	return func(p *run.Pair) {
		p.Apply = &run.Run{ID: "apply", Kind: run.Apply, PlanRun: "plan", Status: status, Project: p.Plan.Project}
	}
}

func pullEvent(action string) github.Event {
	return github.Event{Kind: "pull_request", Action: action, Number: 12, OnPull: true, Sender: github.User{Login: "ada", ID: 1, Type: "User"}}
}

func commentEvent(body string) github.Event {
	return github.Event{Kind: "issue_comment", Action: "created", Number: 12, OnPull: true, Sender: github.User{Login: "ada", ID: 1, Type: "User"},
		Comment: &github.Comment{ID: 5, Body: body, Author: "ada", AuthorID: 1, AuthorType: "User"}}
}

// names tells the intents' kinds; what a reply says stands behind it as far as
// the table asks.
func names(intents []Intent) []string {
	var out []string
	for _, in := range intents {
		switch in := in.(type) {
		case Ignore:
			out = append(out, "ignore: "+in.Why)
		case PlanHead:
			s := "plan"
			if in.Again {
				s = "plan again"
			}
			if in.Trust {
				s += ", trusted"
			}
			out = append(out, strings.TrimSpace(s+in.Filter.String()+" "+in.Options.String()))
		case ApplyPlans:
			s := "apply"
			for _, p := range in.Plans {
				s += " " + p.Project.Name
			}
			if in.AutoMerge {
				s += ", then merge"
			}
			out = append(out, s)
		case RetryApplies:
			out = append(out, "retry")
		case Operate:
			out = append(out, "operate on "+in.Project.Name+": "+in.Operation.String())
		case CompareWorld:
			out = append(out, "look for drift")
		case CancelRuns:
			s := "cancel"
			for _, r := range in.Runs {
				s += " " + r.ID
			}
			out = append(out, s)
		case RevokeCost:
			out = append(out, "revoke cost of "+in.Change.ID)
		case ApproveCost:
			s := "approve"
			for _, v := range in.Budgets {
				s += " " + v.Budget
			}
			out = append(out, s)
		case WaiveFindings:
			s := "waive"
			for _, w := range in.Words {
				for _, f := range w.Findings {
					s += " " + f.Rule
				}
				if w.All {
					s += " all"
				}
				if !w.Expires.IsZero() {
					s += " until " + w.Expires.UTC().Format("2006-01-02")
				}
			}
			out = append(out, s)
		case RevokeWaivers:
			s := "revoke"
			for _, w := range in.Waivers {
				s += " " + w.Rule
			}
			out = append(out, s)
		case Rollback:
			out = append(out, "roll back")
		case PlanGroup:
			out = append(out, "plan group "+in.Head)
		case CloseGroup:
			out = append(out, "close group "+in.Head)
		case ReplyCost:
			out = append(out, "tell cost")
		case ReplyVersion:
			out = append(out, "tell version")
		case ApplyMerge:
			out = append(out, "apply merge")
		case ClosePull:
			out = append(out, "close")
		case UnlockPull:
			out = append(out, "unlock")
		case Refetch:
			out = append(out, "refetch")
		case Reply:
			out = append(out, "reply: "+in.Text)
		case React:
			out = append(out, "react")
		case SavePull:
			out = append(out, "save")
		}
	}
	return out
}

func TestDecide(t *testing.T) {
	merged := func(p *run.Pull) { p.Open, p.Merged, p.MergeSHA = false, true, "2222" }
	closed := func(p *run.Pull) { p.Open = false }
	draft := func(p *run.Pull) { p.Draft = true }
	before := Settings{ApplyBeforeMerge: true}
	change := &run.Change{ID: "ch", Repo: 7, Pull: 12, HeadSHA: head, Status: run.Ready}
	mine := []run.Lock{{Key: run.Key{Repo: 7, Dir: "net", Workspace: "default"}, Pull: 12, Change: "ch", Holder: "grace"}}
	ready := []run.Pair{pair(run.Planned, policy.Pass)}
	comment := func(body string) *github.Comment {
		return &github.Comment{ID: 5, Body: body, Author: "ada", AuthorID: 1, AuthorType: "User"}
	}

	say := func(body string) Facts {
		return Facts{Settings: before, Pull: openPull(), Role: github.RoleMaintain, Comment: comment(body)}
	}
	with := func(f Facts, pairs ...run.Pair) Facts {
		if f.Pull == nil {
			f.Pull = openPull()
		}
		f.Change, f.Pairs = change, pairs
		return f
	}
	by := func(author string, f Facts) Facts {
		f.Pull.Author = author
		return f
	}
	owner := func(f Facts) Facts {
		f.Owned = map[run.Key]Owned{{Repo: 7, Dir: "net", Workspace: "default"}: {Mine: map[string]bool{"": true}}}
		return f
	}
	waiting := &run.Change{ID: "ch", Repo: 7, Pull: 12, HeadSHA: head, Status: run.Gated}
	asking := func(p *run.Pair) { p.Plan.Report.Asks = []string{policy.AsksApprovals} }
	review := github.Event{Kind: "pull_request_review", Action: "submitted", Number: 12, Review: &github.Review{State: github.ReviewApproved}}
	retargeted := pullEvent("edited")
	retargeted.BaseFrom = &github.BaseFrom{Ref: "old"}
	press := func(identifier string) github.Event {
		return github.Event{Kind: "check_run", Action: "requested_action", Sender: commentEvent("").Sender, Check: &github.CheckEvent{AppID: 3, HeadSHA: head, Identifier: identifier}}
	}
	stale := func(e github.Event) github.Event {
		e.Check.HeadSHA = "older"
		return e
	}
	others := func(f Facts, runs ...run.Run) Facts {
		f.Others = runs
		return f
	}
	group := func(action string) github.Event {
		return github.Event{Kind: "merge_group", Action: action, Group: &github.MergeGroup{HeadSHA: "3333", HeadRef: "refs/heads/gh-readonly-queue/main/pr-12-abc", BaseSHA: "4444"}}
	}
	layered := []run.Pair{ready[0], pair(run.Planned, policy.Pass, func(p *run.Pair) {
		p.Plan.Project = planner.Project{Name: "app", Dir: "app", Workspace: "default", Order: 1}
	})}

	for _, tt := range []struct {
		name  string
		event github.Event
		facts Facts
		want  []string // a reply is compared as far as it is written here
	}{
		{"opened", pullEvent("opened"), Facts{Pull: openPull()}, []string{"plan"}},
		{"pushed", pullEvent("synchronize"), Facts{Pull: openPull()}, []string{"plan"}},
		{"reopened", pullEvent("reopened"), Facts{Pull: openPull()}, []string{"plan"}},
		{"opened, closed by now", pullEvent("opened"), Facts{Pull: openPull(closed)}, []string{"ignore: closed by now"}},
		{"draft", pullEvent("opened"), Facts{Pull: openPull(draft)}, []string{"save"}},
		{"ready for review", pullEvent("ready_for_review"), Facts{Pull: openPull()}, []string{"plan"}},
		{"assigned", pullEvent("assigned"), Facts{}, []string{"ignore: nothing depends on assigned"}},
		{"closed", pullEvent("closed"), Facts{Pull: openPull(closed)}, []string{"close"}},
		{"closed, open again by now", pullEvent("closed"), Facts{Pull: openPull()}, []string{"ignore: open again by now"}},
		{"merged", pullEvent("closed"), Facts{Pull: openPull(merged)}, []string{"apply merge"}},
		{"labeled, nothing found", pullEvent("labeled"), Facts{Pull: openPull(), Change: change, Pairs: ready}, []string{"save"}},
		{"unlabeled, nothing found: it may have passed for that label", pullEvent("unlabeled"), Facts{Pull: openPull(), Change: change, Pairs: ready}, []string{"plan again"}},
		{"unlabeled while applying", pullEvent("unlabeled"), Facts{Pull: openPull(), Change: change, Pairs: []run.Pair{pair(run.Planned, policy.Pass), pair(run.Planned, policy.Pass, applied(run.Running))}}, []string{"save"}},
		{"labeled, a policy forbids it", pullEvent("labeled"), Facts{Pull: openPull(), Change: change, Pairs: []run.Pair{pair(run.Planned, policy.Fail)}}, []string{"plan again"}},
		{"labeled, a policy warns", pullEvent("labeled"), Facts{Pull: openPull(), Change: change, Pairs: []run.Pair{
			pair(run.Planned, policy.Warn, func(p *run.Pair) { p.Plan.Report.Findings = []policy.Finding{{}} })}}, []string{"save"}},
		{"reviewed, a policy asks who approved", review, Facts{Pull: openPull(), Change: change, Pairs: []run.Pair{pair(run.Planned, policy.Fail, asking)}}, []string{"plan again"}},
		{"reviewed, a policy asks who approved, while applying", review, Facts{Pull: openPull(), Change: change, Pairs: []run.Pair{pair(run.Planned, policy.Pass, asking, applied(run.Running))}},
			[]string{"ignore: reviews are read when a gate asks for them"}},
		{"pull gone", pullEvent("opened"), Facts{}, []string{"ignore: nothing depends on opened"}},

		{"push, nothing behind", github.Event{Kind: "push"}, Facts{}, []string{"ignore: no open pull request is behind it"}},
		{"push, a pull behind", github.Event{Kind: "push"}, Facts{Behind: []run.Pull{*openPull()}}, []string{"refetch"}},
		{"another event", github.Event{Kind: "star"}, Facts{}, []string{"ignore: not an event that anything depends on"}},

		{"plan", commentEvent("plan"), Facts{Pull: openPull(), Role: github.RoleTriage, Comment: comment("plan")}, []string{"react", "plan again"}},
		{"plan a directory", commentEvent("plan -d net"), Facts{Pull: openPull(), Role: github.RoleWrite, Comment: comment("plan -d net")}, []string{"react", "plan again -d net"}},
		{"plan while applying", commentEvent("plan"), Facts{Pull: openPull(), Role: github.RoleWrite, Comment: comment("plan"),
			Change: change, Pairs: []run.Pair{pair(run.Planned, policy.Pass, applied(run.Running))}}, []string{"react", "reply: An apply is running."}},
		{"plan on a closed pull", commentEvent("plan"), Facts{Pull: openPull(closed), Role: github.RoleWrite, Comment: comment("plan")}, []string{"react", "reply: This pull request is closed."}},
		{"help", commentEvent("help"), Facts{Pull: openPull(), Role: github.RoleRead, Comment: comment("help")}, []string{"react", "reply: Commands stand on a line"}},
		{"unknown command", commentEvent("tidelock aply"), Facts{Pull: openPull(), Role: github.RoleRead, Comment: comment("tidelock aply")}, []string{"react", "reply: I don't know the command `aply`. Did you mean `apply`?"}},
		{"two commands", commentEvent("unlock\nplan"), Facts{Pull: openPull(), Role: github.RoleAdmin, Comment: comment("unlock\nplan"), Locks: mine}, []string{"react", "unlock", "plan again"}},
		{"comment gone", commentEvent("apply"), Facts{Pull: openPull(), Role: github.RoleAdmin}, []string{"ignore: the comment is gone"}},
		{"command edited away", commentEvent("apply"), Facts{Pull: openPull(), Role: github.RoleAdmin, Comment: comment("never mind")}, []string{"ignore: no command in it any more"}},
		{"chatter", commentEvent("what would this apply?"), Facts{}, []string{"ignore: no command in it"}},

		{"apply before merge", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change, Pairs: ready}, []string{"react", "apply net"}},
		{"apply, then merge", commentEvent("apply"), Facts{Settings: Settings{ApplyBeforeMerge: true, AutoMerge: true}, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change, Pairs: ready},
			[]string{"react", "apply net, then merge"}},
		{"apply where merging applies", commentEvent("apply"), Facts{Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change, Pairs: ready},
			[]string{"react", "reply: **Nothing was applied.** This repository applies on merge"}},
		{"apply on a merged pull", commentEvent("apply"), Facts{Pull: openPull(merged), Role: github.RoleWrite, Comment: comment("apply"), Change: change, Pairs: ready}, []string{"react", "apply net"}},
		{"apply with nothing planned", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply")},
			[]string{"react", "reply: **Nothing was applied.** The head commit `1111111` has not been planned yet."}},
		{"apply while planning", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change,
			Pairs: []run.Pair{pair(run.Running, "")}}, []string{"react", "reply: **Nothing was applied.** `net` is still being planned."}},
		{"apply against a policy", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleAdmin, Comment: comment("apply"), Change: change,
			Pairs: []run.Pair{pair(run.Planned, policy.Fail)}}, []string{"react", "reply: **Nothing was applied.** A policy forbids the plan of `net`"}},
		{"apply what nobody could judge", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleAdmin, Comment: comment("apply"), Change: change,
			Pairs: []run.Pair{pair(run.Planned, policy.Pass, func(p *run.Pair) { p.Plan.Report = nil })}}, []string{"react", "reply: **Nothing was applied.** `net` was not judged"}},
		{"apply twice", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change,
			Pairs: []run.Pair{pair(run.Planned, policy.Pass, applied(run.Running))}}, []string{"react", "reply: **Nothing was applied.** `net` is being applied already."}},
		{"apply after an interrupted one", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change,
			Pairs: []run.Pair{pair(run.Planned, policy.Pass, applied(run.Interrupted))}}, []string{"react", "reply: **Nothing was applied.** The last apply of `net` is interrupted."}},
		{"apply what is applied", commentEvent("apply"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change,
			Pairs: []run.Pair{pair(run.Planned, policy.Pass, applied(run.Applied))}}, []string{"react", "reply: **Nothing was applied.** There is nothing left to apply"}},
		{"apply a project that is not there", commentEvent("apply -p x"), Facts{Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply -p x"), Change: change, Pairs: ready},
			[]string{"react", "reply: **Nothing was applied.** No project of this pull request matches `-p x`."}},
		{"apply a draft", commentEvent("apply"), Facts{Settings: before, Pull: openPull(draft), Role: github.RoleWrite, Comment: comment("apply"), Change: change, Pairs: ready},
			[]string{"react", "reply: **Nothing was applied.** This pull request is a draft."}},

		{"converted to a draft", pullEvent("converted_to_draft"), Facts{Pull: openPull(draft)}, []string{"save"}},
		{"draft where drafts are planned", pullEvent("opened"), Facts{Settings: Settings{PlanDrafts: true}, Pull: openPull(draft)}, []string{"plan"}},
		{"labeled, a gate waits", pullEvent("labeled"), Facts{Pull: openPull(), Change: waiting}, []string{"plan again"}},
		{"reviewed, a gate waits", review, Facts{Pull: openPull(), Change: waiting}, []string{"plan again"}},
		{"reviewed", review, Facts{Pull: openPull(), Change: change, Pairs: ready}, []string{"ignore: reviews are read when a gate asks for them"}},

		{"retargeted", retargeted, Facts{Pull: openPull(), Change: change, Pairs: ready}, []string{"plan again"}},
		{"plan with options", commentEvent("plan -- -target=a.b"), say("plan -- -target=a.b"), []string{"react", "plan again -target=a.b"}},
		{"plan of a commit that was pushed over", commentEvent("plan --head 2222222"), say("plan --head 2222222"), []string{"react", "reply: The head is `1111111` by now, not `2222222`."}},
		{"destroy", commentEvent("destroy -p net"), say("destroy -p net"), []string{"react", "plan again -p net -destroy"}},
		{"cancel a plan", commentEvent("cancel"), with(say("cancel"), pair(run.Running, "")), []string{"react", "cancel plan"}},
		{"cancel an apply", commentEvent("cancel"), with(say("cancel"), pair(run.Planned, policy.Pass, applied(run.Running))), []string{"react", "cancel apply"}},
		{"cancel nothing", commentEvent("cancel"), with(say("cancel"), ready...), []string{"react", "reply: Nothing of this pull request is running or waiting."}},
		{"retry", commentEvent("retry"), with(say("retry"), pair(run.Planned, policy.Pass, applied(run.Failed))), []string{"react", "retry"}},
		{"retry what nobody saw the end of", commentEvent("retry"), with(say("retry"), pair(run.Planned, policy.Pass, applied(run.Interrupted))), []string{"react", "retry"}},
		{"retry what is held", commentEvent("retry"), with(say("retry"), pair(run.Planned, policy.Pass, applied(run.Held))), []string{"react", "reply: No apply of this pull request has failed"}},
		{"roll back before the merge", commentEvent("tidelock rollback"), say("tidelock rollback"), []string{"react", "reply: This pull request is not merged"}},
		{"roll back", commentEvent("tidelock rollback"), Facts{Pull: openPull(merged), Role: github.RoleWrite, Comment: comment("tidelock rollback")}, []string{"react", "roll back"}},
		{"cost", commentEvent("cost"), with(say("cost"), ready...), []string{"react", "tell cost"}},
		{"cost of nothing", commentEvent("cost"), say("cost"), []string{"react", "reply: There is no plan yet whose cost could be told."}},
		{"version", commentEvent("version"), say("version"), []string{"react", "tell version"}},
		{"drift", commentEvent("drift"), with(say("drift"), ready...), []string{"react", "look for drift"}},
		{"import", commentEvent("import a.b id-1"), with(say("import a.b id-1"), ready...), []string{"react", "operate on net: import a.b id-1"}},
		{"state rm", commentEvent("state rm a.b"), with(say("state rm a.b"), ready...), []string{"react", "operate on net: state rm a.b"}},
		{"import without a plan", commentEvent("import a.b id-1"), say("import a.b id-1"), []string{"react", "reply: The head commit `1111111` has not been planned yet"}},
		{"a command that is turned off", commentEvent("apply"), Facts{Settings: Settings{Commands: []string{"plan"}}, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply")},
			[]string{"react", "reply: The command `apply` is turned off in this repository."}},
		{"a comment that was obeyed", commentEvent("apply"), Facts{Heard: true, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply")}, []string{"ignore: its commands were obeyed already"}},
		{"apply while the configuration is broken", commentEvent("apply"), Facts{BadConfig: "tidelock.hcl:3: no", Settings: before, Pull: openPull(), Role: github.RoleWrite, Comment: comment("apply"), Change: change, Pairs: ready},
			[]string{"react", "reply: **Nothing was done.** The repository's configuration on `main` can't be read"}},
		{"policies accepted by the author", commentEvent("approve-policies"), with(say("approve-policies"), pair(run.Planned, policy.Fail)), []string{"react", "reply: Who opened the pull request can't accept its policy findings."}},
		{"policies accepted by somebody", commentEvent("approve-policies"), by("grace", with(say("approve-policies"), pair(run.Planned, policy.Fail))), []string{"react", "reply: **Nothing was accepted.**"}},
		{"policies accepted by their owner", commentEvent("approve-policies"), owner(by("grace", with(say("approve-policies"), pair(run.Planned, policy.Fail)))), []string{"react", "waive all", "reply: `ada` accepts everything that the policies found in `net`, for exactly the plan that is shown"}},
		{"policies that nobody could judge", commentEvent("approve-policies"), owner(by("grace", with(say("approve-policies"), pair(run.Planned, policy.Error)))), []string{"react", "reply: The policies could not judge the plan of `net`"}},
		{"apply what an owner accepted", commentEvent("apply"), with(say("apply"), pair(run.Planned, policy.Fail, func(p *run.Pair) {
			p.Plan.Waivers = []run.Waiver{{Key: p.Plan.Key(), Pull: 12, PlanDigest: p.Plan.PlanDigest, Actor: access.Actor{Name: "grace"}}}
		})), []string{"react", "apply net"}},
		{"apply what comes after another", commentEvent("apply -p app"), with(say("apply -p app"), layered...), []string{"react", "reply: **Nothing was applied.** `app` is applied after `net`"}},
		{"apply both", commentEvent("apply"), with(say("apply"), layered...), []string{"react", "apply net app"}},

		{"button", press("apply"), with(Facts{AppID: 3, Settings: before, Role: github.RoleWrite}, ready...), []string{"apply net"}},
		{"a button that does not exist", press("destroy"), with(Facts{AppID: 3, Settings: before, Role: github.RoleAdmin}, ready...), []string{"ignore: a button that does not exist"}},
		{"another App's button", press("apply"), with(Facts{AppID: 4, Settings: before, Role: github.RoleAdmin}, ready...), []string{"ignore: another App's check"}},
		{"button of an older commit's check", stale(press("apply")), with(Facts{AppID: 3, Settings: before, Role: github.RoleAdmin}, ready...), []string{"ignore: the check is of another commit than the head"}},
		{"cancel a state operation", commentEvent("cancel"), others(with(say("cancel"), ready...), run.Run{ID: "op", Kind: run.StateChange, Status: run.Queued, Project: ready[0].Plan.Project}), []string{"react", "cancel op"}},
		{"button by a reader", press("apply"), with(Facts{AppID: 3, Settings: before, Role: github.RoleRead}, ready...), []string{"reply: `apply` needs the role **write**"}},
		{"check again", github.Event{Kind: "check_run", Action: "rerequested", Sender: commentEvent("").Sender, Check: &github.CheckEvent{AppID: 3, HeadSHA: head}},
			with(Facts{AppID: 3, Role: github.RoleWrite}, ready...), []string{"plan again"}},

		{"all checks again", github.Event{Kind: "check_suite", Action: "rerequested", Sender: commentEvent("").Sender, Suite: &github.SuiteEvent{AppID: 3, HeadSHA: head}},
			with(Facts{AppID: 3, Role: github.RoleWrite}, ready...), []string{"plan again"}},
		{"all of another App's checks again", github.Event{Kind: "check_suite", Action: "rerequested", Sender: commentEvent("").Sender, Suite: &github.SuiteEvent{AppID: 4, HeadSHA: head}},
			with(Facts{AppID: 3, Role: github.RoleWrite}, ready...), []string{"ignore: another App's check"}},

		{"merge group", group("checks_requested"), Facts{Pull: openPull()}, []string{"plan group 3333"}},
		{"merge group given up", group("destroyed"), Facts{}, []string{"close group 3333"}},
		{"merge group of no pull", group("checks_requested"), Facts{}, []string{"ignore: the merge group's branch names no pull request"}},

		{"unlock by a stranger to the lock", commentEvent("unlock"), Facts{Pull: openPull(func(p *run.Pull) { p.Author = "grace" }), Role: github.RoleWrite, Comment: comment("unlock"), Locks: mine},
			[]string{"react", "reply: The lock on `net` is @grace's."}},
		{"unlock by a maintainer", commentEvent("unlock"), Facts{Pull: openPull(func(p *run.Pull) { p.Author = "grace" }), Role: github.RoleMaintain, Comment: comment("unlock"), Locks: mine}, []string{"react", "unlock"}},
		{"unlock by the author", commentEvent("unlock"), Facts{Pull: openPull(), Role: github.RoleWrite, Comment: comment("unlock"), Locks: mine}, []string{"react", "unlock"}},
		{"unlock nothing", commentEvent("unlock"), Facts{Pull: openPull(), Role: github.RoleWrite, Comment: comment("unlock")}, []string{"react", "reply: This pull request holds no lock."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.facts.Name = "tidelock-acme"
			got := names(Decide(tt.event, tt.facts))
			for i := range got {
				if i < len(tt.want) && strings.HasPrefix(tt.want[i], "reply: ") && strings.HasPrefix(got[i], tt.want[i]) {
					got[i] = tt.want[i]
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGitHub25_ForkGetsACommentAndNoRun(t *testing.T) { testFork(t) }
func TestThreat_ForkGetsACommentAndNoRun(t *testing.T)   { testFork(t) }

func testFork(t *testing.T) {
	for _, p := range []*run.Pull{
		openPull(func(p *run.Pull) { p.HeadRepo = 99 }),
		openPull(func(p *run.Pull) { p.HeadRepo = 0 }), // the fork is gone
	} {
		facts := Facts{Name: "bot", Settings: Settings{ApplyBeforeMerge: true}, Pull: p, Role: github.RoleAdmin}
		for _, action := range []string{"opened", "synchronize", "reopened", "ready_for_review"} {
			got := names(Decide(pullEvent(action), facts))
			if len(got) != 2 || got[0] != "save" || !strings.HasPrefix(got[1], "reply: This pull request comes from a fork") {
				t.Errorf("%s: %q", action, got)
			}
		}
		for _, command := range []string{"plan", "apply"} {
			e := commentEvent(command)
			facts.Comment = e.Comment
			for _, in := range Decide(e, facts) {
				switch in.(type) {
				case PlanHead, ApplyPlans:
					t.Errorf("%s on a fork's pull: %T", command, in)
				}
			}
		}
	}
}

// A fork's head is planned at the word of somebody who may write and who names
// the very commit: what is pushed between reading and commenting is not run.
func TestThreat_ForkIsPlannedAtANamedHeadOnly(t *testing.T) {
	fork := openPull(func(p *run.Pull) { p.HeadRepo = 99 })
	for body, want := range map[string]string{
		"plan --head 1111111": "plan again, trusted",
		"plan":                "reply: This pull request comes from a fork",
		"plan --head 2222222": "reply: The head is `1111111` by now",
	} {
		e := commentEvent(body)
		f := Facts{Name: "bot", Pull: fork, Role: github.RoleWrite, Comment: e.Comment}
		if got := names(Decide(e, f)); len(got) != 2 || !strings.HasPrefix(got[1], want) {
			t.Errorf("%s: %q", body, got)
		}
		f.Role = github.RoleTriage
		if got := names(Decide(e, f)); len(got) != 2 || !strings.HasPrefix(got[1], "reply: ") {
			t.Errorf("%s with the role triage: %q", body, got)
		}
	}
	trusted := Facts{Name: "bot", Pull: fork, Change: &run.Change{Status: run.Ready, Trusted: access.Actor{Name: "grace"}}}
	if got := names(Decide(pullEvent("reopened"), trusted)); len(got) != 1 || got[0] != "plan" {
		t.Errorf("the head that was let through: %q", got)
	}
	for _, body := range []string{"apply", "destroy -p net --head 1111111", "import a.b c"} {
		e := commentEvent(body)
		f := trusted
		f.Settings, f.Role, f.Comment, f.Pairs = Settings{ApplyBeforeMerge: true}, github.RoleAdmin, e.Comment, []run.Pair{pair(run.Planned, policy.Pass)}
		for _, in := range Decide(e, f) {
			switch in.(type) {
			case React, Reply:
			default:
				t.Errorf("%s on a fork's pull: %T", body, in)
			}
		}
	}
}

func TestGitHub18_TheQueuesBranchNamesItsPull(t *testing.T) {
	for ref, want := range map[string]int{
		"refs/heads/gh-readonly-queue/main/pr-12-0a1b2c": 12,
		"gh-readonly-queue/release/1.x/pr-7-ff":          7,
		"refs/heads/main":                                0,
		"refs/heads/pr-12-x":                             0,
		"refs/heads/gh-readonly-queue/main/pr-x-ff":      0,
		"refs/heads/gh-readonly-queue/main/pr-12":        0,
	} {
		if got := GroupPull(ref); got != want {
			t.Errorf("%s: %d, want %d", ref, got, want)
		}
	}
}

func TestThreat_CommandSpoofing(t *testing.T) {
	ready := Facts{Name: "bot", Settings: Settings{ApplyBeforeMerge: true}, Pull: openPull(), Role: github.RoleAdmin,
		Change: &run.Change{ID: "ch", Status: run.Ready}, Pairs: []run.Pair{pair(run.Planned, policy.Pass)}}
	for name, spoof := range map[string]func(*github.Event, *Facts){
		"edited comment":      func(e *github.Event, _ *Facts) { e.Action = "edited" },
		"deleted comment":     func(e *github.Event, _ *Facts) { e.Action = "deleted" },
		"a bot's comment":     func(e *github.Event, _ *Facts) { e.Comment.AuthorType = "Bot" },
		"sent by a bot":       func(e *github.Event, _ *Facts) { e.Sender.Type = "Bot" },
		"plain issue":         func(e *github.Event, _ *Facts) { e.OnPull = false },
		"other author by now": func(_ *github.Event, f *Facts) { f.Comment.AuthorID = 666 },
		"a bot by now":        func(_ *github.Event, f *Facts) { f.Comment.AuthorType = "Bot" },
		"no command by now":   func(_ *github.Event, f *Facts) { f.Comment.Body = "hello" },
		"role too low":        func(_ *github.Event, f *Facts) { f.Role = github.RoleTriage },
		"no role":             func(_ *github.Event, f *Facts) { f.Role = github.RoleNone },
	} {
		t.Run(name, func(t *testing.T) {
			e, f := commentEvent("apply"), ready
			c := *e.Comment
			f.Comment = &c
			spoof(&e, &f)
			for _, in := range Decide(e, f) {
				if _, bad := in.(ApplyPlans); bad {
					t.Error("the spoofed command was obeyed")
				}
			}
		})
	}
	e := commentEvent("apply")
	ready.Comment = e.Comment
	if got := names(Decide(e, ready)); !strings.Contains(strings.Join(got, " "), "apply net") {
		t.Fatalf("the honest command was not obeyed: %q", got)
	}
}

func TestRefusalSaysWhoCanAndHow(t *testing.T) {
	e := commentEvent("apply")
	got := names(Decide(e, Facts{Name: "bot", Pull: openPull(), Role: github.RoleTriage, Comment: e.Comment}))
	for _, want := range []string{"**write**", "**triage**", "@ada"} {
		if !strings.Contains(got[1], want) {
			t.Errorf("the refusal does not name %s: %s", want, got[1])
		}
	}
}

// TestIdleIsWhatDecideIgnores holds Idle to its word with the facts that would
// allow most.
func TestIdleIsWhatDecideIgnores(t *testing.T) {
	facts := func(e github.Event) Facts {
		return Facts{Name: "bot", Settings: Settings{ApplyBeforeMerge: true}, Pull: openPull(), Role: github.RoleAdmin, Comment: e.Comment,
			Change: &run.Change{ID: "ch", Status: run.Ready}, Pairs: []run.Pair{pair(run.Planned, policy.Pass)},
			Behind: []run.Pull{*openPull()}}
	}
	edited, byBot, onIssue := commentEvent("apply"), commentEvent("apply"), commentEvent("apply")
	edited.Action = "edited"
	byBot.Sender.Type = "Bot"
	onIssue.OnPull = false
	check := func(action string) github.Event { return github.Event{Kind: "check_run", Action: action} }
	for name, e := range map[string]github.Event{
		"ordinary comment": commentEvent("Looks good to me."), "edited comment": edited, "a bot's comment": byBot, "an issue's comment": onIssue,
		"check created": check("created"), "check completed": check("completed"),
	} {
		if Idle(e, "bot") == "" {
			t.Errorf("%s: is not idle", name)
		}
		for _, in := range Decide(e, facts(e)) {
			if _, ignored := in.(Ignore); !ignored {
				t.Errorf("%s: Decide wants %T", name, in)
			}
		}
	}
	for name, e := range map[string]github.Event{
		"command": commentEvent("apply"), "opened": pullEvent("opened"), "closed": pullEvent("closed"), "labeled": pullEvent("labeled"),
		"push": {Kind: "push"}, "installation": {Kind: "installation", Action: "created"}, "repository": {Kind: "repository", Action: "renamed"},
		"check asked for again": check("rerequested"), "check's button": check("requested_action"),
	} {
		if why := Idle(e, "bot"); why != "" {
			t.Errorf("%s: idle, %s", name, why)
		}
	}
}
