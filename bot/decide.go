package bot

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/github"
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
		case "opened", "reopened", "synchronize", "ready_for_review", "closed", "labeled", "unlabeled":
			return Need{Pull: true}
		case "edited":
			return Need{Pull: e.BaseFrom != nil}
		}
	case "issue_comment":
		if ignoreComment(e, name) == "" {
			return Need{Pull: true, Role: true, Body: true}
		}
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
	case len(ParseCommands(e.Comment.Body, name)) == 0:
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
		if e.Action == "created" || e.Action == "completed" {
			return "a check has changed, which nothing depends on"
		}
	}
	return ""
}

// Facts is what is known when an event is decided: read from GitHub and from
// the database, never taken from the event's word.
type Facts struct {
	Name     string // what the bot is called on GitHub, without "[bot]"
	Settings Settings
	Pull     *run.Pull       // as GitHub says it is now; nil where the event has none
	Change   *run.Change     // of the pull's present head; nil when that was never planned
	Pairs    []run.Pair      // of that change
	Locks    []run.Lock      // that the pull holds
	Role     github.Role     // of the sender
	Comment  *github.Comment // fetched again; nil when it is gone
	// Approval is what the reviews of the head amount to; nil where no
	// approval is asked for.
	Approval *github.Approval
	Behind   []run.Pull // push: open pulls of the pushed branch whose stored head is another
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
		Pull   run.Pull
		Again  bool
		Filter Filter
	}
	// ApplyPlans applies the change's finished plans that pass the filter, at
	// somebody's word.
	ApplyPlans struct {
		Change    run.Change
		Plans     []run.Run
		AutoMerge bool // merge the pull once everything of it is applied
	}
	// ApplyMerge applies the change, if a plan was offered for it, because its
	// pull was merged.
	ApplyMerge struct{ Pull run.Pull }
	// ClosePull gives up everything that waits for the pull.
	ClosePull struct{ Pull run.Pull }
	// UnlockPull releases those locks of the pull.
	UnlockPull struct{ Locks []run.Lock }
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
	// React shows that the comment was read.
	React struct{ Comment int64 }
	// SavePull stores what GitHub says now and nothing else.
	SavePull struct{ Pull run.Pull }
)

func (Ignore) intent()     {}
func (PlanHead) intent()   {}
func (ApplyPlans) intent() {}
func (ApplyMerge) intent() {}
func (ClosePull) intent()  {}
func (UnlockPull) intent() {}
func (Refetch) intent()    {}
func (Reply) intent()      {}
func (React) intent()      {}
func (SavePull) intent()   {}

// Decide says what to do about an event. It is pure: same event and facts,
// same intents.
func Decide(e github.Event, f Facts) []Intent {
	switch e.Kind {
	case "pull_request":
		return decidePull(e, f)
	case "issue_comment":
		return decideComment(e, f)
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
		again := judged(f.Pairs) || (e.Action == "unlabeled" && changing(f.Pairs))
		if p.Open && f.Change != nil && again && !applying(f.Pairs) {
			return []Intent{PlanHead{Pull: p, Again: true}}
		}
		return []Intent{SavePull{p}}
	case "edited":
		return planIfAllowed(p, f, true) // another base: another difference
	case "reopened", "ready_for_review":
		return planIfAllowed(p, f, false)
	}
	return planIfAllowed(p, f, false)
}

// judged reports whether a policy found anything in the plans.
func judged(pairs []run.Pair) bool {
	for _, p := range pairs {
		if p.Plan.Report != nil && len(p.Plan.Report.Findings) > 0 {
			return true
		}
	}
	return false
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
	case p.Fork():
		if f.Change != nil {
			return []Intent{SavePull{p}}
		}
		return []Intent{SavePull{p}, Reply{p.Number, forkNotice(p)}}
	case p.Draft:
		return []Intent{SavePull{p}}
	}
	return []Intent{PlanHead{Pull: p, Again: again}}
}

func forkNotice(p run.Pull) string {
	return fmt.Sprintf("This pull request comes from a fork, so nothing was run: a plan executes code from the commit `%s` with this repository's credentials.\n\n"+
		"A maintainer who has read it can push the branch into this repository and open the pull request from there.", short(p.HeadSHA))
}

