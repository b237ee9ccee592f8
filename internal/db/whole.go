package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"modernc.org/sqlite"
)

// Whether an SQLite file is whole is known only by walking all of it, which
// takes minutes of a large one. So a server walks it at its start only where
// that may find something: where nobody saw it closed in good order, where it
// was touched since, or where it was not walked for a day. While it serves it
// walks it again each day, at low pace. What is known stands in a small file
// beside the database, where doctor finds it too.

// WholeEvery is how long a walk over the whole file is good for.
const WholeEvery = 24 * time.Hour

// Wholeness is what is known of the file of an SQLite database.
type Wholeness struct {
	Checked time.Time // when all of it was walked last; zero where that is not known
	Damage  string    // what was found since, as SQLite says it; "" for nothing
}

// Whole has Open walk the whole of an SQLite file: for one that was brought
// here, or is about to be changed for good.
func Whole() Option { return func(o *options) { o.whole = true } }

// Served has Open walk the whole of an SQLite file where it may have been
// damaged, or was not walked for a day, and keep a note of that until Close: for
// a server. walking is told why, before a walk that may take long.
func Served(walking func(why string)) Option {
	return func(o *options) { o.served = walking }
}

// note is what stands in the file beside the database.
type note struct {
	Checked int64  `json:"checked_ms"`
	Damage  string `json:"damage,omitempty"`
	Inode   uint64 `json:"inode"` // whose database's: another may have been put in its place
	// Closed is how the file was left in good order; nil while it is served, and
	// after a crash.
	Closed *stamp `json:"closed,omitempty"`
}

// stamp changes with whatever is written to a file.
type stamp struct {
	Size     int64 `json:"size"`
	Modified int64 `json:"modified_ns"`
}

func notePath(database string) string { return database + ".checked" }

// readNote returns the note of the database that is there now. One that can't
// be read is none.
func readNote(database string) note {
	var n note
	text, err := os.ReadFile(notePath(database))
	if err != nil || json.Unmarshal(text, &n) != nil {
		return note{}
	}
	if _, inode, err := stampOf(database); err != nil || inode != n.Inode {
		return note{}
	}
	return n
}

func stampOf(database string) (s stamp, inode uint64, err error) {
	info, err := os.Stat(database)
	if err != nil {
		return s, 0, err
	}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	return stamp{info.Size(), info.ModTime().UnixNano()}, inode, nil
}

// logged reports whether something stands in the write-ahead log: whoever
// closes last leaves nothing.
func logged(database string) bool {
	info, err := os.Stat(database + "-wal")
	return err == nil && info.Size() > 0 || err != nil && !errors.Is(err, os.ErrNotExist)
}

// doubt says why all of the file must be walked before it is served; "" where
// nothing speaks for that. Pure but for what it looks at.
func doubt(database string, n note, now time.Time) string {
	s, _, err := stampOf(database)
	age := now.Sub(time.UnixMilli(n.Checked))
	switch {
	case err != nil:
		return err.Error()
	case n.Checked == 0:
		return "nothing is known of an earlier check"
	case n.Damage != "":
		return "it was found damaged"
	case n.Closed == nil, logged(database):
		return "it was not closed in good order"
	case *n.Closed != s:
		return "somebody wrote to it since the server stopped"
	case age < 0 || age >= WholeEvery:
		return "the last check is older than a day"
	}
	return ""
}

// guard keeps the note of a file that is served.
type guard struct {
	path string
	mu   sync.Mutex
	note note
}

