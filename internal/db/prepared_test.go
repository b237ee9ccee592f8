package db

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

func openPrepared(t *testing.T) *DB {
	t.Helper()
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.ExecContext(t.Context(), `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)`); err != nil {
		t.Fatal(err)
	}
	return d
}

func names(t *testing.T, q Querier, where string, args ...any) string {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), `SELECT name FROM t `+where, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := ""
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all += name + " "
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

const insertName = `INSERT INTO t (id, name) VALUES ($1, $2)`

func TestPreparedStatementsForgetTheirLastRun(t *testing.T) {
	d := openPrepared(t)
	for i, name := range []string{"a", "b", "c"} {
		if _, err := d.ExecContext(t.Context(), insertName, i+1, name); err != nil {
			t.Fatal(err)
		}
	}
	const where = `WHERE id >= $1 ORDER BY id LIMIT $2`
	for _, c := range []struct {
		from, limit int
		want        string
	}{{1, 3, "a b c "}, {3, 3, "c "}, {4, 3, ""}, {1, 1, "a "}} {
		if got := names(t, d, where, c.from, c.limit); got != c.want {
			t.Errorf("from %d, limit %d: %q, want %q", c.from, c.limit, got, c.want)
		}
	}
	// One that fails leaves nothing behind, and works again.
	if _, err := d.ExecContext(t.Context(), insertName, 4, "a"); err == nil {
		t.Error("a name was inserted twice")
	}
	if _, err := d.ExecContext(t.Context(), insertName, 4, "d"); err != nil {
		t.Error(err)
	}
	// NULL is bound anew, not what stood there before.
	if _, err := d.ExecContext(t.Context(), insertName, 5, nil); err != nil {
		t.Error(err)
	}
	var nulls int
	if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM t WHERE id = 5 AND name IS NULL`).Scan(&nulls); err != nil || nulls != 1 {
		t.Errorf("%d rows without a name, %v, want 1", nulls, err)
	}
}

func TestPreparedStatementRunsWhileItsRowsAreOpen(t *testing.T) {
	d := openPrepared(t)
	err := d.Tx(t.Context(), func(tx *Tx) error {
		for i := range 3 {
			if _, err := tx.ExecContext(t.Context(), insertName, i, fmt.Sprint("n", i)); err != nil {
				return err
			}
		}
		const all = `SELECT id FROM t ORDER BY id`
		rows, err := tx.QueryContext(t.Context(), all)
		if err != nil {
			return err
		}
		defer rows.Close()
		seen := 0
		for rows.Next() {
			var first int
			if err := tx.QueryRowContext(t.Context(), all).Scan(&first); err != nil {
				return err
			}
			var id int
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if first != 0 || id != seen {
				t.Errorf("inner %d, outer %d, want 0 and %d", first, id, seen)
			}
			seen++
		}
		if seen != 3 {
			t.Errorf("%d rows, want 3", seen)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPreparedStatementsFollowTheSchema(t *testing.T) {
	d := openPrepared(t)
	if _, err := d.ExecContext(t.Context(), insertName, 1, "a"); err != nil {
		t.Fatal(err)
	}
	const all = `SELECT * FROM t`
	columns := func() int {
		rows, err := d.QueryContext(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		c, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return len(c)
	}
	if n := columns(); n != 2 {
		t.Fatalf("%d columns, want 2", n)
	}
	if _, err := d.ExecContext(t.Context(), `ALTER TABLE t ADD COLUMN more TEXT`); err != nil {
		t.Fatal(err)
	}
	if n := columns(); n != 3 {
		t.Errorf("%d columns after one was added, want 3", n)
	}
}

// TestPreparedStatementsAreBounded also runs into the bound with rows open on
// a statement, which must outlive it.
func TestPreparedStatementsAreBounded(t *testing.T) {
	d := openPrepared(t)
	for i := range 4 {
		if _, err := d.ExecContext(t.Context(), insertName, i, fmt.Sprint("n", i)); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := d.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rows, err := conn.QueryContext(t.Context(), `SELECT id FROM t ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for i := range 2*maxPrepared + 10 {
		var n int
		if err := conn.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT %d`, i)).Scan(&n); err != nil || n != i {
			t.Fatalf("%d, %v, want %d", n, err, i)
		}
	}
	for want := 0; rows.Next(); want++ {
		var id int
		if err := rows.Scan(&id); err != nil || id != want {
			t.Fatalf("row %d, %v, want %d", id, err, want)
		}
	}
	if err := conn.Raw(func(c any) error {
		if n := len(c.(*preparedConn).stmts); n > maxPrepared+1 {
			t.Errorf("%d statements are kept, want at most %d", n, maxPrepared+1)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestPreparedStatementOfAnEndedContext(t *testing.T) {
	d := openPrepared(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.ExecContext(ctx, insertName, 1, "a"); err == nil {
		t.Error("an ended context inserts")
	}
	if _, err := d.ExecContext(t.Context(), insertName, 1, "a"); err != nil {
		t.Error(err)
	}
}

func TestLimitsAreSteady(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT a FROM t LIMIT $1":                                "SELECT a FROM t LIMIT ($1 + 0)",
		"UPDATE t SET b = ?1 WHERE a IN (SELECT a\n limit\n ?12)": "UPDATE t SET b = ?1 WHERE a IN (SELECT a\n LIMIT (?12 + 0))",
		"SELECT a FROM t LIMIT 5":                                 "SELECT a FROM t LIMIT 5",
		"SELECT a FROM t LIMIT @many - 1":                         "SELECT a FROM t LIMIT @many - 1",
		"SELECT a FROM t WHERE unlimit = $1":                      "SELECT a FROM t WHERE unlimit = $1",
	} {
		if got := steady(query); got != want {
			t.Errorf("%q: %q", query, got)
		}
	}
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, n := range []int{3, 1, 0, -1, 4} {
		var got int
		err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 LIMIT $1)`, n).Scan(&got)
		want := n
		if n < 0 {
			want = 5
		}
		if err != nil || got != want {
			t.Errorf("%d: %d, %v", n, got, err)
		}
	}
}
