package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
)

// Verify reads a backup to its end: every byte is checked, and an SQLite
// database is opened in a folder below temp, its rows are counted and its audit
// chain is walked. Of PostgreSQL the rows are counted.
func Verify(ctx context.Context, r io.Reader, ring *keyring.Ring, temp string) (h Head, m Manifest, err error) {
	dir, err := tempDir(temp, ".verify-")
	if err != nil {
		return h, m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "tidelock.db")
	rows, blobs := map[string]int64{}, map[Ref]bool{}
	h, m, err = read(ctx, r, ring, func(name string, r io.Reader) error {
		if name == partDatabase {
			return save(path, r)
		}
		if t, ok := strings.CutPrefix(name, partTable); ok {
			lines := &lineCounter{}
			_, err := io.Copy(lines, r)
			rows[t] = lines.n
			return err
		}
		if ref, ok := strings.CutPrefix(name, partBlob); ok {
			ref, _ := parseRef(ref)
			blobs[ref] = true
		}
		return nil
	})
	if err != nil {
		return h, m, err
	}
	if h.Dialect == db.Postgres {
		return h, m, compare(m.Tables, rows)
	}
	var found Manifest
	refs, err := inspect(ctx, "sqlite:"+path, &found)
	if err != nil {
		return h, m, err
	}
	if err := compare(m.Tables, found.Tables); err != nil {
		return h, m, err
	}
	if found.Audit != m.Audit {
		return h, m, errs.New(errs.Invalid, "The backup's audit trail ends at event %d, and should at event %d.", found.Audit.Seq, m.Audit.Seq)
	}
	for ref := range refs {
		if !blobs[ref] && !slices.Contains(m.Missing, ref.String()) {
			return h, m, errs.New(errs.Invalid, "The backup lacks the stored file %s.", ref)
		}
	}
	return h, m, nil
}

type lineCounter struct{ n int64 }

func (l *lineCounter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			l.n++
		}
	}
	return len(p), nil
}

func compare(want, got map[string]int64) error {
	for t, n := range want {
		if got[t] != n {
			return errs.New(errs.Invalid, "The backup's table %s has %d rows, and should have %d.", t, got[t], n)
		}
	}
	return nil
}

// save writes a new file, synced to the disk.
func save(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// Target is where a backup is to come back: an installation that is empty, but
// for its configuration and its keys.
type Target struct {
	DSN      string // of the database
	Blobs    *blob.Store
	Keys     *keyring.Ring
	Temp     string // a folder for what is looked at before it counts
	Who      state.Who
	Progress func(Progress)
}

// Report says what came back.
type Report struct {
	Head     Head
	Manifest Manifest
	Frozen   int64 // states
	Recovery run.Recovery
}

// Restore brings a backup back. open is called several times: the whole file is
// checked before anything is written. Where it fails, or the machine does, there
// is no SQLite database, and one of PostgreSQL has tables without rows; blobs
// that came already are harmless. A database that is there is held, from the
// first moment on.
func Restore(ctx context.Context, open func() (io.ReadCloser, error), t Target) (rep Report, err error) {
	if err := t.empty(ctx); err != nil {
		return rep, err
	}
	t.tell(Progress{Part: "checking the file"})
	f, err := open()
	if err != nil {
		return rep, err
	}
	rep.Head, rep.Manifest, err = Verify(ctx, f, t.Keys, t.Temp)
	if err := errors.Join(err, f.Close()); err != nil {
		return rep, err
	}
	if dialect(t.DSN) != rep.Head.Dialect {
		return rep, errs.New(errs.Conflict, "The backup is of a %s database, and the configuration names a %s one.", rep.Head.Dialect, dialect(t.DSN))
	}
	t.tell(Progress{Part: "database"})
	if rep.Head.Dialect == db.SQLite {
		err = t.restoreSQLite(ctx, open, &rep)
	} else {
		err = t.restorePostgres(ctx, open, &rep)
	}
	if err != nil {
		return rep, fmt.Errorf("restore: %w", err)
	}
	return rep, nil
}

func (t Target) tell(p Progress) {
	if t.Progress != nil {
		t.Progress(p)
	}
}

// readAgain reads the file once more: other gets each part that is no blob. A
// plan or a log that is there already stays, if it can be read: its content
// never changes, and a rotation since may have given it another key than that
// of the backup, which may be gone. A state's key stands in the database.
func (t Target) readAgain(ctx context.Context, open func() (io.ReadCloser, error), other func(name string, r io.Reader) error) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	there := map[Ref]bool{}
	if err := t.Blobs.List(ctx, "", func(i blob.Item) error {
		there[Ref{i.Client, i.Ref}] = true
		return nil
	}); err != nil {
		return err
	}
	done := Progress{Part: "blobs"}
	_, _, err = read(ctx, f, t.Keys, func(name string, r io.Reader) error {
		text, ok := strings.CutPrefix(name, partBlob)
		if !ok {
			return other(name, r)
		}
		ref, ok := parseRef(text)
		if !ok {
			return damaged(fmt.Errorf("a blob is called %q", name))
		}
		counted := &counting{r: r}
		var err error
		if there[ref] && t.reads(ctx, ref) {
			_, err = io.Copy(io.Discard, counted)
		} else {
			err = t.Blobs.PutBack(ctx, ref.Client, ref.Name, counted)
		}
		if err != nil {
			return err
		}
		done.Blobs, done.Bytes = done.Blobs+1, done.Bytes+counted.n
		t.tell(done)
		return nil
	})
	return err
}

