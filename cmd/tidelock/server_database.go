package main

import (
	"context"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// lookAgain is how soon the database is walked again where that could not be
// done, or found damage: a disk may have stumbled.
const lookAgain = time.Hour

// watchDatabase walks the database each day until ctx ends. Damage turns the
// server's health bad at once, and keeps the next start from serving it.
func (s *server) watchDatabase(ctx context.Context) {
	if s.db.Dialect() != db.SQLite {
		return
	}
	wait := untilWalk(s.db.Wholeness(), time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = lookAgain
		if s.walkDatabase(ctx) {
			wait = db.WholeEvery
		}
	}
}

// untilWalk is how long what is known of the database is good for: it may be
// known from before the start.
func untilWalk(known db.Wholeness, now time.Time) time.Duration {
	return max(known.Checked.Add(db.WholeEvery).Sub(now), 0)
}

// walkDatabase walks it once, and reports whether it is whole.
func (s *server) walkDatabase(ctx context.Context) bool {
	began := time.Now()
	err := s.db.CheckWhole(ctx)
	switch {
	case err == nil:
		s.log.Info("the database is whole", "took", time.Since(began).Round(time.Millisecond))
	case ctx.Err() != nil:
	case s.db.Wholeness().Damage != "":
		s.log.Error("the database is damaged: stop the server, keep the file, and bring the last backup back with tidelock restore", "error", err)
	default:
		s.log.Warn("the database could not be checked", "error", err)
	}
	return err == nil
}
