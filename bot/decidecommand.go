package bot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

func decideComment(e github.Event, f Facts) []Intent {
	if why := ignoreComment(e, f.Name); why != "" {
		return []Intent{Ignore{why}}
	}
	switch {
	case f.Comment == nil:
		return []Intent{Ignore{"the comment is gone"}}
	case f.Heard:
		return []Intent{Ignore{"its commands were obeyed already"}}
	case f.Comment.AuthorID != e.Sender.ID || f.Comment.AuthorType != "User":
		return []Intent{Ignore{"written by somebody else than the sender"}}
	case f.Pull == nil:
		return []Intent{Ignore{"the pull request is gone"}}
	}
	commands := command.Parse(f.Comment.Body, f.Name)
	if len(commands) == 0 {
		return []Intent{Ignore{"no command in it any more"}}
	}
	out := []Intent{React{f.Comment.ID}}
	for _, c := range commands {
		out = append(out, decideCommand(c, e.Sender.Login, f)...)
	}
	return out
}

// ActOf returns the act whose gates stand before a command, "" where none do.
func ActOf(v command.Verb) gate.Act {
	switch v {
	case command.Plan, command.Drift:
		return gate.ActPlan
	case command.Apply, command.Retry, command.Import, command.StateRemove, command.StateMove:
		return gate.ActApply
	case command.Destroy:
		return gate.ActDestroy
	}
	return ""
}

// decision is one command with what it is decided by.
type decision struct {
	Facts
	command command.Command
	sender  string
}

func decideCommand(c command.Command, sender string, f Facts) []Intent {
	d := decision{f, c, sender}
	if f.Role < c.Verb.Role() {
		return d.refuse("`%s` needs the role **%s** in this repository; @%s has **%s**. Somebody with that role can comment `%s`.",
			c.Verb, c.Verb.Role(), markdown.Word(sender), f.Role, c.Verb)
	}
	if c.Problem != "" {
		return d.refuse("%s\n\n%s", c.Problem, command.HelpText(f.Name, f.Settings.Commands))
	}
	if allowed := f.Settings.Commands; allowed != nil && c.Verb != command.Help && !slices.Contains(allowed, string(c.Verb)) {
		return d.refuse("The command `%s` is turned off in this repository. %s", c.Verb, command.HelpText(f.Name, allowed))
	}
	if f.BadConfig != "" && ActOf(c.Verb) != "" {
		return d.refuse("**Nothing was done.** The repository's configuration on `%s` can't be read, so what it asks for is not known:\n\n%s", markdown.Word(f.Pull.BaseRef), markdown.List(f.BadConfig))
	}
	if act := ActOf(c.Verb); act == gate.ActPlan && f.Pull.Open {
		if closed := d.closed(act, nil); len(closed) > 0 {
			return d.refuse("%s", comment.Refusal("**Nothing was planned.**", closed))
		}
	}
	switch c.Verb {
	case command.Help:
		return d.refuse("%s", command.HelpText(f.Name, f.Settings.Commands))
	case command.Version:
		return []Intent{ReplyVersion{f.Pull.Number}}
	case command.Plan, command.Destroy:
		return d.plan()
	case command.Apply:
		return d.apply()
	case command.Unlock:
		return d.unlock()
	case command.Cancel:
		return d.cancel()
	case command.Retry:
		return d.retry()
	case command.Rollback:
		return d.rollback()
	case command.Drift:
		return d.drift()
	case command.Cost:
		if f.Change == nil || len(f.Pairs) == 0 {
			return d.refuse("There is no plan yet whose cost could be told. Comment `plan` first.")
		}
		return []Intent{ReplyCost{*f.Change}}
	case command.ApprovePolicies:
		return d.approvePolicies()
	case command.RevokePolicies:
		return d.revokePolicies()
	case command.ApproveCost:
		return d.approveCost()
	case command.RevokeCost:
		return d.revokeCost()
	case command.Import, command.StateRemove, command.StateMove:
		return d.operate()
	}
	return []Intent{Ignore{"no such command"}}
}

func (d decision) refuse(format string, args ...any) []Intent {
	return []Intent{Reply{d.Pull.Number, fmt.Sprintf(format, args...)}}
}

