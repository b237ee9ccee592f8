package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/secrets"
)

// newRefresher reads the price lists of the configuration on their schedule.
func newRefresher(c config.Config, d *db.DB, trail *access.Trail, q *queue.Queue, log *slog.Logger) (*prices.Refresher, error) {
	own := secrets.New(c.Secrets, c.Environ())
	return prices.NewRefresher(prices.RefresherOptions{
		Settings: c.Cost.Refresh, DB: d, Store: prices.NewStore(d, trail, nil), Queue: q, Key: own.Own, Log: log,
	})
}

// refreshJSON is the schedule in `tidelock prices status --json`.
type refreshJSON struct {
	Every string           `json:"every,omitempty"` // left out where nothing is read by itself
	Lists []prices.Refresh `json:"lists"`
}

func (r refreshJSON) write(w io.Writer, now time.Time) error {
	if len(r.Lists) == 0 {
		if r.Every == "" {
			return nil
		}
		_, err := fmt.Fprintf(w, "Price lists are to be read every %s by the server; none was read yet.\n", r.Every)
		return err
	}
	t := newTable("LIST READ BY ITSELF", "LAST READ", "FAILED SINCE", "WHY")
	for _, l := range r.Lists {
		done, failed := "never", ""
		if !l.Done.IsZero() {
			done = humanize.RelTime(l.Done, now, "ago", "from now")
		}
		if l.Failures > 0 {
			failed = fmt.Sprint(l.Failures)
		}
		t.row(l.List, done, failed, l.Error)
	}
	return t.write(w)
}

// refreshes are what the schedule came to, where there is a database.
func (d pricesDesk) refreshes(ctx context.Context) ([]prices.Refresh, error) {
	if d.store == nil {
		return nil, nil
	}
	all, err := d.store.Refreshes(ctx)
	if err != nil {
		return nil, errs.Wrap(errs.Internal, err, "What was read on the schedule is not known.")
	}
	return all, nil
}
