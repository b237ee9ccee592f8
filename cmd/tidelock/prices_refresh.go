package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/secrets"
)

// refresher reads the price lists of the configuration on their schedule.
func (c Config) refresher(d *db.DB, trail *access.Trail, q *queue.Queue, log *slog.Logger) (*prices.Refresher, error) {
	own := secrets.New(c.Secrets, c.environ())
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

// checkPriceLists tells whether the lists that the server reads by itself are
// read, and how old the imported prices are.
func checkPriceLists(ctx context.Context, c *clinic) diagnosis {
	every := c.config.Cost.Refresh.Every
	if every == 0 {
		return ok("none is read by itself; estimates are made with the program's prices and those that were imported")
	}
	if c.problems.of("cost.refresh") != nil || !databaseExists(c.config) {
		return skip("there is no database yet, or its settings are not right")
	}
	d, err := db.Open(ctx, c.config.Database.Reveal())
	if err != nil {
		return skip("the database can't be opened: %s", explain(err))
	}
	defer d.Close()
	if have, want, err := d.Version(ctx); err != nil || have != want {
		return skip("the database has not this program's version")
	}
	all, err := prices.NewStore(d, access.NewTrail(d), nil).Refreshes(ctx)
	if err == nil {
		all, err = c.config.Cost.Refresh.Of(all)
	}
	if err != nil {
		return fail("", "what was read is not known: %v", err)
	}
	return diagnoseRefreshes(all, every, time.Now())
}

func diagnoseRefreshes(all []prices.Refresh, every time.Duration, now time.Time) diagnosis {
	var failing []string
	overdue := 0
	for _, r := range all {
		if r.Failures > 0 {
			failing = append(failing, r.List+": "+r.Error)
		} else if r.Overdue(every, now) {
			overdue++
		}
	}
	const stay = "the prices that were read before stay, and grow old; look at the address, the region, the key and the network, or import the list by hand (tidelock prices import)"
	switch {
	case len(all) == 0:
		return ok("none was read yet; the server does so every %s", showDuration(every))
	case len(failing) > 0:
		more := ""
		if n := len(failing) - 5; n > 0 {
			failing, more = failing[:5], fmt.Sprintf("\nand %d more", n)
		}
		return warn(stay, "some are not read:\n%s%s", strings.Join(failing, "\n"), more)
	case overdue > 0:
		return warn("see whether a server runs that has the block refresh", "%d of %d were not read for more than twice %s", overdue, len(all), showDuration(every))
	}
	return ok("%d are read every %s", len(all), showDuration(every))
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
