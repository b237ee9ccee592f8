package dbtest_test

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

const childEnv = "TIDELOCK_DBTEST_CHILD"

// TestClusterChild is a test process that uses PostgreSQL and is killed.
func TestClusterChild(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("only of use to the test that starts it")
	}
	fmt.Println("dsn", dbtest.PostgresDSN(t))
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func TestKilledTestProcessLeavesNothingBehind(t *testing.T) {
	_ = dbtest.EmptyPostgresDSN(t) // skips where there is no PostgreSQL
	cmd := exec.Command(os.Args[0], "-test.run=^TestClusterChild$")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dsn := ""
	for lines := bufio.NewScanner(out); dsn == "" && lines.Scan(); {
		dsn, _ = strings.CutPrefix(lines.Text(), "dsn ")
		if !strings.HasPrefix(lines.Text(), "dsn ") {
			dsn = ""
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	u, err := url.Parse(dsn)
	if err != nil || u.Query().Get("host") == "" {
		t.Fatalf("the child gave no DSN: %q, %v", dsn, err)
	}
	dir := u.Query().Get("host")
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := os.Stat(dir)
		if os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
		time.Sleep(20 * time.Millisecond) // between polls
	}
	if d, err := db.Open(t.Context(), dsn); err == nil {
		_ = d.Close()
		t.Error("the server still answers")
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, a *db.DB) {
		b := dbtest.SQLite(t)
		if a.Dialect() == db.Postgres {
			b = dbtest.Postgres(t)
		}
		if _, err := a.ExecContext(t.Context(), `INSERT INTO nodes (id, name, started_ms, beat_ms) VALUES ('n', 'n', 0, 0)`); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := b.QueryRowContext(t.Context(), `SELECT count(*) FROM nodes`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d nodes in another test's database, %v", n, err)
		}
	})
}
