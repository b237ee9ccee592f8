package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func insertClient(ctx context.Context, q db.Querier, id string) error {
	_, err := q.ExecContext(ctx, `INSERT INTO clients (id, slug, name, created_ms) VALUES ($1, $1, $2, $3)`, id, "Client "+id, int64(1))
	return err
}

func clientIDs(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), `SELECT id FROM clients ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	ids := []string{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestTxCommitsWholeOrNotAtAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var committed []string
		run := func(id string, end func() error) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v", p)
				}
			}()
			return d.Tx(ctx, func(tx *db.Tx) error {
				tx.AfterCommit(func() { committed = append(committed, id) })
				if err := insertClient(ctx, tx, id); err != nil {
					return err
				}
				return end()
			})
		}
		own := errs.New(errs.Conflict, "The head moved.")
		if err := run("a", func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := run("b", func() error { return own }); !errors.Is(err, own) || !errs.Is(err, errs.Conflict) {
			t.Errorf("fn's error became %v", err)
		}
		if err := run("c", func() error { panic("boom") }); err == nil || !strings.Contains(err.Error(), "boom") {
			t.Errorf("the panic became %v", err)
		}
		if err := run("a", func() error { return nil }); !db.IsUnique(err) {
			t.Errorf("a second client a: %v", err)
		}
		if err := run("d", func() error { return nil }); err != nil {
			t.Errorf("after a panic and failures: %v", err)
		}
		want := []string{"a", "d"}
		if diff := cmp.Diff(want, clientIDs(t, d)); diff != "" {
			t.Errorf("clients (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, committed); diff != "" {
			t.Errorf("AfterCommit (-want +got):\n%s", diff)
		}
	})
}

func TestForeignKeysHold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, err := d.ExecContext(t.Context(), `INSERT INTO repos (id, client_id, owner, name, created_ms) VALUES (1, 'nobody', 'o', 'n', 0)`)
		if err == nil || db.IsUnique(err) {
			t.Errorf("a repo of no client: %v", err)
		}
	})
}

func TestPlaceholdersBindByNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var a, b, c string
		err := d.QueryRowContext(t.Context(), `SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)`, "one", "two").Scan(&a, &b, &c)
		if err != nil {
			t.Fatal(err)
		}
		if a != "two" || b != "one" || c != "two" {
			t.Errorf("got %s %s %s, want two one two", a, b, c)
		}
	})
}

func TestValuesSurviveTheRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		at := time.Date(2026, 7, 1, 12, 0, 0, 123e6, time.UTC)
		body := []byte("\x00\xff'; DROP TABLE deliveries; --é")
		_, err := d.ExecContext(ctx, `INSERT INTO deliveries (guid, event, body, received_ms, repo_id) VALUES ($1, $2, $3, $4, $5)`,
			"g", "püsh", body, db.Millis(at), int64(1)<<60)
		if err != nil {
			t.Fatal(err)
		}
		var event, status string
		var got []byte
		var ms, repo int64
		var client *string
		err = d.QueryRowContext(ctx, `SELECT event, body, received_ms, repo_id, status, client_id FROM deliveries WHERE guid = $1`, "g").
			Scan(&event, &got, &ms, &repo, &status, &client)
		if err != nil {
			t.Fatal(err)
		}
		if event != "püsh" || string(got) != string(body) || !db.FromMillis(ms).Equal(at) || repo != 1<<60 || status != "queued" || client != nil {
			t.Errorf("got %q %q %v %d %q %v", event, got, db.FromMillis(ms), repo, status, client)
		}
		if db.Millis(time.Time{}) != 0 || !db.FromMillis(0).IsZero() {
			t.Error("the zero time is not 0 and back")
		}
	})
}

func TestReadsOutsideATransactionCanNotWrite(t *testing.T) {
	d := dbtest.SQLite(t)
	var id string
	err := d.QueryRowContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ('a', 'a', 'a', 0) RETURNING id`).Scan(&id)
	if err == nil {
		t.Error("a reader wrote")
	}
}

func TestOpenRefusesWrongDSN(t *testing.T) {
	for _, dsn := range []string{"", "tidelock.db", "mysql://x", "sqlite:", "sqlite::memory:", "postgres://u:hunter2secret@[broken"} {
		_, err := db.Open(t.Context(), dsn)
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", dsn, err)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestThreat_PasswordOfTheDatabaseIsNotShown(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	// Port 1 of the loopback: nobody listens there.
	_, err := db.Open(ctx, "postgres://u:hunter2secret@127.0.0.1:1/x?connect_timeout=2")
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("no server: %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "hunter2secret") {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestSQLiteFileIsItsOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b", "c%20d?e#f") // nothing of it may be read as part of a URL
	path := filepath.Join(dir, "tidelock.db")
	d := dbtest.Open(t, "sqlite:"+path)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
}

func TestSQLiteIsDurable(t *testing.T) {
	d := dbtest.SQLite(t)
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := tx.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