// reads reports whether a blob is whole and its key at hand.
func (t Target) reads(ctx context.Context, ref Ref) bool {
	f, err := t.Blobs.Get(ctx, ref.Client, ref.Name)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, blob.WithContext(ctx, f))
	return errors.Join(err, f.Close()) == nil
}

type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func dialect(dsn string) db.Dialect {
	if strings.HasPrefix(dsn, "sqlite:") {
		return db.SQLite
	}
	return db.Postgres
}

// empty refuses where there is anything that a restore would mix with.
func (t Target) empty(ctx context.Context) error {
	if path, ok := strings.CutPrefix(t.DSN, "sqlite:"); ok {
		for _, p := range []string{path, path + "-wal"} {
			if _, err := os.Lstat(p); err == nil {
				return errs.New(errs.Conflict, "There is a database already: %s. Nothing is overwritten; move it away with its -wal and -shm files, and keep it until all is well.", p)
			}
		}
		return nil
	}
	d, err := db.Open(ctx, t.DSN)
	if err != nil {
		return err
	}
	rows, err := used(ctx, d)
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	if len(rows) > 0 {
		return errs.New(errs.Conflict, "The database is not empty: there are rows in %s. Nothing is overwritten; make a new one.", strings.Join(slices.Sorted(maps.Keys(rows)), ", "))
	}
	return nil
}