// chosen returns the pairs that the command's flags name.
func (d decision) chosen() []run.Pair {
	var out []run.Pair
	for _, p := range d.Pairs {
		if d.command.Filter.Match(p.Plan.Project) {
			out = append(out, p)
		}
	}
	return out
}

// none refuses a command that finds nothing to work on.
func (d decision) none(what string) []Intent {
	if d.command.Filter.Empty() {
		return d.refuse("%s", what)
	}
	return d.refuse("No project of this pull request matches `%s`.", markdown.Word(strings.TrimSpace(d.command.Filter.String())))
}

func (d decision) plan() []Intent {
	p, trust := *d.Pull, false
	switch {
	case p.Fork():
		if d.Role < github.RoleWrite || d.command.Head == "" {
			return d.refuse("%s", forkNotice(p))
		}
		trust = true
	case !p.Open && !p.Merged:
		return d.refuse("This pull request is closed. Reopen it to plan again.")
	}
	if h := d.command.Head; h != "" && !strings.HasPrefix(p.HeadSHA, h) {
		return d.refuse("The head is `%s` by now, not `%s`. Nothing was planned: read the new commit first.", comment.Short(p.HeadSHA), markdown.Word(h))
	}
	if applying(d.Pairs) {
		return d.refuse("An apply is running. Plan again when it has finished.")
	}
	if d.command.Verb == command.Destroy {
		if p.Fork() {
			return d.refuse("Nothing that a fork asks for is destroyed from here.")
		}
		d.command.Options.Destroy = true
	}
	return []Intent{PlanHead{Pull: p, Again: true, Filter: d.command.Filter, Options: d.command.Options, Trust: trust}}
}

func applying(pairs []run.Pair) bool {
	for _, p := range pairs {
		if p.Apply != nil && !p.Apply.Status.Finished() && p.Apply.Status != run.Blocked && p.Apply.Status != run.Deferred {
			return true
		}
	}
	return false
}

func (d decision) apply() []Intent {
	if reason := applyGate(d.command.Filter, d.Facts); reason != "" {
		return d.refuse("**Nothing was applied.** %s", reason)
	}
	in := ApplyPlans{Change: *d.Change, Gates: map[string]string{}, AutoMerge: d.Settings.AutoMerge && d.Pull.Open}
	for _, pair := range d.chosen() {
		if !appliable(pair) {
			continue
		}
		verdicts := d.verdicts(actOf(*pair.Plan), &pair)
		if closed := gate.Closed(verdicts); len(closed) > 0 {
			return d.refuse("%s", comment.Refusal("**Nothing was applied.** "+markdown.Code(pair.Plan.Project.Name)+" can't be applied yet.", closed))
		}
		plan := *pair.Plan
		plan.Options.Parallelism = d.command.Options.Parallelism
		in.Plans = append(in.Plans, plan)
		in.Gates[pair.Plan.ID] = record(actOf(*pair.Plan), *d.Change, *pair.Plan, verdicts, d.Gate.Now)
	}
	return []Intent{in}
}

// appliable reports whether the pair's plan changes something and waits to be
// applied.
func appliable(p run.Pair) bool {
	return p.Plan.Status == run.Planned && !p.Plan.NoChanges() &&
		(p.Apply == nil || p.Apply.Status == run.Superseded || p.Apply.Status == run.Canceled)
}

