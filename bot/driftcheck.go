package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// tipPull stands for the pull that a change of a branch does not have: what
// its commits are reachable from, and where its configuration is.
func tipPull(repo int64, branch string) run.Pull {
	return run.Pull{Repo: repo, HeadRepo: repo, BaseRef: branch, HeadRef: branch, Open: true}
}

// driftCheck finds the projects that a check is of and queues a comparison for
// each.
func (b *Bot) driftCheck(ctx context.Context, job queue.Job[driftCheckJob]) error {
	c, err := b.Drift.Check(ctx, b.DB, job.Args.Check)
	if errs.Is(err, errs.NotFound) || err == nil && c.Status != drift.Queued {
		return nil
	}
	if err != nil {
		return err
	}
	repo, client, err := b.working(ctx, c.Repo)
	if err != nil {
		return err
	}
	if client.Status != clients.Active || repo.Status != clients.Active || repo.DefaultBranch == "" {
		return b.breakCheck(ctx, c, "The GitHub App is not installed there any more.")
	}
	cfg, all, tip, err := b.projectsAtTip(ctx, repo)
	switch {
	case err == nil:
	case unreadable(err), job.Last():
		return b.breakCheck(ctx, c, errs.Sentence(err))
	default:
		return wait(err)
	}
	var wanted []planner.Project
	there := map[string]bool{}
	for _, p := range all {
		there[p.Key()] = true
		if c.Wanted.Takes(p) {
			wanted = append(wanted, p)
		}
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		if ok, err := b.Drift.Move(ctx, tx, c.ID, drift.Queued, drift.Running, tip, ""); err != nil || !ok {
			return err
		}
		if err := b.saveWatches(ctx, tx, repo, cfg, ""); err != nil {
			return err
		}
		if err := b.Drift.Drop(ctx, tx, repo.ID, func(key string) bool { return there[key] }); err != nil {
			return err
		}
		change, err := b.Runs.OpenBranch(ctx, tx, repo.ClientID, repo.ID, repo.DefaultBranch, tip)
		if err != nil {
			return err
		}
		runs, err := b.Runs.AddDrift(ctx, tx, change, wanted, planner.Options{}, tip, c.ID, c.Actor)
		if err != nil {
			return err
		}
		for _, r := range runs {
			if err := b.enqueueRun(ctx, tx, r); err != nil {
				return err
			}
		}
		return b.checkDone(ctx, tx, c.ID, c.Client, c.Repo) // where there is nothing to compare
	})
}

// projectsAtTip returns the repository's configuration and its projects that
// have a state, as they are at the tip of its default branch.
func (b *Bot) projectsAtTip(ctx context.Context, repo clients.Repo) (cfg planner.RepoConfig, all []planner.Project, tip string, err error) {
	src, err := b.source(ctx, repo)
	if err != nil {
		return cfg, nil, "", err
	}
	p := tipPull(repo.ID, repo.DefaultBranch)
	if tip, err = b.Checkout.Tip(ctx, src, repo.DefaultBranch); err != nil {
		return cfg, nil, "", err
	}
	p.BaseSHA = tip
	if cfg, _, err = b.repoConfig(ctx, src, p); err != nil {
		return cfg, nil, "", err
	}
	if src, err = b.withSubmodules(ctx, repo, p, src, cfg); err != nil {
		return cfg, nil, "", err
	}
	root, err := b.Checkout.TreeFS(ctx, src, refs(run.Change{Branch: repo.DefaultBranch}, p), tip)
	if err != nil {
		return cfg, nil, "", err
	}
	defer root.Close()
	found, _, err := planner.Discover(root, cfg)
	if err != nil {
		return cfg, nil, "", err
	}
	for _, p := range found {
		if p.Missing {
			continue
		}
		has, err := b.hasState(ctx, repo, p)
		if err != nil {
			return cfg, nil, "", err
		}
		if has {
			all = append(all, p)
		}
	}
	return cfg, all, tip, nil
}

// driftPause is how long a comparison waits before it looks again whether it is
// its turn.
const driftPause = 5 * time.Second

