package db

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/tidelock/tidelock/internal/errs"
)

// Path returns the file of an SQLite database, "" on PostgreSQL.
func (d *DB) Path() string { return strings.TrimSuffix(d.lock, ".lock") }

// CopyTo writes an SQLite database as it is at one moment to a new file, synced
// to the disk, while others go on writing. It fails on PostgreSQL: see Dump.
func (d *DB) CopyTo(ctx context.Context, path string) (err error) {
	if d.dialect != SQLite {
		return errors.New("copy database: not SQLite")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite fills an empty file, and would make one that all can read
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	// A connection of its own: the writer's must stay free, and the readers' may
	// write nothing, not even elsewhere.
	conn, err := sql.Open("sqlite", sqliteDSN(d.Path(), d.wait, false))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return classify("copy database", err)
	}
	if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Tables returns the names of all tables, the queue's and the migrations' too.
func (d *DB) Tables(ctx context.Context, q Querier) ([]string, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_litestream\_%' ESCAPE '\' ORDER BY name`
	if d.dialect == Postgres {
		query = `SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename`
	}
	return column(ctx, q, query)
}

// column returns the first column of what the query finds.
func column(ctx context.Context, q Querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Counts returns how many rows each table has.
func (d *DB) Counts(ctx context.Context, q Querier) (map[string]int64, error) {
	tables, err := d.Tables(ctx, q)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, t := range tables {
		var n int64
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM `+quoted(t)).Scan(&n); err != nil {
			return nil, err
		}
		counts[t] = n
	}
	return counts, nil
}

// unlogged are tables of PostgreSQL whose rows mean nothing elsewhere.
var unlogged = map[string]bool{"river_leader": true}

// OfMigrations reports whether a table's rows come with the tables themselves.
func OfMigrations(table string) bool {
	return table == goose.DefaultTablename || table == "river_migration" || unlogged[table]
}

// Dump writes the rows of a PostgreSQL table as lines of JSON, and returns how
// many there are.
func (d *DB) Dump(ctx context.Context, q Querier, table string, w io.Writer) (n int64, err error) {
	if unlogged[table] {
		return 0, nil
	}
	rows, err := q.QueryContext(ctx, `SELECT row_to_json(t)::text FROM `+quoted(table)+` t`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var line sql.RawBytes
		if err := rows.Scan(&line); err != nil {
			return n, err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// MigrateTo is Migrate to an older version, for what was dumped there.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer unlock()
	p, err := d.provider()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := d.migrateRiver(ctx); err != nil {
		return err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return classify("migrate", err)
	}
	return nil
}

// Loader fills the tables of a PostgreSQL database with what Dump wrote.
type Loader struct {
	tx      *Tx
	foreign [][2]string // table, and what puts a constraint back
}

// Tx returns the transaction of the load. What else must be true once the rows
// are there is written in it.
func (l *Loader) Tx() *Tx { return l.tx }

// Load empties all tables and gives fn a loader. All is in one transaction; at
// its end the foreign keys are checked, and the sequences go on behind the
// highest number. Like that of Tx, fn may be called again.
func (d *DB) Load(ctx context.Context, fn func(l *Loader) error) error {
	return d.Tx(ctx, func(tx *Tx) error {
		tables, err := d.Tables(ctx, tx)
		if err != nil {
			return err
		}
		var names []string
		for _, t := range tables {
			names = append(names, quoted(t))
		}
		l := &Loader{tx: tx}
		// Rows come table by table, and refer to each other in any order.
		rows, err := tx.QueryContext(ctx, `SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid)
			FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
			WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace`)
		if err != nil {
			return err
		}
		var drop []string
		for rows.Next() {
			var table, name, def string
			if err := rows.Scan(&table, &name, &def); err != nil {
				rows.Close()
				return err
			}
			drop = append(drop, `ALTER TABLE `+table+` DROP CONSTRAINT `+name)
			l.foreign = append(l.foreign, [2]string{table, `ADD CONSTRAINT ` + name + ` ` + def})
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, stmt := range append(drop, `TRUNCATE `+strings.Join(names, ", ")) {
			if _, err := tx.ExecContext(ctx, stmt); err != nil {
				return err
			}
		}
		if err := fn(l); err != nil {
			return err
		}
		for _, f := range l.foreign {
			if _, err := tx.ExecContext(ctx, `ALTER TABLE `+f[0]+` `+f[1]); err != nil {
				return errs.Wrap(errs.Conflict, err, "The rows of the backup do not fit together: %v.", err)
			}
		}
		return sequences(ctx, tx, tables)
	})
}

// sequences sets each table's sequences behind its highest number.
func sequences(ctx context.Context, tx *Tx, tables []string) error {
	for _, t := range tables {
		columns, err := column(ctx, tx, `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1
			AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL`, t)
		if err != nil {
			return err
		}
		for _, c := range columns {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence($1, $2), coalesce(max(%s), 0) + 1, false) FROM %s`, quoted(c), quoted(t)), quoted(t), c); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rows puts the lines of JSON into the table, and returns how many there were.
func (l *Loader) Rows(ctx context.Context, table string, r io.Reader) (n int64, err error) {
	columns, err := column(ctx, l.tx, `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position`, table)
	if err != nil {
		return 0, err
	}
	if len(columns) == 0 {
		return 0, errs.New(errs.Conflict, "The backup has a table %s, which this database does not have: it is of another version of Tidelock.", table)
	}
	for i, c := range columns {
		columns[i] = quoted(c)
	}
	list := strings.Join(columns, ", ")
	insert := fmt.Sprintf(`INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM json_populate_recordset(NULL::%s, $1::json)`, quoted(table), list, list, quoted(table))
	in := bufio.NewReaderSize(r, 1<<20)
	var batch []json.RawMessage
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		text, err := json.Marshal(batch)
		if err != nil {
			return err
		}
		_, err = l.tx.ExecContext(ctx, insert, string(text))
		batch, size = batch[:0], 0
		return err
	}
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 && err == nil {
			batch, size, n = append(batch, line), size+len(line), n+1
			if len(batch) >= 500 || size > 4<<20 {
				if err := flush(); err != nil {
					return n, fmt.Errorf("fill table %s: %w", table, err)
				}
			}
			continue
		}
		if errors.Is(err, io.EOF) && len(line) == 0 {
			if err := flush(); err != nil {
				return n, fmt.Errorf("fill table %s: %w", table, err)
			}
			return n, nil
		}
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
}
