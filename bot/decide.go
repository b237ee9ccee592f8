package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// Need says which facts an event must be decided with; each costs a request.
type Need struct {
	Pull bool // the pull as it is now
	Role bool // what the sender may do in the repository
	Body bool // the comment as it is now
}

// Needs returns the facts that Decide will look at for the event. Pure.
func Needs(e github.Event, name string) Need {
	switch e.Kind {
	case "pull_request":
		switch e.Action {
		case "opened", "reopened", "synchronize", "ready_for_review", "converted_to_draft", "closed", "labeled", "unlabeled":
			return Need{Pull: true}
		case "edited":
			return Need{Pull: e.BaseFrom != nil}
		}
	case "pull_request_review":
		return Need{Pull: true}
	case "issue_comment":
		if ignoreComment(e, name) == "" {
			return Need{Pull: true, Role: true, Body: true}
		}
	case "check_run":
		switch e.Action {
		case "requested_action", "rerequested":
			return Need{Pull: true, Role: true}
		}
	case "check_suite":
		if e.Action == "rerequested" {
			return Need{Pull: true, Role: true}
		}
	case "merge_group":
		return Need{Pull: e.Action == "checks_requested"}
	case "push":
		return Need{} // the pulls of the pushed branch are looked up in the database
	}
	return Need{}
}

// ignoreComment returns why a comment event is none of our business, "" when
// it is. It looks at nothing but the event, so that the flood of ordinary
// comments costs no request.
func ignoreComment(e github.Event, name string) string {
	switch {
	case e.Action != "created":
		return "only new comments give commands" // an edit could put a command into another's mouth
	case e.Comment == nil || !e.OnPull:
		return "not a pull request's comment"
	case e.Sender.Type != "User" || e.Comment.AuthorType != "User":
		return "written by a bot"
	case len(command.Parse(e.Comment.Body, name)) == 0:
		return "no command in it"
	}
	return ""
}

// Idle returns why Decide would ignore the event whatever the facts, "" where
// it might not. The receiver stores such a delivery as ignored and queues no
// job for it: that is most of what GitHub sends, the echo of the bot's own
// comments and checks among it. Pure.
func Idle(e github.Event, name string) string {
	switch e.Kind {
	case "issue_comment":
		return ignoreComment(e, name)
	case "check_run", "check_suite":
		if e.Action != "requested_action" && e.Action != "rerequested" {
			return "a check has changed, which nothing depends on"
		}
	case "pull_request_review":
		if e.Action == "edited" || (e.Review != nil && e.Review.State == github.ReviewCommented) {
			return "a review that decides nothing"
		}
	}
	return ""
}

// Facts is what is known when an event is decided: read from GitHub and from
// the database, never taken from the event's word.
type Facts struct {
	Name     string // what the bot is called on GitHub, without "[bot]"
	AppID    int64  // GitHub's number of this App
	Settings Settings
	// BadConfig is why the repository's own settings can't be read, "" where
	// they can: what its gates ask for is then not known.
	BadConfig string
	Pull      *run.Pull       // as GitHub says it is now; nil where the event has none
	Change    *run.Change     // of the pull's present head; nil when that was never planned
	Pairs     []run.Pair      // of that change
	Others    []run.Run       // of that change: state operations and drift checks that have not ended
	Locks     []run.Lock      // that the pull holds
	Role      github.Role     // of the sender
	Comment   *github.Comment // fetched again; nil when it is gone
	Heard     bool            // the comment's commands were obeyed already
	// Gate is what the gates look at beside the plans: read only where a
	// command stands before gates that need it.
	Gate gate.Facts
	// Owned is which findings the sender may accept, by project: read only for
	// commands that ask for it, as are Waivers, all that stand in the projects.
	Owned   map[run.Key]Owned
	Waivers []run.Waiver
	// Budgets is what the budgets say of the change, read only for commands that
	// ask for it, and BudgetOwner whose owner the sender is, by name.
	Budgets     []budget.Verdict
	BudgetOwner map[string]bool
	Behind      []run.Pull // push: open pulls of the pushed branch whose stored head is another
}

