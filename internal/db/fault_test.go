package db_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

// Somebody else holds the lock: another process for SQLite, another session's
// row for PostgreSQL. Both are a second DB here.
func TestFault25_LockedDatabaseIsUnavailableAfterBoundedRetry(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		d := dbtest.Open(t, dsn, db.Busy(50*time.Millisecond, 3))
		theirs := dbtest.Open(t, dsn)
		if err := insertClient(ctx, d, "a"); err != nil {
			t.Fatal(err)
		}

		release, held := make(chan struct{}), make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			ended <- theirs.Tx(ctx, func(tx *db.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE clients SET name = 'theirs' WHERE id = 'a'`)
				close(held)
				<-release
				return err
			})
		}()
		<-held

		calls := 0
		begin := time.Now()
		err := d.Tx(ctx, func(tx *db.Tx) error {
			calls++
			if err := insertClient(ctx, tx, "b"); err != nil { // must not stay behind alone
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE clients SET name = 'ours' WHERE id = 'a'`)
			return err
		})
		took := time.Since(begin)
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
		if took < 150*time.Millisecond || took > 30*time.Second {
			t.Errorf("gave up after %v, want three tries of 50 ms and not much more", took)
		}
		if d.Dialect() == db.Postgres && calls != 3 {
			t.Errorf("%d tries, want 3", calls)
		}
		close(release)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if ids := clientIDs(t, d); len(ids) != 1 {
			t.Errorf("half a transaction stayed: %v", ids)
		}
		if err := insertClient(ctx, d, "c"); err != nil {
			t.Errorf("after the lock is gone: %v", err)
		}
	})
}

