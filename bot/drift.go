package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/planner"
)

// Drift is looked for on a schedule: a watch of this node's looks at the clock,
// at what somebody asked for on the command line, and at schedules that are to
// be read anew. All it does is to enqueue; whichever node is free works.

// Jobs of drift checks.
type (
	driftReadJob struct {
		Repo int64 `json:"repo"`
	}
	driftCheckJob struct {
		Check string `json:"check"`
	}
	driftRunJob struct {
		Run string `json:"run"`
	}
	driftTellJob struct {
		Client string `json:"client"`
		Repo   int64  `json:"repo"`
	}
)

func (driftReadJob) Kind() string  { return "drift_read" }
func (driftCheckJob) Kind() string { return "drift_check" }
func (driftRunJob) Kind() string   { return "drift_run" }
func (driftTellJob) Kind() string  { return "drift_tell" }

// handleDrift registers the handlers of drift checks.
func (b *Bot) handleDrift() {
	quick := queue.HandlerOptions{MaxAttempts: 25, Timeout: 10 * time.Minute}
	queue.Handle(b.Queue, LanePrepare, b.driftRead, quick)
	queue.Handle(b.Queue, LanePrepare, b.driftCheck, quick)
	queue.Handle(b.Queue, LaneDrift, b.driftRun, queue.HandlerOptions{MaxAttempts: 25, Timeout: -1})
	queue.Handle(b.Queue, LaneAnswers, b.driftTell, queue.HandlerOptions{MaxAttempts: 25, Timeout: driftTelling})
}

// How often the watch looks, at what.
const (
	driftGlance = 2 * time.Second  // the clock, and what was asked for
	driftRead   = 30 * time.Second // schedules to be read anew; and as long after the start for the first time
	driftForget = time.Hour        // what is too old
)

// A repository's schedules are read anew when its default branch moves, and so
// often besides, should a webhook have been lost.
const driftStale = 6 * time.Hour

// driftReads is how many repositories' schedules are asked for at a time.
const driftReads = 20

// driftLongest is how long a check may take before the next one does not wait
// for it any more.
const driftLongest = 24 * time.Hour