// Intent is one thing to do. Intents are carried out in order, together with
// the end of the delivery, in one transaction.
type Intent interface{ intent() }

type (
	// Ignore does nothing; Why is kept with the delivery.
	Ignore struct{ Why string }
	// PlanHead plans the pull's head. Without Again, a head that has a change
	// already is left alone: webhooks repeat themselves.
	PlanHead struct {
		Pull    run.Pull
		Again   bool
		Filter  command.Filter
		Options planner.Options
		Trust   bool // somebody who may do so lets this head of a fork be planned
	}
	// ApplyPlans applies the change's finished plans that pass the filter, at
	// somebody's word.
	ApplyPlans struct {
		Change    run.Change
		Plans     []run.Run
		Gates     map[string]string // by run: what let it through, JSON of gate.Record
		AutoMerge bool              // merge the pull once everything of it is applied
	}
	// RetryApplies goes on with applies that failed or were interrupted.
	RetryApplies struct {
		Change run.Change
		Failed []run.Run
	}
	// Operate does a state operation on one project.
	Operate struct {
		Change    run.Change
		Project   planner.Project
		Operation planner.Operation
		Gates     string
	}
	// CompareWorld looks for drift in the projects, and replies.
	CompareWorld struct {
		Change   run.Change
		Projects []planner.Project
		Options  planner.Options
	}
	// CancelRuns ends what waits of the runs, and stops what is under way.
	CancelRuns struct {
		Change run.Change
		Runs   []run.Run
	}
	// WaiveFindings accepts what policies found in plans of the change.
	WaiveFindings struct {
		Change run.Change
		Words  []run.Word
	}
	// ApproveCost approves what the change costs over budgets.
	ApproveCost struct {
		Change  run.Change
		Budgets []budget.Verdict
	}
	// RevokeCost takes back what the sender approved of a change's cost.
	RevokeCost struct{ Change run.Change }
	// RevokeWaivers takes back what was accepted.
	RevokeWaivers struct {
		Waivers []run.Waiver
		Reason  string
	}
	// Rollback opens a pull request that takes a merged one back.
	Rollback struct{ Pull run.Pull }
	// ApplyMerge applies the change, if a plan was offered for it, because its
	// pull was merged.
	ApplyMerge struct{ Pull run.Pull }
	// ClosePull gives up everything that waits for the pull.
	ClosePull struct{ Pull run.Pull }
	// UnlockPull releases those locks of the pull.
	UnlockPull struct{ Locks []run.Lock }
	// PlanGroup plans what a merge queue is about to make of a pull, and tells
	// the queue whether that is what was reviewed.
	PlanGroup struct {
		Pull            run.Pull
		Ref, Head, Base string
	}
	// CloseGroup gives up a merge queue's branch.
	CloseGroup struct {
		Repo int64
		Head string
	}
	// Refetch reads the pull from GitHub and decides again as if it had been
	// synchronized.
	Refetch struct {
		Repo   int64
		Number int
	}
	// Reply posts a comment of its own.
	Reply struct {
		Number int
		Text   string
	}
	// ReplyCost posts what the change's plans cost.
	ReplyCost struct{ Change run.Change }
	// ReplyVersion posts what runs here.
	ReplyVersion struct{ Number int }
	// React shows that the comment was read; the commands in it count as heard.
	React struct{ Comment int64 }
	// SavePull stores what GitHub says now and nothing else.
	SavePull struct{ Pull run.Pull }
)

