package explorer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// behind are the states of which something else is in the inventory than the
// version that counts. A state that was deleted has none, and what was a
// client's that has left is not read again.
const behind = ` FROM states s LEFT JOIN inventory_sources i ON i.state_id = s.id LEFT JOIN state_versions v ON v.id = s.version_id
	WHERE ($1 = '' OR s.client_id = $1) AND s.client_id NOT IN (SELECT id FROM clients WHERE status = 'deleted') AND (s.version_id <> coalesce(i.version_id, '') OR i.format <> $2)`

// late is a state that must be read.
type late struct {
	state.State
	seq int64 // of the version that counts
}

// Refresh reads the states whose versions are not in the inventory, of one
// client or, where that is "", of all, and returns how many it read. What can't
// be read for now is left to a later time.
func (x *Index) Refresh(ctx context.Context, client string) (n int, err error) {
	if err := x.forgetLeft(ctx); err != nil {
		return 0, err
	}
	var all []late
	err = db.Each(ctx, x.db, func(scan func(...any) error) error {
		var l late
		err := scan(&l.ID, &l.Client, &l.Name, &l.Current, &l.Lineage, &l.seq)
		all = append(all, l)
		return err
	}, `SELECT s.id, s.client_id, s.name, s.version_id, s.lineage, coalesce(v.seq, 0)`+behind+` ORDER BY s.written_ms, s.id`, client, format)
	if err != nil {
		return 0, fmt.Errorf("find states that are not in the inventory: %w", err)
	}
	var failed error
	for _, l := range all {
		if x.resting(l.ID) {
			continue
		}
		err := x.read(ctx, l)
		switch {
		case err == nil:
			n++
		case ctx.Err() != nil:
			return n, ctx.Err()
		case errors.Is(err, errOvertaken): // it is done
		default:
			x.rest(l.ID)
			failed = errors.Join(failed, fmt.Errorf("read state %s into the inventory: %w", l.Name, err))
		}
	}
	return n, failed
}

// restTime is how long a state is left alone that could not be read.
const restTime = time.Minute

func (x *Index) resting(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.now().Before(x.later[id])
}

func (x *Index) rest(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.later[id] = x.now().Add(restTime)
}

// read brings one state into the inventory.
func (x *Index) read(ctx context.Context, l late) error {
	w, err := x.begin(ctx, source{
		id: kindState + "/" + l.ID, client: l.Client, kind: kindState, state: l.ID, name: l.Name, lineage: l.Lineage, version: l.Current, asOf: db.Millis(x.now()),
	})
	if err != nil {
		return err
	}
	if l.Current != "" {
		err := x.walk(ctx, w, l)
		switch {
		case err == nil:
		case errs.Is(err, errs.NotFound): // deleted, or pruned, meanwhile: the next look finds what counts then
			return nil
		case errs.Is(err, errs.Conflict):
			w.src.note = errs.Sentence(err)
		default:
			return err
		}
	}
	return w.finish(ctx, func(tx *db.Tx) error {
		// Plans told of the same resources, before the state came here.
		return x.dropPlanned(ctx, tx, l.Client, l.Lineage)
	})
}

// walk reads the state twice: what is secret must be known before anything is
// kept.
func (x *Index) walk(ctx context.Context, w *writing, l late) error {
	g := state.NewSecrets()
	output := func(v any) error { g.AddAll(v); return nil }
	err := x.states.Walk(ctx, l.Client, l.Name, l.seq, func(in state.Instance) error {
		g.Learn(in)
		return nil
	}, output)
	if err != nil {
		return err
	}
	g.Close()
	return x.states.Walk(ctx, l.Client, l.Name, l.seq, func(in state.Instance) error {
		if r, ok := rowOf(in, g); ok {
			return w.add(ctx, r)
		}
		return nil
	}, output)
}

// lookAnyway is after how long Watch looks at all states though nothing tells of
// a change.
const lookAnyway = time.Minute

// Watch keeps the inventory up with the states until ctx ends. Every so often
// it sees whether the audit trail has grown, as it does with each change of a
// state, and only then compares all of them.
func (x *Index) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	trail, known := access.NewTrail(x.db), int64(-1)
	var pruned, looked time.Time
	for {
		now := x.now()
		if now.Sub(pruned) > time.Hour {
			if err := x.Prune(ctx); err != nil && ctx.Err() == nil {
				x.log.Error("inventory not pruned", "error", err)
			}
			pruned = now
		}
		// Read before the states are: what comes meanwhile is a change.
		head, err := trail.Head(ctx)
		if err != nil || head.Seq != known || now.Sub(looked) >= lookAnyway {
			n, rerr := x.Refresh(ctx, "")
			looked, known = now, head.Seq
			if err = errors.Join(err, rerr); err != nil {
				known = -1
			}
			if n > 0 {
				x.log.Debug("states read into the inventory", "states", n)
			}
		}
		if err != nil && ctx.Err() == nil {
			x.log.Error("states not read into the inventory; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