// used returns the tables that have rows, and how many; none are those that
// every migrated database has: a restore that failed leaves its tables behind.
func used(ctx context.Context, d *db.DB) (map[string]int64, error) {
	rows, err := d.Counts(ctx, d)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(rows, func(table string, n int64) bool { return n == 0 || db.OfMigrations(table) })
	if _, known := rows["event_head"]; known { // one row, whatever there is
		var seq int64
		if err := d.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM event_head`).Scan(&seq); err != nil {
			return nil, fmt.Errorf("read the head of the audit trail: %w", err)
		}
		if seq == 0 {
			delete(rows, "event_head")
		}
	}
	return rows, nil
}

func (t Target) restoreSQLite(ctx context.Context, open func() (io.ReadCloser, error), rep *Report) error {
	return t.place(ctx, "backup", rep, &rep.Manifest, func(path string) (time.Time, error) {
		return rep.Head.Made, t.readAgain(ctx, open, func(name string, r io.Reader) error {
			if name != partDatabase {
				return damaged(fmt.Errorf("it has a part %q", name))
			}
			return save(path, r)
		})
	})
}

// place makes the SQLite database under another name: fill writes the file and
// says of when it is. It gets its own name once all in it is checked and held,
// so that no server ever starts on one that is not. m is nil where it is not
// known what must be there.
func (t Target) place(ctx context.Context, source string, rep *Report, m *Manifest, fill func(path string) (time.Time, error)) (err error) {
	path := strings.TrimPrefix(t.DSN, "sqlite:")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	half := path + ".restoring"
	clear := func() (err error) {
		for _, side := range []string{"", "-wal", "-shm", "-txid", ".lock"} {
			if rerr := os.Remove(half + side); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
		return err
	}
	if err := clear(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clear()) }()
	made, err := fill(half)
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, "sqlite:"+half, db.Whole())
	if err != nil {
		return err
	}
	if err = check(ctx, d, m); err == nil && m == nil {
		rep.Manifest.Tables, err = d.Counts(ctx, d)
	}
	if err == nil {
		err = d.Migrate(ctx)
	}
	if err == nil {
		err = d.Tx(ctx, func(tx *db.Tx) error { return t.hold(ctx, tx, d, source, made, rep) })
	}
	// The last connection that closes brings all into the file.
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(half + "-wal"); err == nil {
		return errors.New("somebody else has the database open")
	}
	return putInPlace(half, path)
}

// putInPlace syncs a file and renames it, so that a crash leaves it there or
// not.
func putInPlace(from, to string) error {
	f, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// restorePostgres fills the tables and holds what is in them in one
// transaction. What a failure leaves is an empty database with tables, into which
// a restore may be tried again.
func (t Target) restorePostgres(ctx context.Context, open func() (io.ReadCloser, error), rep *Report) (err error) {
	d, err := db.Open(ctx, t.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	switch have, knows, err := d.Version(ctx); {
	case err != nil:
		return err
	case have > rep.Head.Schema:
		return errs.New(errs.Conflict, "The database has tables of version %d already, and the backup's are of version %d. Make a new one.", have, rep.Head.Schema)
	case rep.Head.Schema > knows:
		return errs.New(errs.Conflict, "The backup's database has version %d, and this Tidelock knows versions up to %d: restore it with Tidelock %s or a newer one.", rep.Head.Schema, knows, rep.Head.Tidelock)
	}
	if err := d.MigrateTo(ctx, rep.Head.Schema); err != nil {
		return err
	}
	want := rep.Manifest.Tables
	err = d.Load(ctx, func(l *db.Loader) error {
		err := t.readAgain(ctx, open, func(name string, r io.Reader) error {
			table, ok := strings.CutPrefix(name, partTable)
			if !ok {
				return damaged(fmt.Errorf("it has a part %q", name))
			}
			n, err := l.Rows(ctx, table, r)
			if err == nil && n != want[table] {
				err = compare(want, map[string]int64{table: n})
			}
			return err
		})
		if err != nil {
			return err
		}
		counts, err := d.Counts(ctx, l.Tx())
		if err != nil {
			return err
		}
		if err := compare(want, counts); err != nil {
			return err
		}
		return t.hold(ctx, l.Tx(), d, "backup", rep.Head.Made, rep)
	})
	if err != nil {
		return err
	}
	if err := access.NewTrail(d).Verify(ctx, rep.Manifest.Audit); err != nil {
		return fmt.Errorf("what came back is held, and must not be used: %w", err)
	}
	return d.Migrate(ctx)
}

// check compares what is in a database with what must be.
func check(ctx context.Context, d *db.DB, m *Manifest) error {
	trail := access.NewTrail(d)
	if m == nil {
		return trail.Verify(ctx)
	}
	counts, err := d.Counts(ctx, d)
	if err != nil {
		return err
	}
	if err := compare(m.Tables, counts); err != nil {
		return err
	}
	return trail.Verify(ctx, m.Audit)
}

// hold records that the database came back, and freezes what a person has to
// look at.
func (t Target) hold(ctx context.Context, tx *db.Tx, d *db.DB, source string, made time.Time, rep *Report) (err error) {
	trail := access.NewTrail(d)
	if rep.Recovery, err = run.NewStore(d, trail, nil).BeginRecovery(ctx, tx, source, made, t.Who.Actor); err != nil {
		return err
	}
	why := fmt.Sprintf("It came back from a %s on %s, and what is really there may be newer: see `tidelock restore status`.", source, rep.Recovery.Came.UTC().Format("2006-01-02 15:04 MST"))
	rep.Frozen, err = state.New(state.Options{DB: d, Trail: trail}).FreezeTx(ctx, tx, t.Who, why)
	return err
}