func (Ignore) intent()        {}
func (PlanHead) intent()      {}
func (ApplyPlans) intent()    {}
func (RetryApplies) intent()  {}
func (Operate) intent()       {}
func (CompareWorld) intent()  {}
func (CancelRuns) intent()    {}
func (WaiveFindings) intent() {}
func (RevokeWaivers) intent() {}
func (ApproveCost) intent()   {}
func (RevokeCost) intent()    {}
func (Rollback) intent()      {}
func (ApplyMerge) intent()    {}
func (ClosePull) intent()     {}
func (UnlockPull) intent()    {}
func (PlanGroup) intent()     {}
func (CloseGroup) intent()    {}
func (Refetch) intent()       {}
func (Reply) intent()         {}
func (ReplyCost) intent()     {}
func (ReplyVersion) intent()  {}
func (React) intent()         {}
func (SavePull) intent()      {}

// Decide says what to do about an event. It is pure: same event and facts,
// same intents.
func Decide(e github.Event, f Facts) []Intent {
	switch e.Kind {
	case "pull_request":
		return decidePull(e, f)
	case "pull_request_review":
		return decideReview(f)
	case "issue_comment":
		return decideComment(e, f)
	case "check_run", "check_suite":
		return decideCheck(e, f)
	case "merge_group":
		return decideGroup(e, f)
	case "push":
		return decidePush(f)
	}
	return []Intent{Ignore{"not an event that anything depends on"}}
}

func decidePull(e github.Event, f Facts) []Intent {
	if f.Pull == nil {
		return []Intent{Ignore{"nothing depends on " + e.Action}}
	}
	p := *f.Pull
	switch e.Action {
	case "closed":
		switch {
		case p.Merged:
			return []Intent{ApplyMerge{p}}
		case p.Open:
			return []Intent{Ignore{"open again by now"}}
		}
		return []Intent{ClosePull{p}}
	case "labeled", "unlabeled":
		// Labels are what a policy may ask for: judge again where one found
		// something, or where it may have passed for the label that is gone.
		again := judged(f.Pairs) || (e.Action == "unlabeled" && changing(f.Pairs)) || gated(f.Change)
		if p.Open && f.Change != nil && again && !applying(f.Pairs) {
			return []Intent{PlanHead{Pull: p, Again: true}}
		}
		return []Intent{SavePull{p}}
	case "converted_to_draft":
		return []Intent{SavePull{p}}
	case "edited":
		return planIfAllowed(p, f, true) // another base: another difference
	}
	return planIfAllowed(p, f, false)
}

// gated reports whether the change waits for a gate before its plan.
func gated(c *run.Change) bool { return c != nil && c.Status == run.Gated }

// decideReview looks again at a change that a gate keeps from being planned, or
// whose policies ask who approved it. Other gates are asked when somebody wants
// to pass them.
func decideReview(f Facts) []Intent {
	switch {
	case f.Pull == nil:
		return []Intent{Ignore{"the pull request is gone"}}
	case f.Pull.Open && (gated(f.Change) || asksApprovals(f.Pairs) && !applying(f.Pairs)):
		return []Intent{PlanHead{Pull: *f.Pull, Again: true}}
	}
	return []Intent{Ignore{"reviews are read when a gate asks for them"}}
}

// judged reports whether a policy forbids any of the plans. A warning is not
// worth a new plan.
func judged(pairs []run.Pair) bool {
	return slices.ContainsFunc(pairs, func(p run.Pair) bool { return p.Plan.Report != nil && p.Plan.Report.Verdict.Blocks() })
}

// asksApprovals reports whether a policy looked at who approved the pull.
func asksApprovals(pairs []run.Pair) bool {
	return slices.ContainsFunc(pairs, func(p run.Pair) bool {
		return p.Plan.Report != nil && slices.Contains(p.Plan.Report.Asks, policy.AsksApprovals)
	})
}

// changing reports whether any of the plans waits to be applied.
func changing(pairs []run.Pair) bool {
	for _, p := range pairs {
		if appliable(p) {
			return true
		}
	}
	return false
}

