package db_test

import (
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

func TestSize(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if _, err := d.ExecContext(t.Context(), `INSERT INTO nodes (id, name, started_ms, beat_ms) VALUES ('a', 'a', 1, 1)`); err != nil {
			t.Fatal(err)
		}
		s, err := d.Size(t.Context())
		if err != nil || s.Data < 64<<10 || (s.Log > 0) != (d.Dialect() == db.SQLite) {
			t.Errorf("size %+v, %v", s, err)
		}
		if n := len(d.Pools()); n != map[db.Dialect]int{db.SQLite: 2, db.Postgres: 1}[d.Dialect()] {
			t.Errorf("%d pools", n)
		}
	})
}
