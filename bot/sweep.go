package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

// sweepOverlap is how far each sweep looks back before the last one began:
// GitHub may list a delivery minutes late.
const sweepOverlap = 10 * time.Minute

// firstSweep is how far the first sweep of a process looks back: GitHub keeps
// deliveries for three days at least.
const firstSweep = 72 * time.Hour

// Sweep asks GitHub again and again, until ctx ends, which deliveries never
// arrived here, and has those sent once more: GitHub itself never tries twice.
func (b *Bot) Sweep(ctx context.Context, every time.Duration) {
	since := b.Now().Add(-firstSweep)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		began := b.Now()
		switch n, err := b.SweepOnce(ctx, since); {
		case err == nil:
			since = began.Add(-sweepOverlap)
			if n > 0 {
				b.Log.Info("lost deliveries asked for again", "count", n)
			}
		case ctx.Err() == nil:
			b.Log.Warn("deliveries not swept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// SweepOnce asks for every delivery since then that no attempt of GitHub's
// brought here, and returns how many those were.
func (b *Bot) SweepOnce(ctx context.Context, since time.Time) (int, error) {
	all, err := b.App.Deliveries(ctx, since)
	if err != nil {
		return 0, err
	}
	asked := 0
	for _, d := range github.Lost(all) {
		known, err := b.stored(ctx, d.GUID)
		if err != nil {
			return asked, err
		}
		if known {
			continue
		}
		if err := b.App.Redeliver(ctx, d.ID); err != nil && !errs.Is(err, errs.NotFound) {
			return asked, fmt.Errorf("redeliver %s: %w", d.GUID, err)
		}
		asked++
	}
	return asked, nil
}

func (b *Bot) stored(ctx context.Context, guid string) (bool, error) {
	var one int
	err := b.DB.QueryRowContext(ctx, `SELECT 1 FROM deliveries WHERE guid=$1`, guid).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// keepDeliveries is how long a delivery that was worked off is kept.
const keepDeliveries = 30 * 24 * time.Hour

// Recover tidies up what earlier processes of this node left: work trees that
// nobody needs, claims to answer and to tell of drift, and deliveries too old to
// matter; runners that still live count as what the machine does. Call it before
// the queue starts.
func (b *Bot) Recover(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(b.DataDir, "trees"), 0o700); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := b.SweepTrees(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := b.holdLiving(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := b.TakeInStates(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := b.freeStates(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := b.Runs.DropAnswers(ctx, tx, b.Node); err != nil {
			return err
		}
		if err := b.Drift.DropTelling(ctx, tx, b.Node); err != nil {
			return err
		}
		if err := b.Runs.ForgetHeard(ctx, tx, b.Now().Add(-keepDeliveries)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE status IN ('done','ignored') AND received_ms<$1`, db.Millis(b.Now().Add(-keepDeliveries)))
		return err
	})
}

// SweepTrees removes the work trees that nobody is likely to use again. A tree
// is a cache: whatever is in it can be made again from the commit.
func (b *Bot) SweepTrees(ctx context.Context) error {
	var failed error
	err := b.trees.sweep(func(home string, used time.Time) bool {
		keep, err := b.keepTrees(ctx, home, used)
		failed = errors.Join(failed, err)
		return keep || err != nil
	})
	return errors.Join(failed, err)
}

// keepTrees reports whether the trees of a home, last taken at used, are to
// stay: those of an open pull request, for the time that is configured.
func (b *Bot) keepTrees(ctx context.Context, home string, used time.Time) (bool, error) {
	if b.Now().Sub(used) >= b.Terraform.KeepTrees {
		return false, nil
	}
	repo, number, _ := strings.Cut(home, "-")
	id, err := strconv.ParseInt(repo, 10, 64)
	pull, perr := strconv.Atoi(number)
	if err != nil || perr != nil { // a change's own
		return false, nil
	}
	p, err := b.Runs.Pull(ctx, b.DB, id, pull)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return p.Open, err
}
