package backup_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func TestLastAttempts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if last, good, err := backup.LastAttempts(ctx, d); last != nil || good != nil || err != nil {
			t.Fatalf("%+v, %+v, %v", last, good, err)
		}
		end := func(cause error) backup.Attempt {
			a, err := backup.Begin(ctx, d, alice.Actor)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.End(ctx, d, 1000, backup.Manifest{Blobs: 3, Missing: []string{"a/b"}}, cause); err != nil {
				t.Fatal(err)
			}
			return a
		}
		if _, err := backup.Begin(ctx, d, alice.Actor); err != nil { // and is killed
			t.Fatal(err)
		}
		first := end(nil)
		last, good, err := backup.LastAttempts(ctx, d)
		if err != nil || last.ID != first.ID || good.ID != first.ID || good.Size != 1000 || good.Blobs != 3 || good.Missing != 1 || good.Ended.IsZero() {
			t.Errorf("%+v, %+v, %v", last, good, err)
		}
		// The clock has milliseconds.
		if _, err := d.ExecContext(ctx, `UPDATE backups SET ended_ms = ended_ms - 1000`); err != nil {
			t.Fatal(err)
		}
		end(errs.Wrap(errs.Unavailable, errors.New("x"), "The disk is full."))
		if last, good, err = backup.LastAttempts(ctx, d); err != nil || last.Outcome != backup.Failed || last.Error != "The disk is full." || last.Size != 0 || good.ID != first.ID {
			t.Errorf("%+v, %+v, %v", last, good, err)
		}
		var events string
		if err := d.QueryRowContext(ctx, `SELECT min(action) || ' ' || max(action) FROM events`).Scan(&events); err != nil || !strings.Contains(events, "backup.done backup.failed") {
			t.Errorf("%s, %v", events, err)
		}
	})
}
