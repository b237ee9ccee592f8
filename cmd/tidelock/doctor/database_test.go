package doctor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
)

func TestDoctorTellsOfBackups(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	done := func(ago time.Duration, missing int64) *backup.Attempt {
		return &backup.Attempt{Outcome: backup.Done, Ended: now.Add(-ago), Size: 3 << 20, Missing: missing}
	}
	failed := &backup.Attempt{Outcome: backup.Failed, Ended: now.Add(-time.Hour), Error: "The disk is full."}
	for _, tc := range []struct {
		name       string
		last, good *backup.Attempt
		replica    bool
		dialect    db.Dialect
		health     Health
		says       string
	}{
		{"none", nil, nil, false, db.SQLite, Warn, "none is known, and there is no replica"},
		{"none, with a replica", nil, nil, true, db.SQLite, OK, "the replica is what there is"},
		{"none of PostgreSQL", nil, nil, false, db.Postgres, OK, "PostgreSQL's own are not known"},
		{"fresh", done(time.Hour, 0), done(time.Hour, 0), false, db.SQLite, OK, "1 hour ago, 3.0 MiB, and was read back"},
		{"old", done(50*time.Hour, 0), done(50*time.Hour, 0), false, db.SQLite, Warn, "2 days ago, 3.0 MiB, and there is no replica"},
		{"old, with a replica", done(50*time.Hour, 0), done(50*time.Hour, 0), true, db.SQLite, Warn, "2 days ago"},
		{"not all in it", done(time.Hour, 2), done(time.Hour, 2), false, db.SQLite, Warn, "2 stored files"},
		{"never well", failed, nil, false, db.SQLite, Warn, "none went well; the last attempt, 1 hour ago, failed: The disk is full."},
		{"failed since", failed, done(25*time.Hour, 0), true, db.SQLite, Warn, "the last that went well is of 2026-03-01 11:00:00 UTC"},
	} {
		d := diagnoseBackups(tc.last, tc.good, tc.replica, tc.dialect, now)
		if d.Health != tc.health || !strings.Contains(d.Detail, tc.says) || (d.Health == Warn) != (d.Mend != "") {
			t.Errorf("%s: %+v", tc.name, d)
		}
	}
}

// The check reads what `tidelock backup` leaves behind.
func TestDoctorReadsTheLastBackup(t *testing.T) {
	c := wellClinic(t)
	ask := func() Diagnosis { return Examine(t.Context(), c, []string{"backup"})[0] }
	d, err := db.Open(t.Context(), c.config.Database.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := ask(); got.Health != Skip {
		t.Errorf("a database of another version: %+v", got)
	}
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got.Health != Warn || !strings.Contains(got.Detail, "none is known") {
		t.Errorf("before the first: %+v", got)
	}
	for _, cause := range []error{nil, errors.New("no")} {
		a, err := backup.Begin(t.Context(), d, access.Actor{Kind: access.User, Name: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.End(t.Context(), d, 4096, backup.Manifest{}, cause); err != nil {
			t.Fatal(err)
		}
		if got := ask(); (got.Health == OK) != (cause == nil) {
			t.Errorf("after one that ended with %v: %+v", cause, got)
		}
	}
}