// WatchDrift begins drift checks when they are due, until ctx ends.
func (b *Bot) WatchDrift(ctx context.Context) {
	tick := time.NewTicker(driftGlance)
	defer tick.Stop()
	read, forget := b.Now().Add(driftRead), b.Now().Add(driftRead)
	for {
		if err := b.BeginDrift(ctx); err != nil && ctx.Err() == nil {
			b.Log.Warn("drift checks not begun", "error", err)
		}
		if now := b.Now(); now.After(read) {
			read = now.Add(driftRead)
			if err := errors.Join(b.ReadDriftSchedules(ctx), b.settleDrift(ctx)); err != nil && ctx.Err() == nil {
				b.Log.Warn("drift schedules not read", "error", err)
			}
		}
		if now := b.Now(); now.After(forget) {
			forget = now.Add(driftForget)
			if err := b.forgetDrift(ctx); err != nil && ctx.Err() == nil {
				b.Log.Warn("old drift checks not deleted", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// BeginDrift begins the checks that are due and those that were asked for. Any
// number of nodes may call it at once.
func (b *Bot) BeginDrift(ctx context.Context) error {
	asked, err := b.Drift.Unfinished(ctx, b.DB, drift.Asked)
	if err != nil {
		return err
	}
	for _, c := range asked {
		err := b.DB.Tx(ctx, func(tx *db.Tx) error {
			if ok, err := b.Drift.Move(ctx, tx, c.ID, drift.Asked, drift.Queued, "", ""); err != nil || !ok {
				return err
			}
			return b.enqueueCheck(ctx, tx, c)
		})
		if err != nil {
			return err
		}
	}
	due, err := b.Drift.DueRepos(ctx, b.DB)
	if err != nil {
		return err
	}
	for _, repo := range due {
		err := b.DB.Tx(ctx, func(tx *db.Tx) error {
			c, ok, err := b.Drift.Tick(ctx, tx, repo)
			if err != nil || !ok {
				return err
			}
			return b.enqueueCheck(ctx, tx, c)
		})
		if err != nil && !errs.Is(err, errs.Conflict) { // another node was first
			return err
		}
	}
	return nil
}

func (b *Bot) enqueueCheck(ctx context.Context, tx *db.Tx, c drift.Check) error {
	return b.Queue.Enqueue(ctx, tx, driftCheckJob{c.ID}, queue.Unique(c.ID), queue.For(c.Client))
}

// ReadDriftSchedules has the schedules read that may have changed.
func (b *Bot) ReadDriftSchedules(ctx context.Context) error {
	unread, err := b.Drift.Unread(ctx, b.DB, b.Now().Add(-driftStale), b.DriftDefaults.Hash(), driftReads)
	if err != nil || len(unread) == 0 {
		return err
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, repo := range unread {
			known, err := b.Clients.Repo(ctx, tx, repo)
			if err != nil {
				return err
			}
			if err := b.Queue.Enqueue(ctx, tx, driftReadJob{repo}, queue.Unique(fmt.Sprint(repo)), queue.For(known.ClientID)); err != nil {
				return err
			}
		}
		return nil
	})
}

// driftRead reads the schedules of a repository from the tip of its default
// branch: one request, which costs nothing while the file is the same.
func (b *Bot) driftRead(ctx context.Context, job queue.Job[driftReadJob]) error {
	repo, client, err := b.working(ctx, job.Args.Repo)
	if err != nil || client.Status != clients.Active || repo.Status != clients.Active {
		return err
	}
	text, err := b.App.Installation(client.InstallationID).File(ctx, repo.ID, repo.DefaultBranch, planner.ConfigFile)
	cfg := planner.DefaultRepoConfig()
	switch {
	case err == nil:
		cfg, err = planner.ParseConfig(text, planner.ConfigFile)
	case errs.Is(err, errs.NotFound) && !github.Gone(err): // it has none
		err = nil
	}
	problem := ""
	if err != nil {
		if !unreadable(err) {
			return wait(err)
		}
		problem = errs.Sentence(err)
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error { return b.saveWatches(ctx, tx, repo, cfg, problem) })
}

func (b *Bot) saveWatches(ctx context.Context, tx *db.Tx, repo clients.Repo, cfg planner.RepoConfig, problem string) error {
	var own []drift.Block
	for _, p := range cfg.Projects {
		own = append(own, drift.Block{Dir: p.Dir, Workspace: p.Workspace, DriftConfig: p.Drift})
	}
	return b.Drift.SaveWatches(ctx, tx, repo.ClientID, repo.ID, drift.Watches(b.DriftDefaults, cfg.Drift, own), b.DriftDefaults.Hash(), problem)
}

// pushed has the schedules read anew where the branch that they stand on has
// moved.
func (b *Bot) pushed(ctx context.Context, e github.Event, repo clients.Repo) error {
	if e.Kind != "push" || e.Ref != "refs/heads/"+repo.DefaultBranch {
		return nil
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error { return b.Drift.Stale(ctx, tx, repo.ID) })
}

// settleDrift ends checks whose runs were canceled by what happened to their
// repository, and gives up on those that never end.
func (b *Bot) settleDrift(ctx context.Context) error {
	open, err := b.Drift.Unfinished(ctx, b.DB, "")
	if err != nil {
		return err
	}
	for _, c := range open {
		if b.Now().Sub(c.Created) > driftLongest {
			if err := b.breakCheck(ctx, c, "It did not come to its end within a day."); err != nil {
				return err
			}
			continue
		}
		if c.Status != drift.Running {
			continue
		}
		if err := b.DB.Tx(ctx, func(tx *db.Tx) error { return b.checkDone(ctx, tx, c.ID, c.Client, c.Repo) }); err != nil {
			return err
		}
	}
	return nil
}

// breakCheck ends a check that comes to nothing, or to no end: then with what
// is left of its runs, which nobody would wait for, and what the others have
// found is told.
func (b *Bot) breakCheck(ctx context.Context, c drift.Check, why string) error {
	var stop []string
	err := b.DB.Tx(ctx, func(tx *db.Tx) error {
		stop = nil
		ok, err := b.Drift.Move(ctx, tx, c.ID, c.Status, drift.Broken, "", why)
		if err != nil || !ok || c.Status != drift.Running {
			return err
		}
		if stop, err = b.Runs.CancelBatch(ctx, tx, c.ID, b.actor, why); err != nil {
			return err
		}
		return b.tellDrift(ctx, tx, c.Client, c.Repo)
	})
	b.stop(ctx, stop)
	return err
}

// driftForgets is how many runs are deleted at once.
const driftForgets = 200

// forgetDrift deletes checks that are older than they are to be kept, with
// their runs and the runs' logs; the last one of each project stays.
func (b *Bot) forgetDrift(ctx context.Context) error {
	if b.DriftKeep <= 0 {
		return nil
	}
	before := b.Now().Add(-b.DriftKeep)
	for {
		if n, err := b.forgetSome(ctx, before); err != nil || n < driftForgets {
			return err
		}
	}
}

// forgetSome deletes some of that, and returns how many runs those were.
func (b *Bot) forgetSome(ctx context.Context, before time.Time) (n int, err error) {
	var logs [][2]string
	err = b.DB.Tx(ctx, func(tx *db.Tx) error {
		logs = nil
		known, err := b.Drift.Projects(ctx, tx, "", 0)
		if err != nil {
			return err
		}
		keep := make(map[string]bool, len(known))
		for _, p := range known {
			keep[p.Run] = true
		}
		gone, err := b.Runs.ForgetWatchRuns(ctx, tx, before, keep, driftForgets)
		if err != nil {
			return err
		}
		n = len(gone)
		for _, r := range gone {
			if r.LogBlob != "" {
				logs = append(logs, [2]string{r.Client, r.LogBlob})
			}
		}
		return b.Drift.ForgetChecks(ctx, tx, before)
	})
	if err != nil {
		return 0, err
	}
	// A crash before this leaves files that nobody can read any more, and
	// nothing else.
	var failed error
	for _, l := range logs {
		if err := b.Blobs.Delete(ctx, l[0], l[1]); err != nil && !errs.Is(err, errs.NotFound) {
			failed = errors.Join(failed, err)
		}
	}
	return n, failed
}