func (d decision) unlock() []Intent {
	var mine []run.Lock
	for _, l := range d.Locks {
		if !d.command.Filter.Match(planner.Project{Dir: l.Dir, Workspace: l.Workspace, Name: nameOf(d.Pairs, l.Key)}) {
			continue
		}
		if !strings.EqualFold(l.Holder, d.sender) && !strings.EqualFold(d.Pull.Author, d.sender) && d.Role < github.RoleMaintain {
			return d.refuse("The lock on `%s` is @%s's. Only they, the pull request's author, or somebody with the role **maintain** can give it up.", markdown.Word(l.Dir), markdown.Word(l.Holder))
		}
		mine = append(mine, l)
	}
	if len(mine) == 0 {
		if d.command.Filter.Empty() {
			return d.refuse("This pull request holds no lock.")
		}
		return d.refuse("This pull request holds no lock that matches `%s`.", markdown.Word(strings.TrimSpace(d.command.Filter.String())))
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

// cancel ends what waits, and stops what runs.
func (d decision) cancel() []Intent {
	var runs []run.Run
	for _, p := range d.chosen() {
		for _, r := range []*run.Run{p.Plan, p.Apply} {
			if r != nil && !r.Status.Finished() {
				runs = append(runs, *r)
			}
		}
	}
	for _, r := range d.Others {
		if d.command.Filter.Match(r.Project) {
			runs = append(runs, r)
		}
	}
	if len(runs) == 0 {
		return d.none("Nothing of this pull request is running or waiting.")
	}
	return []Intent{CancelRuns{Change: *d.Change, Runs: runs}}
}

// retry goes on with applies that failed, or whose end nobody saw.
func (d decision) retry() []Intent {
	var failed []run.Run
	for _, p := range d.chosen() {
		if p.Apply == nil || (p.Apply.Status != run.Failed && p.Apply.Status != run.Interrupted) {
			continue
		}
		if why := verdictTrouble(*p.Plan); why != "" {
			return d.refuse("**Nothing was applied.** %s", why)
		}
		if closed := d.closed(actOf(*p.Plan), &p); len(closed) > 0 {
			return d.refuse("%s", comment.Refusal("**Nothing was applied.** "+markdown.Code(p.Plan.Project.Name)+" can't be applied now.", closed))
		}
		failed = append(failed, *p.Apply)
	}
	if len(failed) == 0 {
		return d.none("No apply of this pull request has failed, so there is nothing to try again.")
	}
	return []Intent{RetryApplies{Change: *d.Change, Failed: failed}}
}

func (d decision) rollback() []Intent {
	p := *d.Pull
	switch {
	case p.Merged && applying(d.Pairs):
		return d.refuse("An apply is running. Comment `rollback` when it has finished, or `cancel` it first.")
	case p.Merged:
		return []Intent{Rollback{p}}
	case !p.Open:
		return d.refuse("This pull request was closed without having been merged: there is no commit to take back.")
	}
	return d.refuse("This pull request is not merged, so there is no commit to take back. " +
		"What was applied of it is taken back by a plan of the base branch: push a commit that undoes the change, read its plan, then `apply`. Or mend the cause and comment `retry`.")
}

// drift looks for differences between the state and the world in the change's
// projects.
func (d decision) drift() []Intent {
	switch {
	case d.Pull.Fork() && (d.Change == nil || d.Change.Trusted.Name == ""):
		return d.refuse("%s", forkNotice(*d.Pull))
	case d.Change == nil || len(d.Pairs) == 0:
		return d.refuse("The head commit `%s` has not been planned yet, so its projects are not known. Comment `plan` first.", comment.Short(d.Pull.HeadSHA))
	}
	var projects []planner.Project
	for _, p := range d.chosen() {
		projects = append(projects, p.Plan.Project)
	}
	if len(projects) == 0 {
		return d.none("This pull request touches no project.")
	}
	return []Intent{CompareWorld{Change: *d.Change, Projects: projects, Options: d.command.Options}}
}

// operate does a state operation on the one project that is named.
func (d decision) operate() []Intent {
	p := *d.Pull
	switch {
	case p.Fork():
		return d.refuse("No state is changed for a fork's pull request.")
	case !p.Open && !p.Merged:
		return d.refuse("This pull request is closed. Reopen it first.")
	case d.Change == nil || len(d.Pairs) == 0:
		return d.refuse("The head commit `%s` has not been planned yet, so its projects are not known. Comment `plan` first.", comment.Short(p.HeadSHA))
	case applying(d.Pairs):
		return d.refuse("An apply is running. Say it again when that has finished.")
	}
	pairs := d.chosen()
	if len(pairs) == 0 {
		return d.none("This pull request touches no project.")
	}
	if len(pairs) > 1 {
		return d.refuse("`%s` works on one project: name it with `-p %s`, for one.", d.command.Verb, markdown.Word(command.Quote(pairs[0].Plan.Project.Name)))
	}
	verdicts := d.verdicts(gate.ActApply, nil)
	if closed := gate.Closed(verdicts); len(closed) > 0 {
		return d.refuse("%s", comment.Refusal("**The state was not changed.**", closed))
	}
	plan := *pairs[0].Plan
	return []Intent{Operate{Change: *d.Change, Project: plan.Project, Operation: d.command.Operation, Gates: record(gate.ActApply, *d.Change, plan, verdicts, d.Gate.Now)}}
}