func planIfAllowed(p run.Pull, f Facts, again bool) []Intent {
	switch {
	case !p.Open:
		return []Intent{Ignore{"closed by now"}}
	case p.Fork() && (f.Change == nil || f.Change.Trusted.Name == ""):
		if f.Change != nil {
			return []Intent{SavePull{p}}
		}
		return []Intent{SavePull{p}, Reply{p.Number, forkNotice(p)}}
	case p.Draft && !f.Settings.PlanDrafts:
		return []Intent{SavePull{p}}
	}
	return []Intent{PlanHead{Pull: p, Again: again}}
}

func forkNotice(p run.Pull) string {
	return fmt.Sprintf("This pull request comes from a fork, so nothing was run: a plan executes code from the commit `%s` with this repository's credentials.\n\n"+
		"Somebody with the role **write** who has read that commit can comment\n\n```\ntidelock plan --head %s\n```\n\n"+
		"which holds for that commit alone; a later one needs another word.", comment.Short(p.HeadSHA), comment.Short(p.HeadSHA))
}

func decidePush(f Facts) []Intent {
	var out []Intent
	for _, p := range f.Behind {
		out = append(out, Refetch{p.Repo, p.Number})
	}
	if out == nil {
		return []Intent{Ignore{"no open pull request is behind it"}}
	}
	return out
}

// decideCheck obeys the buttons of our own checks, and plans again where
// somebody asks for a check to be run once more.
func decideCheck(e github.Event, f Facts) []Intent {
	switch {
	case checkApp(e) != f.AppID:
		return []Intent{Ignore{"another App's check"}}
	case f.Pull == nil:
		return []Intent{Ignore{"no pull request of ours is behind the check"}}
	case e.Sender.Type != "User":
		return []Intent{Ignore{"asked for by a bot"}}
	}
	p := *f.Pull
	if checkSHA(e) != p.HeadSHA { // whoever pressed the button looked at something else
		return []Intent{Ignore{"the check is of another commit than the head"}}
	}
	c := command.Command{Verb: command.Plan}
	if e.Action == "requested_action" {
		var ok bool
		if c, ok = command.OfButton(e.Check.Identifier); !ok {
			return []Intent{Ignore{"a button that does not exist"}}
		}
	}
	return decideCommand(c, e.Sender.Login, f)
}

// checkSHA is the commit that a check or a suite of checks is about.
func checkSHA(e github.Event) string {
	switch {
	case e.Check != nil:
		return e.Check.HeadSHA
	case e.Suite != nil:
		return e.Suite.HeadSHA
	}
	return ""
}

// checkApp is whose check or suite that is; 0 where the event does not say.
func checkApp(e github.Event) int64 {
	switch {
	case e.Check != nil:
		return e.Check.AppID
	case e.Suite != nil:
		return e.Suite.AppID
	}
	return 0
}

// decideGroup has what a merge queue built planned.
func decideGroup(e github.Event, f Facts) []Intent {
	switch {
	case e.Group == nil:
		return []Intent{Ignore{"no merge group"}}
	case e.Action == "destroyed":
		return []Intent{CloseGroup{Repo: e.Repo.ID, Head: e.Group.HeadSHA}}
	case e.Action != "checks_requested":
		return []Intent{Ignore{"nothing depends on " + e.Action}}
	case f.Pull == nil:
		return []Intent{Ignore{"the merge group's branch names no pull request"}}
	}
	return []Intent{PlanGroup{Pull: *f.Pull, Ref: e.Group.HeadRef, Head: e.Group.HeadSHA, Base: e.Group.BaseSHA}}
}

// GroupPull returns the pull request that a merge queue's branch is for, by
// GitHub's form of its name: gh-readonly-queue/main/pr-12-0a1b…; 0 for none.
func GroupPull(ref string) int {
	last := ref[strings.LastIndexByte(ref, '/')+1:]
	rest, ok := strings.CutPrefix(last, "pr-")
	if !ok || !strings.Contains(ref, "gh-readonly-queue/") {
		return 0
	}
	digits, _, ok := strings.Cut(rest, "-")
	n, err := strconv.Atoi(digits)
	if err != nil || !ok || n < 1 {
		return 0
	}
	return n
}
