package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// deliver works off one stored delivery: it reads the event, gathers the facts
// that it must be decided with, decides, and carries the intents out together
// with the delivery's end. A body that can't be read is set aside with its
// error and keeps nothing else waiting.
func (b *Bot) deliver(ctx context.Context, job queue.Job[deliveryJob]) error {
	var (
		event, status string
		body          []byte
	)
	err := b.DB.QueryRowContext(ctx, `SELECT event, status, body FROM deliveries WHERE guid=$1`, job.Args.GUID).Scan(&event, &status, &body)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && status != "queued") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delivery %s: %w", job.Args.GUID, err)
	}
	e, err := github.ParseEvent(event, body)
	if err == nil {
		err = b.handle(ctx, e, job.Args.GUID)
	}
	if github.Gone(err) {
		// Nothing can be asked or told there. Should it come back, what was
		// missed is found by looking.
		return b.DB.Tx(ctx, func(tx *db.Tx) error {
			return endDelivery(ctx, tx, job.Args.GUID, "ignored", "the GitHub App is suspended or no longer installed there")
		})
	}
	if errs.Is(err, errs.Invalid) || (err != nil && job.Attempt >= job.MaxAttempts) {
		return b.setAside(ctx, job.Args.GUID, err)
	}
	return wait(err)
}

// setAside ends a delivery that nobody can work off, and makes its job dead,
// so that it shows in both places.
func (b *Bot) setAside(ctx context.Context, guid string, cause error) error {
	err := b.DB.Tx(ctx, func(tx *db.Tx) error { return endDelivery(ctx, tx, guid, "failed", cause.Error()) })
	if err != nil {
		return err
	}
	return queue.Discard(cause)
}

