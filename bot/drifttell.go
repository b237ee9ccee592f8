package bot

import (
	"context"
	"errors"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/planner"
)

// driftTelling is how long one worker may write of a repository's drift, and
// driftClaim when another may take over: not before that one has given up.
const (
	driftTelling = 10 * time.Minute
	driftClaim   = driftTelling + time.Minute
)

// driftTell brings GitHub up to date about a repository's drift: the pull
// requests that would take it back, and then the issue, which names them. What
// GitHub does not allow is told to whoever looks here, and keeps nothing else
// from being done.
func (b *Bot) driftTell(ctx context.Context, job queue.Job[driftTellJob]) error {
	repo, client, err := b.working(ctx, job.Args.Repo)
	if err != nil || client.Status != clients.Active || repo.Status != clients.Active {
		return err
	}
	err = b.Drift.BeginTelling(ctx, client.ID, repo.ID, b.Node, driftClaim)
	if errors.Is(err, drift.ErrBusy) {
		return queue.Snooze(500 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	t := driftTeller{Bot: b, gh: b.App.Installation(client.InstallationID), repo: repo}
	err = t.tell(ctx)
	if end := b.Drift.EndTelling(context.WithoutCancel(ctx), repo.ID, t.trouble); err == nil {
		err = end
	}
	if t.trouble != "" {
		b.Log.Warn("drift could not be told on GitHub", keyRepo, repo.FullName(), "trouble", t.trouble)
	}
	if github.Gone(err) {
		return queue.Discard(err)
	}
	return wait(err)
}

// driftTeller tells of one repository.
type driftTeller struct {
	*Bot
	gh      *github.Client
	repo    clients.Repo
	known   drift.Repo
	watches []drift.Watch
	trouble string // why something could not be told, for people
}

func (t *driftTeller) tell(ctx context.Context) error {
	var err error
	if t.known, err = t.Drift.Repo(ctx, t.DB, t.repo.ID); err != nil {
		return err
	}
	if t.watches, err = t.Drift.Watches(ctx, t.DB, t.repo.ID); err != nil {
		return err
	}
	all, err := t.Drift.Projects(ctx, t.DB, "", t.repo.ID)
	if err != nil {
		return err
	}
	var shown []comment.DriftProject
	for _, p := range all {
		view := comment.DriftProject{Project: p}
		if p.Status != drift.Clean { // of what is clean there is nothing to show
			if view.Last, err = t.Runs.Run(ctx, t.DB, p.Run); err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
		}
		watch := drift.WatchOf(t.watches, p.Key())
		if view.Remedy, view.RemedyDigest, err = t.remedy(ctx, view, watch.Remediate == planner.RemediatePull); err != nil {
			return err
		}
		if watch.Remediate != planner.RemediateOff {
			shown = append(shown, view)
		}
	}
	return t.issue(ctx, shown)
}

// refused notes what GitHub does not allow; any other error is returned.
func (t *driftTeller) refused(what string, err error) error {
	if github.Gone(err) || !(errs.Is(err, errs.Forbidden) || errs.Is(err, errs.Conflict) || errs.Is(err, errs.Invalid)) {
		return err
	}
	if t.trouble != "" {
		t.trouble += "\n"
	}
	t.trouble += what + " " + errs.Sentence(err)
	return nil
}

// remedy sees to the pull request that would take the project's drift back, and
// returns which that is now.
func (t *driftTeller) remedy(ctx context.Context, p comment.DriftProject, wanted bool) (int, string, error) {
	var seen drift.Remedy
	if p.Remedy != 0 {
		pull, err := t.gh.Pull(ctx, t.repo.ID, p.Remedy)
		if err != nil && !errs.Is(err, errs.NotFound) || github.Gone(err) {
			return p.Remedy, p.RemedyDigest, err
		}
		seen = drift.Remedy{There: err == nil, Open: pull.State == "open", Merged: pull.Merged}
	}
	switch drift.Remedied(p.Project, wanted, seen) {
	case drift.Offer, drift.Refresh:
		pull, err := t.offer(ctx, p)
		if err != nil {
			what := "The pull request that would take drift back could not be opened."
			if errs.Is(err, errs.Forbidden) {
				what = "No pull request takes the drift back: that needs the App's permission Contents: write."
			}
			return p.Remedy, p.RemedyDigest, t.refused(what, err)
		}
		return pull, p.Digest, t.Drift.SetRemedy(ctx, p.Project, pull, p.Digest)
	case drift.Retract:
		if _, err := t.gh.CreateComment(ctx, t.repo.ID, p.Remedy, comment.DriftRetracted); err != nil && !unreadable(err) {
			return p.Remedy, p.RemedyDigest, err
		}
		if err := t.gh.ClosePull(ctx, t.repo.ID, p.Remedy, planner.DriftBranch(p.Planner())); err != nil {
			return p.Remedy, p.RemedyDigest, t.refused("The pull request that was to take drift back could not be closed.", err)
		}
		return 0, "", t.Drift.SetRemedy(ctx, p.Project, 0, "")
	case drift.Forget:
		return 0, "", t.Drift.SetRemedy(ctx, p.Project, 0, "")
	}
	return p.Remedy, p.RemedyDigest, nil
}

// offer opens the pull request that would take the drift back, or brings it up
// to date. A crash afterwards is no harm: the next attempt finds it by its
// branch.
func (t *driftTeller) offer(ctx context.Context, p comment.DriftProject) (int, error) {
	src, err := t.source(ctx, t.repo)
	if err != nil {
		return 0, err
	}
	tip, err := t.Checkout.Tip(ctx, src, t.repo.DefaultBranch)
	if err != nil {
		return 0, err
	}
	title, body := comment.DriftOffer(p, t.known.Issue.Number)
	pull, err := t.gh.OfferFile(ctx, t.repo.ID, t.repo.Owner, github.Offer{
		Base: t.repo.DefaultBranch, BaseSHA: tip, Branch: planner.DriftBranch(p.Planner()), Path: planner.DriftReport(p.Planner()),
		Content: comment.DriftReport(p), Message: title, Title: title, Body: body,
	})
	return pull.Number, err
}

// issue brings the repository's drift issue up to date.
func (t *driftTeller) issue(ctx context.Context, shown []comment.DriftProject) error {
	all := make([]drift.Project, len(shown))
	for i, p := range shown {
		all[i] = p.Project
	}
	view := comment.DriftView{Repo: t.repo, Projects: shown}
	if t.PublicURL != "" {
		view.URL = t.PublicURL + "/drift"
	}
	title, body := comment.DriftIssue(view)
	shows := fingerprint([]string{title, body})
	is := t.known.Issue
	var seen drift.Seen
	if drift.Asks(is, all) {
		now, err := t.gh.Issue(ctx, t.repo.ID, is.Number)
		if err != nil && !errs.Is(err, errs.NotFound) || github.Gone(err) {
			return err
		}
		seen = drift.Seen{There: err == nil, Open: now.Open}
	}
	step, next := drift.Decide(is, all, seen, shows)
	err := t.step(ctx, step, &next, len(all) > 0 && drift.Digest(all) == "", title, body, shows)
	if refused := t.refused("The repository's drift issue can't be written.", err); err != nil {
		return refused
	}
	if next == is {
		return nil
	}
	return t.Drift.SetIssue(ctx, t.known, next)
}

// step does what was decided; next is what is then stored of the issue.
func (t *driftTeller) step(ctx context.Context, step drift.Step, next *drift.Issue, clean bool, title, body, shows string) error {
	switch step {
	case drift.Make:
		return t.open(ctx, next, clean, title, body, shows)
	case drift.Update, drift.Reopen, drift.Close:
		if err := t.gh.EditIssue(ctx, t.repo.ID, next.Number, title, body, step != drift.Close); err != nil {
			return err
		}
		next.Shown = shows
	}
	return nil
}

// open opens the issue. That it is about to be is stored before: after a crash
// in between, it is looked for instead of being opened a second time.
func (t *driftTeller) open(ctx context.Context, next *drift.Issue, clean bool, title, body, shows string) error {
	if t.known.Issue.State == drift.IssueIntended {
		found, ok, err := t.gh.FindIssue(ctx, t.repo.ID, t.Name, comment.DriftMark(t.repo.ID))
		if err != nil {
			return err
		}
		if ok {
			*next = drift.Issue{Number: found.Number, State: drift.IssueOpen, Shown: shows}
			if clean {
				next.State = drift.IssueClosed
			}
			return t.gh.EditIssue(ctx, t.repo.ID, found.Number, title, body, !clean)
		}
		if clean {
			*next = drift.Issue{}
			return nil
		}
	}
	if err := t.Drift.SetIssue(ctx, t.known, *next); err != nil {
		return err
	}
	made, err := t.gh.NewIssue(ctx, t.repo.ID, title, body)
	if err != nil {
		return err
	}
	*next = drift.Issue{Number: made.Number, State: drift.IssueOpen, Shown: shows}
	return nil
}
