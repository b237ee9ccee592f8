package prices

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// Live is the overlay of a server: it follows what is imported, by this
// process or another. Before the first Refresh it is empty.
type Live struct {
	store *Store
	held  atomic.Pointer[heldOverlay]
}

type heldOverlay struct {
	*Overlay
	last string // which imports are in it: how many, and the last one's ID
}

// NewLive returns a live overlay of a store.
func NewLive(s *Store) *Live { return &Live{store: s} }

type nothing struct{}

func (nothing) Lookup(pricebook.Key) (pricebook.Price, bool, error) {
	return pricebook.Price{}, false, nil
}

// Now returns the prices of this moment, which stay as they are.
func (l *Live) Now() cost.Overlay {
	if held := l.held.Load(); held != nil {
		return held.Overlay
	}
	return nothing{}
}

// Lookup returns the price of this moment.
func (l *Live) Lookup(k pricebook.Key) (pricebook.Price, bool, error) { return l.Now().Lookup(k) }

// Refresh takes new imports in, and reports whether there were any. Where it
// fails, the prices stay those that they were.
func (l *Live) Refresh(ctx context.Context) (bool, error) {
	var imports int64
	var last string
	// The number too: an ID is of its node's clock, and that may be behind.
	if err := l.store.db.QueryRowContext(ctx, `SELECT count(*), coalesce(max(id), '') FROM price_imports`).Scan(&imports, &last); err != nil {
		return false, err
	}
	last = strconv.FormatInt(imports, 10) + " " + last
	if held := l.held.Load(); held != nil && held.last == last {
		return false, nil
	}
	// An import that ends meanwhile may be in it already: then it is read again
	// the next time.
	over, err := l.store.Overlay(ctx)
	if err != nil {
		return false, err
	}
	l.held.Store(&heldOverlay{over, last})
	return true, nil
}

// Watch refreshes now and then, until ctx ends.
func (l *Live) Watch(ctx context.Context, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if changed, err := l.Refresh(ctx); err != nil && ctx.Err() == nil {
				log.Warn("imported prices can't be read; those that were there stay", "error", err)
			} else if changed {
				log.Info("imported prices were read")
			}
		}
	}
}
