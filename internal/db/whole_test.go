package db_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

// start opens the database as a server does, and returns why it walked all of
// it.
func start(t *testing.T, dsn string) (d *db.DB, why string) {
	t.Helper()
	d, err := db.Open(t.Context(), dsn, serving(&why))
	if err != nil {
		t.Fatal(err)
	}
	return d, why
}

func stop(t *testing.T, d *db.DB) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a server's start costs must not grow with the database, but only where
// nothing speaks for damage.
func TestFault26_AServerWalksAllWhereItMustAndOnlyThere(t *testing.T) {
	dsn := dbtest.SQLiteDSN(t)
	d, why := start(t, dsn)
	if why != "nothing is known of an earlier check" {
		t.Errorf("the first start: %q", why)
	}
	checked := d.Wholeness().Checked
	if err := insertClient(t.Context(), d, "a"); err != nil {
		t.Fatal(err)
	}
	stop(t, d)

	if d, why = start(t, dsn); why != "" || !d.Wholeness().Checked.Equal(checked) {
		t.Errorf("after a stop in good order: %q", why)
	}
	// A crash, as the next process sees it: nobody closed the file.
	crashed := d
	if d, why = start(t, dsn); why != "it was not closed in good order" {
		t.Errorf("after a crash: %q", why)
	}
	stop(t, crashed)
	stop(t, d)

	// A command that wrote while no server ran; one that only read does not count.
	commands := dbtest.Open(t, dsn)
	clientIDs(t, commands)
	stop(t, commands)
	if d, why = start(t, dsn); why != "" {
		t.Errorf("after a command that read: %q", why)
	}
	stop(t, d)
	commands = dbtest.Open(t, dsn)
	if err := insertClient(t.Context(), commands, "b"); err != nil {
		t.Fatal(err)
	}
	stop(t, commands)
	if d, why = start(t, dsn); why != "somebody wrote to it since the server stopped" {
		t.Errorf("after a command that wrote: %q", why)
	}
	stop(t, d)

	// A day without a server.
	path := d.Path() + ".checked"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	note := map[string]any{}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber() // nanoseconds are too long for a float
	if err := in.Decode(&note); err != nil {
		t.Fatal(err)
	}
	note["checked_ms"] = time.Now().Add(-db.WholeEvery).UnixMilli()
	if text, err = json.Marshal(note); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, why = start(t, dsn); why != "the last check is older than a day" {
		t.Errorf("after a day: %q", why)
	}
	stop(t, d)

	// Another file in its place, as a restore puts it there.
	whole, err := os.ReadFile(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(d.Path()+".other", whole, 0o600), os.Rename(d.Path()+".other", d.Path())); err != nil {
		t.Fatal(err)
	}
	if d, why = start(t, dsn); why != "nothing is known of an earlier check" {
		t.Errorf("another file: %q", why)
	}
	stop(t, d)

	// A log that somebody left.
	if err := os.WriteFile(d.Path()+"-wal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, why = start(t, dsn); why != "it was not closed in good order" {
		t.Errorf("with a log: %q", why)
	}
	stop(t, d)
}

// A page that went bad under a file that looks untouched is found by the walk of
// a running server, and not served again.
func TestFault26_ARunningServerFindsWhatWentBad(t *testing.T) {
	dsn := dbtest.SQLiteDSN(t)
	d, _ := start(t, dsn)
	if err := d.CheckWhole(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, d)
	info, err := os.Stat(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	other := dbtest.Open(t, dsn)
	rot(t, other, "runs", info.ModTime())
	stop(t, other)

	d, why := start(t, dsn)
	if why != "" {
		t.Fatalf("the damage shows in the file's time: %s", why)
	}
	before := d.Wholeness()
	if before.Damage != "" || before.Checked.IsZero() {
		t.Fatalf("%+v", before)
	}
	err = d.CheckWhole(t.Context())
	if err == nil || !strings.Contains(errs.Sentence(err), "`tidelock restore`") {
		t.Errorf("the walk: %v", err)
	}
	if w := d.Wholeness(); w.Damage == "" || !w.Checked.After(before.Checked) {
		t.Errorf("what is known then: %+v", w)
	}
	stop(t, d)
	if _, err := db.Open(t.Context(), dsn, serving(nil)); err == nil || !strings.Contains(errs.Sentence(err), "`tidelock restore`") {
		t.Errorf("the next start: %v", err)
	}
	if _, err := db.Open(t.Context(), dsn, db.Whole()); err == nil || !strings.Contains(errs.Sentence(err), "`tidelock restore`") {
		t.Errorf("who asks for a walk: %v", err)
	}
}