// driftRun compares one project with the world, when nobody's work is kept
// waiting by that: no pull's plan waits for a worker or for room on this
// machine, and nothing is applied to the project. One that they meet half-way
// is stopped, and done again after them.
func (b *Bot) driftRun(ctx context.Context, job queue.Job[driftRunJob]) error {
	r, err := b.Runs.Run(ctx, b.DB, job.Args.Run)
	if errs.Is(err, errs.NotFound) || err == nil && r.Status.Finished() {
		return nil
	}
	if err != nil {
		return err
	}
	if !b.adoptable(r.ID) {
		if waiting, err := b.Queue.Waiting(ctx, LanePlans); err != nil || waiting > 0 {
			return orSnooze(err, driftPause)
		}
		if others, err := b.keepsOthers(ctx, r); err != nil || others {
			return orSnooze(err, driftPause)
		}
	}
	err = b.planRun(ctx, queue.Job[planRunJob]{ID: job.ID, Attempt: job.Attempt, MaxAttempts: job.MaxAttempts, Args: planRunJob{r.ID}, Created: job.Created})
	if err != nil {
		return err
	}
	if r, err = b.Runs.Run(ctx, b.DB, r.ID); err != nil || r.Status != run.Running {
		return err
	}
	// It gave way.
	err = b.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := b.Runs.Requeue(ctx, tx, r, "It gave way to a pull request, and begins again after that.")
		return err
	})
	if errs.Is(err, errs.Conflict) { // canceled meanwhile
		return nil
	}
	return orSnooze(err, driftPause)
}

func orSnooze(err error, d time.Duration) error {
	if err != nil {
		return err
	}
	return queue.Snooze(d)
}

// watches reports whether the run is a comparison that no pull asked for, and
// so gives way to everything else.
func watches(r run.Run) bool { return r.Kind == run.Drift && r.Pull == 0 }

// keepsOthers reports whether the comparison would keep a pull waiting: what it
// takes of the machine is what another run waits for, or the project is what is
// being applied.
func (b *Bot) keepsOthers(ctx context.Context, r run.Run) (bool, error) {
	if applied, err := b.beingApplied(ctx, r); err != nil || applied {
		return applied, err
	}
	for _, w := range b.Capacity.State().Waiting {
		if w.Run == r.ID {
			continue
		}
		other, err := b.Runs.Run(ctx, b.DB, w.Run)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return false, err
		}
		if !watches(other) {
			return true, nil
		}
	}
	return false, nil
}

// beingApplied reports whether something is applied to the run's project now.
// What was interrupted keeps its mark on the lock until a person decides, and
// is not.
func (b *Bot) beingApplied(ctx context.Context, r run.Run) (bool, error) {
	l, err := b.Runs.Lock(ctx, b.DB, r.Key())
	if errs.Is(err, errs.NotFound) || err == nil && l.Run == "" {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	wish, err := b.Runs.Wish(ctx, b.DB, l.Run)
	return err == nil && !wish.Status.Finished(), err
}

// driftStateWait is how long a comparison waits for whoever holds the state's
// lock. Nobody looks at the others of its check before it has ended.
const driftStateWait = time.Hour

// waitsForState reports whether a run whose state somebody holds is to be tried
// again: a pull's always is.
func (b *Bot) waitsForState(r run.Run) bool {
	return !watches(r) || b.Now().Sub(r.Created) < driftStateWait
}

// noteDrift stores what a comparison that no pull asked for has found.
func (b *Bot) noteDrift(ctx context.Context, tx *db.Tx, id string) error {
	r, err := b.Runs.Run(ctx, tx, id)
	if err != nil {
		return err
	}
	f := drift.Found{Check: r.Batch, Run: r.ID, Project: r.Project, At: r.Finished}
	switch {
	case r.Status == run.Planned && r.Summary.Empty():
		f.Status = drift.Clean
	case r.Status == run.Planned:
		f.Status, f.Digest = drift.Drifted, r.PlanDigest
	case r.Status == run.Failed:
		f.Status = drift.Failed
	default:
		return nil // canceled: nothing is known
	}
	l, err := b.Runs.Lock(ctx, tx, r.Key())
	switch {
	case err == nil:
		f.Pull = l.Pull
	case !errs.Is(err, errs.NotFound):
		return err
	}
	if err := b.Drift.Note(ctx, tx, r.Client, r.Repo, f); err != nil {
		return err
	}
	return b.checkDone(ctx, tx, r.Batch, r.Client, r.Repo)
}

// checkDone ends a check once each of its runs has ended, and has GitHub told.
func (b *Bot) checkDone(ctx context.Context, tx *db.Tx, check, client string, repo int64) error {
	if done, err := b.Runs.BatchDone(ctx, tx, check); err != nil || !done {
		return err
	}
	if ok, err := b.Drift.Move(ctx, tx, check, drift.Running, drift.Done, "", ""); err != nil || !ok {
		return err
	}
	return b.tellDrift(ctx, tx, client, repo)
}

func (b *Bot) tellDrift(ctx context.Context, tx *db.Tx, client string, repo int64) error {
	return b.Queue.Enqueue(ctx, tx, driftTellJob{client, repo}, queue.Coalesce(fmt.Sprintf("drift:%d", repo)), queue.Priority(4))
}
