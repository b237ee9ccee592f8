package backup_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

// stock is a house with a plan and a state in blobs, both named by rows.
func stock(t *testing.T) (h *house, dir, plan, large string) {
	t.Helper()
	dir = t.TempDir()
	h = open(t, dbtest.SQLiteDSN(t), dir)
	h.furnish(t)
	ref, _, err := h.blobs.Put(t.Context(), client, "plan", strings.NewReader("a plan"))
	if err != nil {
		t.Fatal(err)
	}
	// A run's row has a dozen parents; its event names a blob as well.
	if err := h.db.Tx(t.Context(), func(tx *db.Tx) error {
		return h.trail.Record(t.Context(), tx, erroredEvent(ref))
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.db.QueryRowContext(t.Context(), `SELECT blob_ref FROM state_versions WHERE blob_ref <> ''`).Scan(&large); err != nil {
		t.Fatal(err)
	}
	return h, dir, ref, large
}

func (h *house) check(t *testing.T) backup.Stored {
	t.Helper()
	s, err := backup.CheckBlobs(t.Context(), h.db, h.blobs, h.states, 24*time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func agedBy(t *testing.T, by time.Duration, path ...string) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(filepath.Join(path...), then, then); err != nil {
		t.Fatal(err)
	}
}

func TestCheckBlobsFindsWhatIsWrong(t *testing.T) {
	h, dir, plan, large := stock(t)
	if s := h.check(t); s.Checked != 2 || s.Bytes < 700_000 || len(s.Missing)+len(s.Damaged) != 0 || s.Orphans != (backup.Orphans{}) {
		t.Fatalf("%+v", s)
	}
	path := filepath.Join(dir, client, large)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"a byte": func() error { b := append([]byte{}, whole...); b[len(b)/2] ^= 1; return os.WriteFile(path, b, 0o600) },
		"cut":    func() error { return os.WriteFile(path, whole[:len(whole)-1], 0o600) },
		"another": func() error {
			b, err := os.ReadFile(filepath.Join(dir, client, plan))
			return errors.Join(err, os.WriteFile(path, b, 0o600))
		},
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if s := h.check(t); s.Checked != 1 || len(s.Damaged) != 1 || s.Damaged[0].State != "net/large" || s.Damaged[0].Seq != 1 || s.Damaged[0].Why == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	// The right content under a row that tells of another.
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	h.exec(t, `UPDATE state_versions SET sha256 = 'x' WHERE blob_ref <> ''`)
	if s := h.check(t); len(s.Damaged) != 1 || !strings.Contains(s.Damaged[0].Why, "another hash") {
		t.Errorf("another hash: %+v", s)
	}
	for _, ref := range []string{plan, large} {
		if err := os.Remove(filepath.Join(dir, client, ref)); err != nil {
			t.Fatal(err)
		}
	}
	if s := h.check(t); s.Checked != 0 || len(s.Missing) != 2 || len(s.Damaged) != 0 {
		t.Errorf("gone: %+v", s)
	}
}

// A sweep takes what no row names and is old, and nothing else: neither what is
// young, nor what another installation or a replica has in the same place.
func TestSweepBlobsTakesOrphansAlone(t *testing.T) {
	h, dir, plan, large := stock(t)
	put := func(c, name string) string {
		ref, _, err := h.blobs.Put(t.Context(), c, name, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	old, young, alien, replica := put(client, "log"), put(client, "log"), put("another-installation", "plan"), put("replica-0", "x")
	for _, r := range [][2]string{{client, plan}, {client, large}, {client, old}, {"another-installation", alien}, {"replica-0", replica}} {
		agedBy(t, 25*time.Hour, dir, r[0], r[1])
	}
	if o := h.check(t).Orphans; o.Count != 1 || o.Bytes == 0 || o.Young != 1 || o.Alien != 1 {
		t.Errorf("%+v", o)
	}
	if _, err := backup.SweepBlobs(t.Context(), h.db, h.blobs, time.Minute, false, alice.Actor); !errs.Is(err, errs.Invalid) {
		t.Errorf("what is a minute old: %v", err)
	}
	for _, dry := range []bool{true, false} {
		swept, err := backup.SweepBlobs(t.Context(), h.db, h.blobs, 24*time.Hour, dry, alice.Actor)
		if err != nil || len(swept) != 1 || swept[0].Ref != old {
			t.Fatalf("dry %v: %+v, %v", dry, swept, err)
		}
	}
	for _, r := range [][2]string{{client, plan}, {client, large}, {client, young}, {"another-installation", alien}, {"replica-0", replica}} {
		if _, err := os.Stat(filepath.Join(dir, r[0], r[1])); err != nil {
			t.Errorf("%v: %v", r, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, client, old)); err == nil {
		t.Error("the orphan is there")
	}
	var events int
	if err := h.db.QueryRowContext(t.Context(), `SELECT count(*) FROM events WHERE action = 'blobs.swept'`).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d events, %v", events, err)
	}
}

// TestFault35_NothingIsSweptAfterARestore: what an older database does not name
// may be all that is left of what was written after it.
func TestFault35_NothingIsSweptAfterARestore(t *testing.T) {
	h, dir, _, _ := stock(t)
	file := h.backUp(t)
	var big strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&big, "%x", i*2654435789)
	}
	h.write(t, "net/large", 2, big.String())
	empty := "sqlite:" + filepath.Join(t.TempDir(), "tidelock.db")
	if _, err := backup.Restore(t.Context(), from(file), target(t, empty, dir)); err != nil {
		t.Fatal(err)
	}
	back := open(t, empty, dir)
	entries, err := os.ReadDir(filepath.Join(dir, client))
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		agedBy(t, 25*time.Hour, dir, client, e.Name())
	}
	if o := back.check(t).Orphans; o.Count != 1 {
		t.Errorf("%+v", o)
	}
	// It is told of as newer, and so is the folder of a run.
	rec, err := back.runs.OpenRecovery(t.Context(), back.db)
	if err != nil {
		t.Fatal(err)
	}
	runs, id := t.TempDir(), uuid.Must(uuid.NewV7()).String()
	for _, name := range []string{id, id + ".state", "0190a000-0000-7000-8000-000000000009", "notes"} {
		if err := os.Mkdir(filepath.Join(runs, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	newer, err := backup.FindNewer(t.Context(), back.db, back.blobs, runs, rec.Made)
	if err != nil || len(newer) != 2 || newer[0].What != "state" || newer[0].Client != client || newer[1].What != "run" || filepath.Base(newer[1].Name) != id {
		t.Errorf("newer: %+v, %v", newer, err)
	}
	if newer, err := backup.FindNewer(t.Context(), back.db, back.blobs, filepath.Join(runs, "nowhere"), time.Now().Add(time.Minute)); err != nil || len(newer) != 0 {
		t.Errorf("newer than now: %+v, %v", newer, err)
	}
	if _, err := backup.SweepBlobs(t.Context(), back.db, back.blobs, 24*time.Hour, false, alice.Actor); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "restore finish") {
		t.Errorf("swept: %v", err)
	}
}

// erroredEvent names a blob, as a run does whose state was not whole.
func erroredEvent(ref string) access.Event {
	return access.Event{Client: client, Action: "state.errored", Actor: alice.Actor, Detail: map[string]any{"blob": ref}}
}
