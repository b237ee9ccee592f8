package dbtest

import (
	"testing"

	"github.com/tidelock/tidelock/internal/db"
)

// Plan returns how the database carries a query out, a line each. On SQLite
// "SEARCH runs USING INDEX …" looks at what the index finds, "SCAN runs" at
// every row; PostgreSQL chooses by what ANALYZE has found last. It is how a test
// proves that a query stays quick in a large table.
func Plan(t testing.TB, d *db.DB, query string, args ...any) []string {
	t.Helper()
	explain := `EXPLAIN QUERY PLAN `
	if d.Dialect() == db.Postgres {
		explain = `EXPLAIN `
	}
	rows, err := d.QueryContext(t.Context(), explain+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		into := []any{&id, &parent, &unused, &line}
		if d.Dialect() == db.Postgres {
			into = into[3:]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