// The lock goes away between two tries: nobody hears of it.
func TestFault25_LockThatPassesIsRetried(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		d := dbtest.Open(t, dsn, db.Busy(50*time.Millisecond, 1000))
		theirs := dbtest.Open(t, dsn)
		if err := insertClient(ctx, d, "a"); err != nil {
			t.Fatal(err)
		}
		held := make(chan struct{})
		go func() {
			_ = theirs.Tx(ctx, func(tx *db.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE clients SET name = 'theirs' WHERE id = 'a'`)
				close(held)
				<-time.After(300 * time.Millisecond) // how long they hold it; several tries of ours
				return err
			})
		}()
		<-held
		if _, err := d.ExecContext(ctx, `UPDATE clients SET name = 'ours' WHERE id = 'a'`); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestFault25_CallerWhoGivesUpIsHeard(t *testing.T) {
	d := dbtest.SQLite(t)
	held, release := make(chan struct{}), make(chan struct{})
	go func() {
		_ = d.Tx(context.Background(), func(*db.Tx) error { close(held); <-release; return nil })
	}()
	<-held
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := insertClient(ctx, d, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("heard after %v", took)
	}
}

// PostgreSQL ends one of two transactions that wait for each other; it is run
// again.
func TestDeadlockIsRetried(t *testing.T) {
	d := dbtest.Postgres(t, db.Busy(10*time.Second, 5))
	ctx := t.Context()
	for _, id := range []string{"a", "b"} {
		if err := insertClient(ctx, d, id); err != nil {
			t.Fatal(err)
		}
	}
	var both sync.WaitGroup
	both.Add(2)
	var calls atomic.Int64
	cross := func(first, second string) error {
		once := true
		return d.Tx(ctx, func(tx *db.Tx) error {
			calls.Add(1)
			if _, err := tx.ExecContext(ctx, `UPDATE clients SET name = name || 'x' WHERE id = $1`, first); err != nil {
				return err
			}
			if once { // a retry finds the other one gone
				once = false
				both.Done()
				both.Wait()
			}
			_, err := tx.ExecContext(ctx, `UPDATE clients SET name = name || 'x' WHERE id = $1`, second)
			return err
		})
	}
	other := make(chan error, 1)
	go func() { other <- cross("b", "a") }()
	if err := cross("a", "b"); err != nil {
		t.Error(err)
	}
	if err := <-other; err != nil {
		t.Error(err)
	}
	if n := calls.Load(); n != 3 {
		t.Errorf("%d calls, want 3: one of the two ran twice", n)
	}
	var name string
	if err := d.QueryRowContext(ctx, `SELECT name FROM clients WHERE id = 'a'`).Scan(&name); err != nil || name != "Client axx" {
		t.Errorf("name %q, %v: each transaction should have taken effect once", name, err)
	}
}

// The server ends the session in mid-transaction, as a failover does.
func TestFault34_BrokenTransactionIsRetried(t *testing.T) {
	d := dbtest.Postgres(t)
	ctx := t.Context()
	calls := 0
	err := d.Tx(ctx, func(tx *db.Tx) error {
		calls++
		if err := insertClient(ctx, tx, "a"); err != nil {
			return err
		}
		if calls == 1 {
			var pid int
			if err := tx.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
				return err
			}
			if _, err := d.ExecContext(ctx, `SELECT pg_terminate_backend($1)`, pid); err != nil {
				return err
			}
		}
		return insertClient(ctx, tx, "b")
	})
	if err != nil {
		t.Fatal(err)
	}
	if ids := clientIDs(t, d); calls != 2 || len(ids) != 2 {
		t.Errorf("%d calls, clients %v; want 2 and a, b", calls, ids)
	}
}

// damage overwrites what f chooses of a closed SQLite file.
func damage(t *testing.T, dsn string, f func([]byte)) {
	t.Helper()
	path := strings.TrimPrefix(dsn, "sqlite:")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f(b)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFault26_CorruptDatabaseIsNotOpened(t *testing.T) {
	const page = 4096
	for name, f := range map[string]func([]byte){
		"no database at all":       func(b []byte) { copy(b, "this was once a database") },
		"schema page":              func(b []byte) { clear(b[100:page]) },
		"a page in the middle":     func(b []byte) { clear(b[8*page : 9*page]) },
		"noise over several pages": func(b []byte) { fill(b[10*page : 14*page]) },
	} {
		t.Run(name, func(t *testing.T) {
			dsn := dbtest.SQLiteDSN(t)
			damage(t, dsn, f)
			d, err := db.Open(t.Context(), dsn, serving(nil))
			if err == nil {
				_ = d.Close()
				t.Fatal("a damaged database was opened")
			}
			if s := errs.Sentence(err); !strings.Contains(s, "`tidelock restore`") {
				t.Errorf("the sentence does not name the restore command: %s", s)
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		dsn := dbtest.SQLiteDSN(t)
		if err := os.Truncate(strings.TrimPrefix(dsn, "sqlite:"), 5*page); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Open(t.Context(), dsn); err == nil || !strings.Contains(errs.Sentence(err), "`tidelock restore`") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("whole", func(t *testing.T) {
		dbtest.Open(t, dbtest.SQLiteDSN(t), serving(nil)) // the cases above fail for their damage and nothing else
	})
}

func fill(b []byte) {
	for i := range b {
		b[i] = byte(i*7 + i/256)
	}
}

// Damage done while the server runs is met by a statement, and the next start
// knows of it, though the file was closed in good order.
func TestFault26_DamageMetLaterNamesTheRestoreToo(t *testing.T) {
	dsn := dbtest.SQLiteDSN(t)
	d, err := db.Open(t.Context(), dsn, serving(nil))
	if err != nil {
		t.Fatal(err)
	}
	// A write of somebody else's makes our connection forget its cache.
	theirs := dbtest.Open(t, dsn)
	if _, err := theirs.ExecContext(t.Context(), `UPDATE event_head SET hash = 'x'`); err != nil {
		t.Fatal(err)
	}
	rot(t, d, "clients", time.Time{})
	err = insertClient(t.Context(), d, "a")
	if err == nil || !strings.Contains(errs.Sentence(err), "`tidelock restore`") {
		t.Errorf("got %v", err)
	}
	if w := d.Wholeness(); w.Damage == "" || theirs.Wholeness() != w {
		t.Errorf("the server knows %+v, others %+v", w, theirs.Wholeness())
	}
	if err := errors.Join(theirs.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	var why string
	if again, err := db.Open(t.Context(), dsn, serving(&why)); err == nil || why != "it was found damaged" {
		t.Errorf("the next start: %v, because %q", err, why)
		_ = again.Close()
	}
}

// serving is a server's way to open. why is told why all was walked, and empty
// where nothing was.
func serving(why *string) db.Option {
	return db.Served(func(is string) {
		if why != nil {
			*why = is
		}
	})
}

// rot overwrites the first page of a table, and gives the file back the time
// that it had before, where one is given: a disk that forgets tells nobody.
func rot(t *testing.T, d *db.DB, table string, modified time.Time) {
	t.Helper()
	var root int64
	if err := d.QueryRowContext(t.Context(), `SELECT rootpage FROM sqlite_master WHERE name = $1`, table).Scan(&root); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(d.Path(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 4096)
	fill(noise)
	if _, err := f.WriteAt(noise, (root-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !modified.IsZero() {
		if err := os.Chtimes(d.Path(), modified, modified); err != nil {
			t.Fatal(err)
		}
	}
}
