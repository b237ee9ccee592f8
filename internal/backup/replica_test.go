package backup_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
)

// The drill's writer is this test's own program, so that it can be killed.
const (
	drillDatabase = "TIDELOCK_DRILL_DATABASE"
	drillReplica  = "TIDELOCK_DRILL_REPLICA"
)

func replicaStore(ctx context.Context, where string) (*blob.Store, error) {
	if strings.Contains(where, "://") {
		return blob.OpenURL(ctx, where, key(1))
	}
	return blob.Open(where, key(1))
}

// TestDrillChild is the server of the drill: it writes events as fast as it can
// and says of each when it was committed.
func TestDrillChild(t *testing.T) {
	path := os.Getenv(drillDatabase)
	if path == "" {
		t.Skip("only the drill starts it")
	}
	d := dbtest.Open(t, "sqlite:"+path)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	to, err := replicaStore(t.Context(), os.Getenv(drillReplica))
	if err != nil {
		t.Fatal(err)
	}
	r, err := backup.StartReplica(t.Context(), path, to, slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	trail := access.NewTrail(d)
	for {
		var n int64
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			if err := trail.Record(t.Context(), tx, access.Event{Action: "drill.write", Actor: alice.Actor}); err != nil {
				return err
			}
			return tx.QueryRowContext(t.Context(), `SELECT seq FROM event_head WHERE id = 1`).Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("committed %d %d\n", n, time.Now().UnixMilli())
	}
}

// TestDrillKillRestoreCompare kills a server in mid-write. On its disk nothing
// that was committed is missing; with the disk gone, the replica has all but the
// last second.
func TestDrillKillRestoreCompare(t *testing.T) {
	for name, where := range map[string]func(t *testing.T) string{
		"folder": func(t *testing.T) string { return t.TempDir() },
		"s3": func(t *testing.T) string {
			backend := s3mem.New()
			if err := backend.CreateBucket("replica"); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(gofakes3.New(backend).Server())
			t.Cleanup(server.Close)
			t.Setenv("AWS_ACCESS_KEY_ID", "test")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
			return "s3://replica?region=us-east-1&prefix=one/&endpoint=" + url.QueryEscape(server.URL)
		},
		"real s3": func(t *testing.T) string { return serverstest.StartS3(t).URL() + "&prefix=one/" },
		"azblob":  func(t *testing.T) string { return serverstest.StartAzurite(t).URL() + "&prefix=one/" },
	} {
		t.Run(name, func(t *testing.T) {
			// A machine with other work to do makes the loss longer and never
			// shorter: one drill of three within the second is proof.
			var lost time.Duration
			for range 3 {
				if lost = killAndRestore(t, where(t)); lost <= time.Second {
					return
				}
			}
			t.Errorf("%v lost, three times", lost)
		})
	}
}

// killAndRestore is one drill. It returns how long before the last commit the
// replica ends.
func killAndRestore(t *testing.T, replica string) (lost time.Duration) {
	path := filepath.Join(t.TempDir(), "tidelock.db")
	last, at := drill(t, path, replica)

	// The disk is there: nothing is lost.
	d, err := db.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	head, err := access.NewTrail(d).Head(t.Context())
	if err != nil || head.Seq < last {
		t.Errorf("after the kill the database ends at %d, and %d was committed, %v", head.Seq, last, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	// The disk is gone.
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	from, err := replicaStore(t.Context(), replica)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	tgt := target(t, "sqlite:"+path, t.TempDir())
	rep, err := backup.RestoreReplica(t.Context(), from, tgt)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	back := open(t, "sqlite:"+path, t.TempDir())
	// The restore has recorded itself.
	events, err := back.trail.List(t.Context(), "", 2)
	if err != nil || events[0].Action != "database.restored" {
		t.Fatalf("%+v, %v", events, err)
	}
	if have := events[1].Seq; have < last {
		lost = time.Duration(at[last]-at[have+1]) * time.Millisecond
	}
	t.Logf("%d commits; the replica ends at %d: %v lost; restored in %v", last, events[1].Seq, lost, took)
	if err := back.trail.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if rec, err := back.runs.OpenRecovery(t.Context(), back.db); err != nil || rec == nil || rec.ID != rep.Recovery.ID {
		t.Errorf("nothing is frozen: %+v, %v", rec, err)
	}
	if _, err := backup.RestoreReplica(t.Context(), from, tgt); !errs.Is(err, errs.Conflict) {
		t.Errorf("restored over what was there: %v", err)
	}
	return lost
}

// drill runs the child until it has written enough, and for long enough that a
// replica must have followed, kills it, and returns the last event that it said was
// committed, and when each was, in milliseconds.
func drill(t *testing.T, path, replica string) (last int64, at map[int64]int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=TestDrillChild$", "-test.v")
	cmd.Env = append(os.Environ(), drillDatabase+"="+path, drillReplica+"="+replica)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	at = map[int64]int64{}
	lines := bufio.NewScanner(out)
	var said []string
	killed := false
	for lines.Scan() {
		var n, ms int64
		if _, err := fmt.Sscanf(lines.Text(), "committed %d %d", &n, &ms); err != nil {
			said = append(said, lines.Text())
			continue
		}
		last, at[n] = n, ms
		if !killed && n > 100 && ms-at[1] > 1500 {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if last < 100 || !killed {
		t.Fatalf("the writer wrote %d events: %v", last, said)
	}
	return last, at
}

// Going down in order loses nothing, and coming up goes on.
func TestReplicaFollowsOverRestarts(t *testing.T) {
	path, dir := filepath.Join(t.TempDir(), "tidelock.db"), t.TempDir()
	for round := range 3 {
		why := ""
		d, err := db.Open(t.Context(), "sqlite:"+path, db.Served(func(is string) { why = is }))
		if err != nil {
			t.Fatal(err)
		}
		if why != "" { // what replicates closes the database too
			t.Errorf("round %d: the database is walked, since %s", round, why)
		}
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		to, err := blob.Open(dir, key(1))
		if err != nil {
			t.Fatal(err)
		}
		r, err := backup.StartReplica(t.Context(), path, to, slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if _, err := d.ExecContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ($1, $1, 'n', 0)`, fmt.Sprintf("c%d-%d", round, i)); err != nil {
				t.Fatal(err)
			}
		}
		if round == 1 {
			if err := r.Sync(t.Context()); err != nil || r.Lag().Commits != 0 {
				t.Errorf("%+v, %v", r.Lag(), err)
			}
		}
		if err := r.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		back := "sqlite:" + filepath.Join(t.TempDir(), "back.db")
		if _, err := backup.RestoreReplica(t.Context(), to, target(t, back, t.TempDir())); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := dbtest.Open(t, back).QueryRowContext(t.Context(), `SELECT count(*) FROM clients`).Scan(&n); err != nil || n != 50*(round+1) {
			t.Errorf("round %d: %d rows, %v", round, n, err)
		}
	}
}

// An older database that came back is where the replica goes on.
func TestReplicaAfterARestore(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	h.furnish(t)
	file, dir := h.backUp(t), t.TempDir()
	to, err := blob.Open(dir, key(1))
	if err != nil {
		t.Fatal(err)
	}
	follow := func(path string, write func()) {
		t.Helper()
		r, err := backup.StartReplica(t.Context(), path, to, slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		write()
		if err := r.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	follow(h.db.Path(), func() {
		for i := 2; i < 12; i++ {
			h.write(t, "net/prod", i, fmt.Sprint("written ", i))
		}
	})
	empty := filepath.Join(t.TempDir(), "tidelock.db")
	if _, err := backup.Restore(t.Context(), from(file), target(t, "sqlite:"+empty, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	back := dbtest.Open(t, "sqlite:"+empty)
	follow(empty, func() {
		if _, err := back.ExecContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ('new', 'new', 'n', 0)`); err != nil {
			t.Fatal(err)
		}
	})
	again := "sqlite:" + filepath.Join(t.TempDir(), "again.db")
	if _, err := backup.RestoreReplica(t.Context(), to, target(t, again, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	var clients, versions int
	if err := dbtest.Open(t, again).QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM state_versions)`).Scan(&clients, &versions); err != nil || clients != 2 || versions != 2 {
		t.Errorf("%d clients, %d versions, %v", clients, versions, err)
	}
}

func TestThreat_ReplicaShowsNothing(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	h.furnish(t)
	dir := t.TempDir()
	to, err := blob.Open(dir, key(1))
	if err != nil {
		t.Fatal(err)
	}
	r, err := backup.StartReplica(t.Context(), h.db.Path(), to, slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		b, err := os.ReadFile(path)
		for _, word := range []string{canary, "net/prod", "LTX1", "CREATE TABLE"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s shows %q", e.Name(), word)
			}
		}
		return err
	})
	if err != nil || n == 0 {
		t.Errorf("%d files, %v", n, err)
	}
}

// A place that takes nothing is told of: by errors, and by a lag that grows
// from the start on.
func TestReplicaThatNeverAnswered(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	dir := t.TempDir()
	to, err := blob.Open(dir, key(1))
	if err != nil {
		t.Fatal(err)
	}
	unfinished := filepath.Join(dir, ".unfinished")
	if err := os.Remove(unfinished); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unfinished, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := backup.StartReplica(t.Context(), h.db.Path(), to, slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); err == nil {
		t.Error("it was sent")
	}
	if s := r.Status(); s.Errors == 0 || !s.Last.IsZero() || s.Since <= 0 {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(unfinished); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := r.Status(); s.Errors == 0 || s.Last.IsZero() || s.Commits != 0 {
		t.Errorf("%+v", s)
	}
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a kill has left of a backup holds a whole database: the next one takes
// it away.
func TestLeftoversOfABackupGo(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	s := h.source(t)
	old, fresh := filepath.Join(s.Temp, ".backup-1"), filepath.Join(s.Temp, ".backup-2")
	for _, dir := range []string{old, fresh} {
		if err := os.MkdirAll(filepath.Join(dir, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	if _, _, err := backup.Write(t.Context(), io.Discard, s); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(s.Temp)
	if err != nil || len(left) != 1 || left[0].Name() != ".backup-2" {
		t.Errorf("%v, %v", left, err)
	}
}
