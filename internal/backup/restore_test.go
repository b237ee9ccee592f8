package backup_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db/dbtest"
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
