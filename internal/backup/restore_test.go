package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

// A database that is not held is never there: where what came back can't be
// held, because the machine stops just then say, no server finds it.
func TestFault35_WhatIsNotHeldDoesNotComeBack(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	h.furnish(t)
	h.exec(t, `CREATE TRIGGER stop BEFORE INSERT ON recoveries BEGIN SELECT RAISE(ABORT, 'the machine stops'); END`)
	dir := t.TempDir()
	if _, err := backup.Restore(t.Context(), from(h.backUp(t)), target(t, "sqlite:"+filepath.Join(dir, "tidelock.db"), t.TempDir())); err == nil {
		t.Fatal("restored")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// A blob that is there and whole is not replaced: since the backup it may have
// got a key that the backup's lacks. What is damaged comes back.
func TestBlobsThatAreWholeStay(t *testing.T) {
	h, dir, plan, large := stock(t)
	file := h.backUp(t)
	at := func(ref string) string { return filepath.Join(dir, client, ref) }
	before, err := os.Stat(at(plan))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(at(large))
	if err == nil {
		err = os.WriteFile(at(large), append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), from(file), target(t, "sqlite:"+filepath.Join(t.TempDir(), "tidelock.db"), dir)); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(at(plan)); err != nil || !os.SameFile(before, after) {
		t.Errorf("a blob that was whole was replaced: %v", err)
	}
	if got, err := os.ReadFile(at(large)); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("the damaged one did not come back: %v", err)
	}
}

// What a newer Tidelock has backed up is refused before anything is written:
// PostgreSQL would take the rows, without the columns that are not known here.
func TestBackupOfANewerTidelockIsRefused(t *testing.T) {
	empty := dbtest.EmptyPostgresDSN(t)
	var file bytes.Buffer
	if err := backup.WriteEmpty(t.Context(), &file, backup.Head{Tidelock: "9.0.0", Dialect: db.Postgres, Schema: 9000}, ring(t, 1)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first has left nothing that refuses the second
		if _, err := backup.Restore(t.Context(), from(file.Bytes()), target(t, empty, t.TempDir())); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "restore it with Tidelock 9.0.0") {
			t.Fatalf("restored: %v", err)
		}
	}
}
