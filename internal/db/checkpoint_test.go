package db

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// What was written is moved without anybody's doing, and once all of it is, the
// next commit begins the log anew.
func TestCheckpointsOnItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	d, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	look, err := sql.Open("sqlite", sqliteDSN(path, d.wait, false))
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	pages := func() (log, moved int) {
		t.Helper()
		var busy int
		if err := look.QueryRowContext(t.Context(), `PRAGMA wal_checkpoint(NOOP)`).Scan(&busy, &log, &moved); err != nil {
			t.Fatal(err)
		}
		return log, moved
	}
	if _, err := d.ExecContext(t.Context(), `CREATE TABLE large (b BLOB)`); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := d.ExecContext(t.Context(), `INSERT INTO large VALUES (zeroblob(1 << 20))`); err != nil {
			t.Fatal(err)
		}
	}
	for moved, log := 0, 1; moved < log || moved == 0; {
		log, moved = pages()
	}
	d.ckpt.moveRest(t.Context())
	if _, err := d.ExecContext(t.Context(), `DELETE FROM large WHERE rowid = 1`); err != nil {
		t.Fatal(err)
	}
	if log, _ := pages(); log > 3*256 {
		t.Errorf("the log goes on: it has %d pages", log)
	}
}