func endDelivery(ctx context.Context, tx *db.Tx, guid, status, note string) error {
	if guid == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET status=$2, error=$3 WHERE guid=$1`, guid, status, note)
	return err
}

// wait turns "later" into the queue's: the job sleeps as long as GitHub asked
// for, or until the work tree may be free, without spending an attempt.
func wait(err error) error {
	if d, ok := github.RetryAfter(err); ok {
		return queue.Snooze(d)
	}
	if errors.Is(err, errNameless) {
		return queue.Snooze(namelessPause)
	}
	if errors.Is(err, errTreeBusy) {
		return queue.Snooze(time.Second)
	}
	return err
}

func (b *Bot) handle(ctx context.Context, e github.Event, guid string) error {
	switch e.Kind {
	case "installation", "installation_repositories":
		return b.installed(ctx, e, guid)
	}
	if e.Installation.ID == 0 || e.Repo.ID == 0 {
		return b.DB.Tx(ctx, func(tx *db.Tx) error {
			return endDelivery(ctx, tx, guid, "ignored", "not an event of an installed repository")
		})
	}
	repo, err := b.known(ctx, e, guid)
	if errs.Is(err, errs.Conflict) {
		// It was transferred from one client to another. What is known of it,
		// its states above all, is the former one's, and never crosses over.
		return b.setAside(ctx, guid, err)
	}
	if err != nil {
		return err
	}
	if e.Kind == "repository" {
		return b.repository(ctx, e, repo, guid)
	}
	if err := b.pushed(ctx, e, repo); err != nil {
		return err
	}
	facts, err := b.gather(ctx, e, repo)
	if err != nil {
		return err
	}
	intents := Decide(e, facts)
	if e.Comment != nil && !e.Comment.CreatedAt.IsZero() {
		intents = lateApply(intents, e.Comment.CreatedAt)
	}
	return b.carryOut(ctx, repo, actorOf(e.Sender), guid, intents)
}

// actorOf returns the sender of an event as who acts.
func actorOf(u github.User) access.Actor {
	actor := access.Actor{Kind: "user", Name: u.Login, ID: u.ID}
	if u.Type == "Bot" {
		actor.Kind = "bot"
	}
	return actor
}

// known makes sure that the event's client and repository have rows.
func (b *Bot) known(ctx context.Context, e github.Event, guid string) (clients.Repo, error) {
	repo, err := b.Clients.Repo(ctx, b.DB, e.Repo.ID)
	if err == nil && repo.Owner == e.Repo.Owner && repo.Name == e.Repo.Name && repo.DefaultBranch == e.Repo.DefaultBranch {
		return repo, nil
	}
	err = b.DB.Tx(ctx, func(tx *db.Tx) error {
		client, err := b.Clients.Ensure(ctx, tx, clients.Installation{ID: e.Installation.ID, Account: e.Installation.Account, AccountID: e.Installation.AccountID})
		if err != nil {
			return err
		}
		repo, err = b.Clients.EnsureRepo(ctx, tx, client, clients.Repo{
			ID: e.Repo.ID, Owner: e.Repo.Owner, Name: e.Repo.Name, DefaultBranch: e.Repo.DefaultBranch, CloneURL: e.Repo.CloneURL,
		})
		return err
	})
	return repo, err
}

func pullOf(p github.Pull, repo clients.Repo) run.Pull {
	return run.Pull{
		Repo: repo.ID, Number: p.Number, Client: repo.ClientID, Title: p.Title, Author: p.Author, AuthorID: p.AuthorID,
		HeadSHA: p.HeadSHA, HeadRef: p.HeadRef, HeadRepo: p.HeadRepoID, BaseSHA: p.BaseSHA, BaseRef: p.BaseRef,
		Open: p.State == "open", Merged: p.Merged, MergeSHA: p.MergeSHA, Draft: p.Draft, Labels: p.Labels,
	}
}

// carryOut does what was decided, all of it or nothing, together with the end
// of the delivery.
func (b *Bot) carryOut(ctx context.Context, repo clients.Repo, actor access.Actor, guid string, intents []Intent) error {
	var stop []string
	err := b.DB.Tx(ctx, func(tx *db.Tx) error {
		stop = nil
		status, note := "done", ""
		for i, in := range intents {
			if ignore, ok := in.(Ignore); ok {
				status, note = "ignored", ignore.Why
				continue
			}
			if react, ok := in.(React); ok {
				first, err := b.Runs.Hear(ctx, tx, repo.ID, react.Comment)
				if err != nil {
					return err
				}
				if !first { // it came by another way meanwhile
					return endDelivery(ctx, tx, guid, "ignored", "its commands were obeyed already")
				}
			}
			status, note = "done", ""
			running, err := b.carryOne(ctx, tx, repo, actor, fmt.Sprintf("%s-%d", guid, i), in)
			if err != nil {
				return err
			}
			stop = append(stop, running...)
		}
		return endDelivery(ctx, tx, guid, status, note)
	})
	b.stop(ctx, stop)
	return err
}

// stop ends plans that nobody wants any more. Their rows are marked already,
// so that a failure here costs time only.
// Whoever watches a run hears of it too: one that has not begun yet has no
// process to be stopped, and an apply is stopped by who watches it alone.
func (b *Bot) stop(ctx context.Context, runs []string) {
	b.nudges.all()
	var ends sync.WaitGroup
	for _, id := range runs {
		ends.Go(func() {
			if err := b.Runner.Stop(ctx, id); err != nil {
				b.Log.Warn("superseded run not stopped yet", keyRun, id, "error", err)
			}
		})
	}
	ends.Wait()
}

func (b *Bot) carryOne(ctx context.Context, tx *db.Tx, repo clients.Repo, actor access.Actor, key string, in Intent) (stop []string, err error) {
	reply := func(pull int, text string) error {
		return b.Queue.Enqueue(ctx, tx, replyJob{repo.ClientID, repo.ID, pull, key, text})
	}
	switch in := in.(type) {
	case SavePull:
		return nil, b.Runs.SavePull(ctx, tx, in.Pull)
	case PlanHead:
		return b.planHead(ctx, tx, in, actor)
	case ApplyPlans:
		return nil, b.applyPlans(ctx, tx, in, actor)
	case RetryApplies:
		return nil, b.retryApplies(ctx, tx, in, actor)
	case Operate:
		return nil, b.operate(ctx, tx, in, actor)
	case CompareWorld:
		return nil, b.compareWorld(ctx, tx, in, key, actor)
	case CancelRuns:
		return b.cancelRuns(ctx, tx, in, actor)
	case WaiveFindings:
		return nil, b.waiveFindings(ctx, tx, in, actor)
	case RevokeWaivers:
		return nil, b.revokeWaivers(ctx, tx, in, actor)
	case ApproveCost:
		return nil, b.approveCost(ctx, tx, in, actor)
	case RevokeCost:
		text, err := b.revokeCost(ctx, tx, in, actor)
		if err != nil {
			return nil, err
		}
		return nil, reply(in.Change.Pull, text)
	case Rollback:
		return nil, b.Queue.Enqueue(ctx, tx, rollbackJob{repo.ClientID, repo.ID, in.Pull.Number, key, actor}, queue.Unique(key))
	case ApplyMerge:
		return b.applyMerge(ctx, tx, in.Pull, actor)
	case ClosePull:
		return b.closePull(ctx, tx, in.Pull, actor)
	case UnlockPull:
		return nil, b.unlock(ctx, tx, repo, in.Locks, actor, key)
	case PlanGroup:
		return nil, b.planGroup(ctx, tx, in, actor)
	case CloseGroup:
		return b.Runs.CloseGroup(ctx, tx, in.Repo, in.Head)
	case Refetch:
		return nil, b.Queue.Enqueue(ctx, tx, refetchJob{repo.ClientID, in.Repo, in.Number, actor}, queue.Coalesce(fmt.Sprintf("%d/%d", in.Repo, in.Number)), queue.For(repo.ClientID))
	case Reply:
		return nil, reply(in.Number, in.Text)
	case ReplyCost:
		v, err := b.view(ctx, in.Change)
		if err != nil {
			return nil, err
		}
		return nil, reply(in.Change.Pull, comment.Cost(v))
	case ReplyVersion:
		return nil, reply(in.Number, b.versions())
	case React:
		return nil, b.Queue.Enqueue(ctx, tx, reactJob{repo.ClientID, repo.ID, in.Comment})
	}
	return nil, fmt.Errorf("carry out: unknown intent %T", in)
}

func (b *Bot) closePull(ctx context.Context, tx *db.Tx, p run.Pull, actor access.Actor) ([]string, error) {
	if err := b.Runs.SavePull(ctx, tx, p); err != nil {
		return nil, err
	}
	stop, freed, err := b.Runs.ClosePull(ctx, tx, p, actor)
	if err != nil {
		return nil, err
	}
	for _, k := range freed {
		if err := b.wakeNext(ctx, tx, k); err != nil {
			return nil, err
		}
	}
	return stop, b.tellPull(ctx, tx, p)
}

func (b *Bot) planHead(ctx context.Context, tx *db.Tx, in PlanHead, actor access.Actor) ([]string, error) {
	if err := b.Runs.SavePull(ctx, tx, in.Pull); err != nil {
		return nil, err
	}
	opened, err := b.openChange(ctx, tx, in.Pull, actor)
	if err != nil {
		return nil, err
	}
	if in.Trust {
		if err := b.Runs.Trust(ctx, tx, opened.Change, actor); err != nil {
			return nil, err
		}
	}
	if !opened.Created && !in.Again {
		return opened.Stop, nil
	}
	job := planJob{Change: opened.Change.ID, Filter: in.Filter, Options: in.Options, Actor: actor, Asked: in.Again}
	if err := b.Queue.Enqueue(ctx, tx, job, queue.For(in.Pull.Client)); err != nil {
		return nil, err
	}
	return opened.Stop, b.tell(ctx, tx, opened.Change.ID, false) // should finding the projects take long
}

// openChange opens the change of the pull's head and has the checks of the
// heads before it closed.
func (b *Bot) openChange(ctx context.Context, tx *db.Tx, p run.Pull, actor access.Actor) (run.Opened, error) {
	opened, err := b.Runs.OpenChange(ctx, tx, p, actor)
	if err != nil {
		return opened, err
	}
	for _, id := range opened.Cut {
		if err := b.tell(ctx, tx, id, true); err != nil {
			return opened, err
		}
	}
	return opened, nil
}

// applyMerge notes the merge and has it applied: once, however often GitHub
// tells of it. A head that was never planned is planned now, but nobody can
// have reviewed that plan, so a person must say `apply`.
func (b *Bot) applyMerge(ctx context.Context, tx *db.Tx, p run.Pull, actor access.Actor) ([]string, error) {
	if err := b.Runs.SavePull(ctx, tx, p); err != nil {
		return nil, err
	}
	opened, err := b.openChange(ctx, tx, p, actor)
	if err != nil {
		return nil, err
	}
	if err := b.Runs.SetMerged(ctx, tx, opened.Change, p.MergeSHA, actor); err != nil {
		return nil, err
	}
	if err := b.ledgerMerged(ctx, tx, opened.Change); err != nil {
		return nil, err
	}
	if opened.Created {
		if err := b.Queue.Enqueue(ctx, tx, planJob{Change: opened.Change.ID, Actor: actor}, queue.For(p.Client)); err != nil {
			return nil, err
		}
	}
	return opened.Stop, b.Queue.Enqueue(ctx, tx, mergedJob{Change: opened.Change.ID, Actor: actor, Unseen: opened.Created},
		queue.Unique(opened.Change.ID), queue.For(p.Client))
}

// tellPull brings the comment of the pull's present change up to date, where
// it has one.
func (b *Bot) tellPull(ctx context.Context, tx *db.Tx, p run.Pull) error {
	c, err := b.Runs.ChangeAt(ctx, tx, p.Repo, p.Number, p.HeadSHA)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.tell(ctx, tx, c.ID, true)
}

func (b *Bot) unlock(ctx context.Context, tx *db.Tx, repo clients.Repo, locks []run.Lock, actor access.Actor, key string) error {
	var names []string
	for _, l := range locks {
		if err := b.Runs.Unlock(ctx, tx, l, actor); errs.Is(err, errs.Conflict) {
			return b.Queue.Enqueue(ctx, tx, replyJob{repo.ClientID, repo.ID, l.Pull, key, errs.Sentence(err)})
		} else if err != nil {
			return err
		}
		names = append(names, "`"+markdown.Word(l.Dir)+"`")
		if err := b.wakeNext(ctx, tx, l.Key); err != nil {
			return err
		}
	}
	l := locks[0]
	if err := b.tell(ctx, tx, l.Change, true); err != nil {
		return err
	}
	text := fmt.Sprintf("Unlocked %s. Before anything of this pull request is applied there, its plan is checked against the state again.", strings.Join(names, ", "))
	return b.Queue.Enqueue(ctx, tx, replyJob{repo.ClientID, repo.ID, l.Pull, key, text})
}

// wakeNext queues the run that waited longest for the project, and with it what
// else of its pull request waits there: the lock will be theirs together.
func (b *Bot) wakeNext(ctx context.Context, tx *db.Tx, k run.Key) error {
	waiting, err := b.Runs.Waiting(ctx, tx, k)
	if err != nil {
		return err
	}
	for _, r := range waiting {
		if r.Pull != waiting[0].Pull {
			continue
		}
		if err := b.Runs.Unblock(ctx, tx, r); err != nil {
			return err
		}
		if err := b.tell(ctx, tx, r.Change, true); err != nil {
			return err
		}
		if err := b.enqueueRun(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}