func short(sha string) string {
	if len(sha) > 7 {
		return sha[:7]
	}
	return sha
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

func decideComment(e github.Event, f Facts) []Intent {
	if why := ignoreComment(e, f.Name); why != "" {
		return []Intent{Ignore{why}}
	}
	switch {
	case f.Comment == nil:
		return []Intent{Ignore{"the comment is gone"}}
	case f.Comment.AuthorID != e.Sender.ID || f.Comment.AuthorType != "User":
		return []Intent{Ignore{"written by somebody else than the sender"}}
	case f.Pull == nil:
		return []Intent{Ignore{"the pull request is gone"}}
	}
	commands := ParseCommands(f.Comment.Body, f.Name)
	if len(commands) == 0 {
		return []Intent{Ignore{"no command in it any more"}}
	}
	out := []Intent{React{f.Comment.ID}}
	for _, c := range commands {
		out = append(out, decideCommand(c, e.Sender.Login, f)...)
	}
	return out
}

// needed is the least role for each command. Reading is open to the world on
// a public repository, so it allows nothing that runs code.
var needed = map[Verb]github.Role{
	VerbHelp:   github.RoleRead,
	VerbPlan:   github.RoleTriage,
	VerbApply:  github.RoleWrite,
	VerbUnlock: github.RoleWrite,
}

func decideCommand(c Command, sender string, f Facts) []Intent {
	p := *f.Pull
	refuse := func(format string, args ...any) []Intent {
		return []Intent{Reply{p.Number, fmt.Sprintf(format, args...)}}
	}
	if f.Role < needed[c.Verb] {
		return refuse("`%s` needs the role **%s** in this repository; @%s has **%s**. Somebody with that role can comment `%s`.",
			c.Verb, needed[c.Verb], plain(sender), f.Role, c.Verb)
	}
	if c.Problem != "" {
		return refuse("%s\n\n%s", c.Problem, helpText(f.Name, nil))
	}
	switch c.Verb {
	case VerbHelp:
		return refuse("%s", helpText(f.Name, nil))
	case VerbPlan:
		return decidePlan(c, f, refuse)
	case VerbApply:
		return decideApply(c, f, refuse)
	case VerbUnlock:
		return decideUnlock(c, sender, f, refuse)
	}
	return []Intent{Ignore{"no such command"}}
}

func decidePlan(c Command, f Facts, refuse func(string, ...any) []Intent) []Intent {
	p := *f.Pull
	switch {
	case p.Fork():
		return refuse("%s", forkNotice(p))
	case !p.Open && !p.Merged:
		return refuse("This pull request is closed. Reopen it to plan again.")
	case applying(f.Pairs):
		return refuse("An apply is running. Plan again when it has finished.")
	}
	return []Intent{PlanHead{Pull: p, Again: true, Filter: c.Filter}}
}

func applying(pairs []run.Pair) bool {
	for _, p := range pairs {
		if p.Apply != nil && !p.Apply.Status.Finished() && p.Apply.Status != run.Blocked {
			return true
		}
	}
	return false
}

func decideApply(c Command, f Facts, refuse func(string, ...any) []Intent) []Intent {
	if reason := applyGate(c.Filter, f); reason != "" {
		return refuse("**Nothing was applied.** %s", reason)
	}
	var plans []run.Run
	for _, pair := range f.Pairs {
		if c.Filter.Match(pair.Plan.Project) && appliable(pair) {
			plans = append(plans, *pair.Plan)
		}
	}
	return []Intent{ApplyPlans{Change: *f.Change, Plans: plans, AutoMerge: f.Settings.AutoMerge && f.Pull.Open}}
}

// appliable reports whether the pair's plan changes something and waits to be
// applied.
func appliable(p run.Pair) bool {
	return p.Plan.Status == run.Planned && !p.Plan.NoChanges() && (p.Apply == nil || p.Apply.Status == run.Superseded)
}

func decideUnlock(c Command, sender string, f Facts, refuse func(string, ...any) []Intent) []Intent {
	var mine []run.Lock
	for _, l := range f.Locks {
		if !c.Filter.Match(planner.Project{Dir: l.Dir, Workspace: l.Workspace, Name: nameOf(f.Pairs, l.Key)}) {
			continue
		}
		if !strings.EqualFold(l.Holder, sender) && !strings.EqualFold(f.Pull.Author, sender) && f.Role < github.RoleMaintain {
			return refuse("The lock on `%s` is @%s's. Only they, the pull request's author, or somebody with the role **maintain** can give it up.", plain(l.Dir), plain(l.Holder))
		}
		mine = append(mine, l)
	}
	if len(mine) == 0 {
		if c.Filter.Empty() {
			return refuse("This pull request holds no lock.")
		}
		return refuse("This pull request holds no lock that matches `%s`.", strings.TrimSpace(c.Filter.String()))
	}
	return []Intent{UnlockPull{mine}}
}

func nameOf(pairs []run.Pair, k run.Key) string {
	for _, p := range pairs {
		if p.Plan.Key() == k {
			return p.Plan.Project.Name
		}
	}
	return ""
}
