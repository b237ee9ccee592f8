package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// refetch reads a pull again, because something may have happened to it without
// a word, and decides as the webhook would have had it that never came.
func (b *Bot) refetch(ctx context.Context, job queue.Job[refetchJob]) error {
	repo, client, err := b.working(ctx, job.Args.Repo)
	if err != nil || client.Status != clients.Active {
		return err
	}
	stored, err := b.storedPull(ctx, repo.ID, job.Args.Pull)
	if err != nil {
		return err
	}
	look := missedEvent("synchronize", stored, run.Pull{Repo: repo.ID, Number: job.Args.Pull})
	look.Installation = github.Installation{ID: client.InstallationID, Account: client.Name}
	f, err := b.gather(ctx, look, repo)
	if err != nil {
		return wait(err)
	}
	if f.Pull == nil {
		return nil // gone
	}
	action := missed(stored, *f.Pull)
	if action == "" {
		return nil
	}
	e := missedEvent(action, stored, *f.Pull)
	e.Installation = look.Installation
	e.Sender = github.User{Login: job.Args.Actor.Name, ID: job.Args.Actor.ID, Type: "User"}
	if job.Args.Actor.Kind == "bot" {
		e.Sender.Type = "Bot"
	}
	if Needs(e, b.name()) != Needs(look, b.name()) {
		if f, err = b.gather(ctx, e, repo); err != nil {
			return wait(err)
		}
	}
	return wait(b.carryOut(ctx, repo, job.Args.Actor, fmt.Sprintf("refetch-%d", job.ID), Decide(e, f)))
}

// working returns a repository and its client.
func (b *Bot) working(ctx context.Context, id int64) (clients.Repo, clients.Client, error) {
	repo, err := b.Clients.Repo(ctx, b.DB, id)
	if err != nil {
		return repo, clients.Client{}, err
	}
	c, err := b.Clients.Client(ctx, b.DB, repo.ClientID)
	return repo, c, err
}

// storedPull returns what is known of a pull, nil where nothing is.
func (b *Bot) storedPull(ctx context.Context, repo int64, number int) (*run.Pull, error) {
	p, err := b.Runs.Pull(ctx, b.DB, repo, number)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	return &p, err
}

// missed returns which webhook about a pull never came, by what it would have
// told: "" where nothing differs, else the action. Pure.
func missed(stored *run.Pull, now run.Pull) string {
	switch {
	case stored == nil && now.Open:
		return "opened"
	case stored == nil && now.Merged:
		return "closed"
	case stored == nil:
		return "" // opened and closed again: nobody waits for anything
	case stored.Open && !now.Open, !stored.Merged && now.Merged:
		return "closed"
	case !now.Open:
		return ""
	case !stored.Open:
		return "reopened"
	case stored.BaseRef != now.BaseRef:
		return "edited"
	case stored.HeadSHA != now.HeadSHA:
		return "synchronize"
	case stored.Draft && !now.Draft:
		return "ready_for_review"
	case !stored.Draft && now.Draft:
		return "converted_to_draft"
	}
	for _, l := range stored.Labels {
		if !slices.Contains(now.Labels, l) {
			return "unlabeled"
		}
	}
	for _, l := range now.Labels {
		if !slices.Contains(stored.Labels, l) {
			return "labeled"
		}
	}
	return ""
}

// missedEvent is the webhook about a pull that never came.
func missedEvent(action string, stored *run.Pull, now run.Pull) github.Event {
	e := github.Event{Kind: "pull_request", Action: action, Repo: github.Repo{ID: now.Repo}, Number: now.Number, OnPull: true, After: now.HeadSHA}
	if stored != nil {
		e.Before = stored.HeadSHA
		if action == "edited" {
			e.BaseFrom = &github.BaseFrom{Ref: stored.BaseRef, SHA: stored.BaseSHA}
		}
	}
	return e
}

// commentEvent is the webhook about a comment that never came.
func (b *Bot) commentEvent(repo clients.Repo, installation int64, k github.PullComment) github.Event {
	return github.Event{
		Kind: "issue_comment", Action: "created", Number: k.Pull, OnPull: true, Comment: &k.Comment,
		Installation: github.Installation{ID: installation, Account: repo.Owner},
		Repo:         github.Repo{ID: repo.ID, Owner: repo.Owner, Name: repo.Name, DefaultBranch: repo.DefaultBranch, CloneURL: repo.CloneURL},
		Sender:       github.User{Login: k.Author, ID: k.AuthorID, Type: k.AuthorType},
	}
}

// command reports whether the comment might give a command. One that was
// edited does not: an edit could put a command into another's mouth, and what
// it first said is not told.
func (b *Bot) command(repo clients.Repo, k github.PullComment) bool {
	return !k.EditedAt.After(k.CreatedAt) && Idle(b.commentEvent(repo, 0, k), b.name()) == ""
}

// clockLeeway is by how much GitHub's clock and ours may differ.
const clockLeeway = 5 * time.Second

// missedCommentJob is a comment whose webhook never came.
type missedCommentJob struct {
	Client  string `json:"client"`
	Repo    int64  `json:"repo"`
	Pull    int    `json:"pull"`
	Comment int64  `json:"comment"`
}

func (missedCommentJob) Kind() string { return "missed_comment" }

// missedComment obeys a comment whose webhook never came.
func (b *Bot) missedComment(ctx context.Context, job queue.Job[missedCommentJob]) error {
	a := job.Args
	if b.name() == "" {
		return wait(errNameless)
	}
	if heard, err := b.Runs.Heard(ctx, b.DB, a.Repo, a.Comment); err != nil || heard {
		return err
	}
	repo, c, err := b.working(ctx, a.Repo)
	if err != nil || c.Status != clients.Active {
		return err
	}
	k, err := b.App.Installation(c.InstallationID).Comment(ctx, repo.ID, a.Comment)
	if errs.Is(err, errs.NotFound) {
		return nil // deleted: its author took it back
	}
	if err != nil {
		return wait(err)
	}
	comment := github.PullComment{Comment: k, Pull: a.Pull}
	if !b.command(repo, comment) {
		return nil
	}
	e := b.commentEvent(repo, c.InstallationID, comment)
	facts, err := b.gather(ctx, e, repo)
	if err != nil {
		return wait(err)
	}
	intents := lateApply(Decide(e, facts), k.CreatedAt)
	if !slices.ContainsFunc(intents, func(in Intent) bool { _, ok := in.(React); return ok }) {
		// What is ignored is settled with that, so that nobody asks again.
		return b.DB.Tx(ctx, func(tx *db.Tx) error {
			_, err := b.Runs.Hear(ctx, tx, repo.ID, k.ID)
			return err
		})
	}
	return wait(b.carryOut(ctx, repo, actorOf(e.Sender), fmt.Sprintf("comment-%d", k.ID), intents))
}

// lateApply refuses to apply plans that the comment's author can't have seen,
// because they were made after it was written. Pure.
func lateApply(intents []Intent, written time.Time) []Intent {
	out := slices.Clone(intents)
	for i, in := range out {
		apply, ok := in.(ApplyPlans)
		if !ok {
			continue
		}
		for _, p := range apply.Plans {
			if p.Finished.After(written.Add(clockLeeway)) {
				out[i] = Reply{apply.Change.Pull, "**Nothing was applied.** GitHub told of your `apply` late, and the plan has changed since you wrote it. Read the present one, then comment `apply` again."}
				break
			}
		}
	}
	return out
}