// write puts the note beside the database. The caller holds mu.
func (g *guard) write() error {
	text, err := json.Marshal(g.note)
	if err != nil {
		return err
	}
	half := notePath(g.path) + ".new"
	if err := os.WriteFile(half, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(half, notePath(g.path))
}

// open notes that the file is served from now on. That must be on the disk
// before anything is written to the database: a power cut must not bring back
// the note that all is in good order.
func (g *guard) open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.write(); err != nil { // a full disk; what may not stay can still go
		if err := os.Remove(notePath(g.path)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	dir, err := os.Open(filepath.Dir(g.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// found notes how a walk ended, or damage that a statement met. A note that
// can't be written is not missed: the next start finds it open, and walks.
func (g *guard) found(checked time.Time, damage string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !checked.IsZero() {
		g.note.Checked = Millis(checked)
	} else if g.note.Damage != "" {
		return // said already
	}
	g.note.Damage = damage
	_ = g.write()
}

// met notes damage that a statement of this process met.
func (g *guard) met(err error) {
	var lite *sqlite.Error
	if errors.As(err, &lite) && (lite.Code()&0xff == sqliteCorrupt || lite.Code()&0xff == sqliteNotADB) {
		g.found(time.Time{}, err.Error())
	}
}

// close notes that the file was left in good order, once no connection of ours
// is open. Where another process has it open still, or it is damaged, it says
// nothing, and the next start walks it.
func (g *guard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, inode, err := stampOf(g.path)
	if err != nil || g.note.Damage != "" || inode != g.note.Inode || logged(g.path) {
		return
	}
	g.note.Closed = &s
	_ = g.write()
}

// checkSQLite finds out whether the file may be used, before anything is
// written to it: a damaged page that is only met in mid-apply is met too late.
// Who is no server sees no more of it than its header and schema; what else is
// damaged SQLite tells where it is met.
func (d *DB) checkSQLite(ctx context.Context, o options) error {
	switch {
	case o.served == nil && o.whole:
		return walk(ctx, d.writer, "")
	case o.served == nil:
		return d.glance(ctx)
	}
	s, inode, err := stampOf(d.Path())
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	n := readNote(d.Path())
	why := doubt(d.Path(), n, time.Now())
	n.Inode, n.Closed = inode, nil
	g := d.guard
	g.note = n
	if err := g.open(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if why == "" {
		return d.glance(ctx)
	}
	if s.Size > 0 { // not just made
		o.served(why)
	}
	began := time.Now()
	if err := walk(ctx, d.writer, ""); err != nil {
		if damaged(err) {
			g.found(began, err.Error())
		}
		return err
	}
	g.found(began, "")
	return nil
}

// glance reads the header, by which SQLite also sees that a file is too short,
// and the schema.
func (d *DB) glance(ctx context.Context) error {
	var n int
	return classify("open database", d.writer.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&n))
}

// walk has SQLite walk all of the file, or all of a table and its indexes.
func walk(ctx context.Context, conn *sql.DB, table string) error {
	query := `PRAGMA quick_check(1)`
	if table != "" {
		query = `PRAGMA quick_check(` + quoted(table) + `)`
	}
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return classify("check database", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return classify("check database", err)
		}
		if line != "ok" {
			return corrupt(fmt.Errorf("check database: quick_check: %w", damage(line)))
		}
	}
	return classify("check database", rows.Err())
}

// damage is what a walk found.
type damage string

func (d damage) Error() string { return string(d) }

// damaged reports whether the error says that the file is, rather than that it
// could not be walked.
func damaged(err error) bool {
	var found damage
	var lite *sqlite.Error
	return errors.As(err, &found) || errors.As(err, &lite) && (lite.Code()&0xff == sqliteCorrupt || lite.Code()&0xff == sqliteNotADB)
}

// CheckWhole walks all tables of an SQLite database while it is used, resting
// after each as long as it took, and notes what it found: other connections
// wait for nothing, and the write-ahead log is held for no longer than the
// largest table takes. Lists of free pages are left to the walk at a start. The
// error names the restore command where the file is damaged. On PostgreSQL,
// which has means of its own, it does nothing.
func (d *DB) CheckWhole(ctx context.Context) error {
	if d.dialect != SQLite {
		return nil
	}
	began := time.Now()
	err := d.walkSlowly(ctx)
	switch {
	case err == nil:
		d.guard.found(began, "")
	case damaged(err):
		d.guard.found(began, err.Error())
	}
	return err
}

func (d *DB) walkSlowly(ctx context.Context) error {
	conn, err := sql.Open("sqlite", sqliteDSN(d.Path(), d.wait, true)) // of its own: readers are few
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	defer conn.Close()
	conn.SetMaxOpenConns(1)
	tables, err := column(ctx, conn, `SELECT 'sqlite_schema' UNION ALL SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0`)
	if err != nil {
		return classify("check database", err)
	}
	for _, t := range tables {
		began := time.Now()
		if err := walk(ctx, conn, t); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(began)):
		}
	}
	return nil
}

// Wholeness tells what is known of the file; nothing on PostgreSQL. Who is no
// server is told what the last one noted.
func (d *DB) Wholeness() Wholeness {
	n := note{}
	switch {
	case d.guard != nil:
		d.guard.mu.Lock()
		n = d.guard.note
		d.guard.mu.Unlock()
	case d.dialect == SQLite:
		n = readNote(d.Path())
	}
	return Wholeness{Checked: FromMillis(n.Checked), Damage: n.Damage}
}
