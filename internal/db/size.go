package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Size is how much room the database takes, in bytes.
type Size struct {
	Data int64 // what is in it, indexes and free pages too
	Log  int64 // SQLite's write-ahead log; 0 on PostgreSQL, which keeps one for all its databases
}

// Size asks how much room the database takes, of files' lengths on SQLite and
// of PostgreSQL itself, which adds up its files too.
func (d *DB) Size(ctx context.Context) (s Size, err error) {
	if d.dialect == Postgres {
		if err := d.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&s.Data); err != nil {
			return s, classify("size of the database", err)
		}
		return s, nil
	}
	for path, into := range map[string]*int64{d.Path(): &s.Data, d.Path() + "-wal": &s.Log} {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no log before the first write
		}
		if err != nil {
			return s, fmt.Errorf("size of the database: %w", err)
		}
		*into = info.Size()
	}
	return s, nil
}

// Pools returns the pools of connections by what they are for, so that
// somebody can tell how long is waited for them: "write" and "read" on SQLite,
// "all" on PostgreSQL.
func (d *DB) Pools() map[string]*sql.DB {
	if d.dialect == Postgres {
		return map[string]*sql.DB{"all": d.writer}
	}
	return map[string]*sql.DB{"write": d.writer, "read": d.reader}
}
