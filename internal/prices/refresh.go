package prices

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
)

// Lane is the queue's lane in which price lists are read: one at a time.
const Lane = "prices"

// refreshJob reads the lists that are due. There is one at a time, on one node.
type refreshJob struct{}

func (refreshJob) Kind() string { return "prices_refresh" }

// RefresherOptions are what a Refresher works with. Client, Now and Pause may
// be nil, as they may be in Options.
type RefresherOptions struct {
	Settings RefreshSettings
	DB       *db.DB
	Store    *Store
	Queue    *queue.Queue // not started yet, with the lane Lane
	Key      func(ctx context.Context, secret string) (redact.Secret, error)
	Log      *slog.Logger
	Client   *http.Client
	Now      func() time.Time
	Pause    func(ctx context.Context, d time.Duration) error
}

// Refresher reads price lists on a schedule. Each list is stored as a whole or
// not at all; one that can't be read leaves the prices that were there, is tried
// again sooner than the schedule says, and is told by Store.Refreshes.
type Refresher struct {
	o     RefresherOptions
	lists []refreshed
}

// NewRefresher returns a refresher, and has its jobs handled by the queue.
func NewRefresher(o RefresherOptions) (*Refresher, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	lists, err := o.Settings.lists()
	if err != nil {
		return nil, err
	}
	r := &Refresher{o, lists}
	queue.Handle(o.Queue, Lane, r.work, queue.HandlerOptions{MaxAttempts: 3, Timeout: -1})
	return r, nil
}

// glance is how often the schedule is looked at.
const glance = time.Minute

// Watch has lists read when they are due, until ctx ends. Each node may watch.
func (r *Refresher) Watch(ctx context.Context) {
	if r.o.Settings.Every <= 0 || len(r.lists) == 0 {
		return
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if err := r.Begin(ctx); err != nil && ctx.Err() == nil {
			r.o.Log.Warn("reading of price lists not begun", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Begin enqueues the reading where some list is due.
func (r *Refresher) Begin(ctx context.Context) error {
	due, err := r.due(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	return r.o.DB.Tx(ctx, func(tx *db.Tx) error {
		return r.o.Queue.Enqueue(ctx, tx, refreshJob{}, queue.Unique("all"))
	})
}

func (r *Refresher) due(ctx context.Context) ([]refreshed, error) {
	known, err := r.o.Store.Refreshes(ctx)
	if err != nil {
		return nil, err
	}
	last := map[string]Refresh{}
	for _, k := range known {
		last[k.List] = k
	}
	var due []refreshed
	for _, l := range r.lists {
		if k, tried := last[l.name()]; !tried || !k.Next(r.o.Settings.Every).After(r.o.Now()) {
			due = append(due, l)
		}
	}
	return due, nil
}

// work reads the lists that are due, one after the other. A crash in between
// leaves the others due.
func (r *Refresher) work(ctx context.Context, _ queue.Job[refreshJob]) error {
	due, err := r.due(ctx)
	if err != nil {
		return err
	}
	for _, l := range due {
		if err := ctx.Err(); err != nil {
			return err
		}
		taken, err := r.read(ctx, l)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sentence := ""
		if err != nil {
			sentence = sentences(err)
			r.o.Log.Warn("price list not read; the prices that were there stay", "list", l.name(), "error", err)
		} else {
			r.o.Log.Info("price list read", "list", l.name(), "prices", taken)
		}
		if err := r.o.Store.SetRefresh(ctx, l.name(), l.Cloud, sentence); err != nil {
			return err
		}
	}
	return nil
}

// sentences are those of each of several errors.
func sentences(err error) string {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return errs.Sentence(err)
	}
	var all []string
	for _, one := range joined.Unwrap() {
		all = append(all, errs.Sentence(one))
	}
	return strings.Join(all, " ")
}

// read reads one list and stores it.
func (r *Refresher) read(ctx context.Context, l refreshed) (int, error) {
	o := Options{Offers: []string{l.Offer}, Currency: l.Currency, Client: r.o.Client, Now: r.o.Now, Pause: r.o.Pause}
	if l.Region != "" {
		o.Regions = []string{l.Region}
		if l.Cloud == AWS { // a region's file has its local zones too
			o.Regions = nil
		}
	}
	if l.keySecret != "" {
		key, err := r.o.Key(ctx, l.keySecret)
		if err != nil {
			return 0, err
		}
		o.Key = key
	}
	got, err := Read(ctx, l.List, o)
	if err != nil {
		return 0, err
	}
	if got.Taken == 0 {
		return 0, errs.New(errs.Invalid, "The price list %s has no price that the catalogue has a place for; nothing was changed.", got.Source)
	}
	_, err = r.o.Store.Import(ctx, got, access.Actor{Kind: access.Schedule, Name: "prices"}, false, false)
	return got.Taken, err
}

// SetRefresh notes what came of the reading of a list; sentence is "" where it
// went well.
func (s *Store) SetRefresh(ctx context.Context, list, cloud, sentence string) error {
	now := db.Millis(s.now())
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		var done, failures int64
		err := tx.QueryRowContext(ctx, `SELECT done_ms, failures FROM price_refreshes WHERE list = $1`, list).Scan(&done, &failures)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if failures++; sentence == "" {
			done, failures = now, 0
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO price_refreshes (list, cloud, tried_ms, done_ms, failures, error) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (list) DO UPDATE SET tried_ms = excluded.tried_ms, done_ms = excluded.done_ms, failures = excluded.failures, error = excluded.error`,
			list, cloud, now, done, failures, sentence)
		return err
	})
}

// Refreshes returns what came of each list that was ever read on the schedule.
func (s *Store) Refreshes(ctx context.Context) ([]Refresh, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT list, cloud, tried_ms, done_ms, failures, error FROM price_refreshes ORDER BY list`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Refresh
	for rows.Next() {
		var r Refresh
		var tried, done int64
		if err := rows.Scan(&r.List, &r.Cloud, &tried, &done, &r.Failures, &r.Error); err != nil {
			return nil, err
		}
		r.Tried = db.FromMillis(tried).UTC()
		if done > 0 {
			r.Done = db.FromMillis(done).UTC()
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
