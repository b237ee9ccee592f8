package bot

import (
	"context"
	"errors"
	"sync"

	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
)

// A run whose project was never run before is taken to need
// Terraform.RunMemory. Others are taken to need what the most of the newest few
// had, and a quarter more.
func needed(took run.Took, usual int64) int64 {
	if took.Memory == 0 {
		return usual
	}
	return took.Memory + took.Memory/4
}

// need is what the run takes of the machine.
func (b *Bot) need(ctx context.Context, r run.Run) (capacity.Need, error) {
	took, err := b.Runs.Took(ctx, b.DB, r.Key())
	return capacity.Need{
		Run: r.ID, Memory: needed(took, b.Terraform.RunMemory), Weight: r.Project.Weight,
		Apply: r.Kind == run.Apply || r.Kind == run.StateChange,
	}, err
}

// admit waits until the machine has room for the run, and returns what gives
// that back. One that is under way already is counted and does not wait. The
// error is errStopped when nobody wants the run any more.
func (b *Bot) admit(ctx context.Context, r run.Run, underWay bool) (leave func(), err error) {
	need, err := b.need(ctx, r)
	if err != nil {
		return nil, err
	}
	leave = func() { b.Capacity.Leave(r.ID) }
	if underWay {
		b.Capacity.Hold(need)
		return leave, nil
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	told := false
	err = b.Capacity.Enter(waiting, need, func(lack capacity.Lack) {
		if !told { // whoever need not wait is not watched
			watching.Go(func() {
				if b.watch(waiting, r, 0) != "" {
					cancel()
				}
			})
		}
		told = true
		b.Log.Info("run waits for the machine", keyRun, r.ID, keyProject, r.Project.Name, "for", string(lack))
		b.present(ctx, r, 0, 0, run.Now{Waits: string(lack)})
	})
	stopped := waiting.Err() != nil && ctx.Err() == nil
	cancel()
	watching.Wait()
	switch {
	case err != nil && stopped:
		return nil, errStopped
	case err != nil:
		return nil, err
	case told:
		b.present(ctx, r, 0, 0, run.Now{})
	}
	return leave, nil
}

// holdLiving counts the runs of this node whose runners outlived the last
// process: whoever goes on with them may come later than others begin.
func (b *Bot) holdLiving(ctx context.Context) error {
	runs, err := b.Runs.OfNode(ctx, b.DB, b.Node)
	if err != nil {
		return err
	}
	for _, r := range runs {
		for _, folder := range []string{r.ID, again(r)} {
			if st, err := b.Runner.State(folder); err != nil || st != runner.StateRunning {
				continue
			}
			need, err := b.need(ctx, r)
			if err != nil {
				return err
			}
			b.Capacity.Hold(need)
		}
	}
	return nil
}

// present records what the run does and has the comment updated when that is
// due. It must never fail a run.
func (b *Bot) present(ctx context.Context, r run.Run, done, total int, now run.Now) {
	err := b.Runs.Progress(ctx, r.ID, done, total, now)
	if err == nil {
		err = b.DB.Tx(ctx, func(tx *db.Tx) error { return b.tell(ctx, tx, r.Change, false) })
	}
	if err != nil && ctx.Err() == nil {
		b.Log.Warn("progress not recorded", keyRun, r.ID, "error", err)
	}
}

// expected is how many steps the run's plan will take, by the last one; 0 where
// nobody knows.
func (b *Bot) expected(ctx context.Context, r run.Run) int {
	took, err := b.Runs.Took(ctx, b.DB, r.Key())
	if err != nil && !errors.Is(err, context.Canceled) {
		b.Log.Warn("earlier runs can't be read", keyRun, r.ID, "error", err)
	}
	return took.Steps
}

// nudges has whoever watches a run look at its row at once: this process has
// written what may end some. What another node writes is seen a glance later.
type nudges struct {
	mu   sync.Mutex
	subs map[chan struct{}]bool
}

// listen returns a channel on which each nudge comes, or the last of several,
// and what ends that.
func (n *nudges) listen() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.subs == nil {
		n.subs = map[chan struct{}]bool{}
	}
	n.subs[ch] = true
	return ch, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.subs, ch)
	}
}

// all nudges everyone.
func (n *nudges) all() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for ch := range n.subs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
