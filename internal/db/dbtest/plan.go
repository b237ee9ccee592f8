package dbtest

import (
	"testing"

	"github.com/tidelock/tidelock/internal/db"
)

// Plan returns how SQLite carries a query out, a line each: "SEARCH runs USING
// INDEX …" looks at what the index finds, "SCAN runs" at every row. It is how a
// test proves that a query stays quick in a large table.
func Plan(t testing.TB, d *db.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
