package queue_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/queue"
)

// childEnv makes this test binary a server that can be killed.
const childEnv = "TIDELOCK_QUEUE_TEST_CHILD" // node, a space, DSN

// TestChildProcess is the body of such a server: it says which jobs it has
// begun and never ends one. The job "deadly" ends the process instead.
func TestChildProcess(t *testing.T) {
	node, dsn, ok := strings.Cut(os.Getenv(childEnv), " ")
	if !ok {
		t.Skip("only of use to the tests that start it")
	}
	q := newQueue(t, dbtest.Open(t, dsn), func(o *queue.Options) {
		o.Node, o.Beat, o.DeadAfter, o.Log = node, 100*time.Millisecond, time.Hour, slog.New(slog.DiscardHandler)
	})
	queue.Handle(q, "main", func(ctx context.Context, j queue.Job[note]) error {
		if j.Args.Text == "deadly" {
			os.Exit(1)
		}
		fmt.Println("began", j.Args.Text)
		<-ctx.Done()
		return ctx.Err()
	}, queue.HandlerOptions{MaxAttempts: 2, Timeout: -1})
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The parent holds the pipe; when it is gone, so are we.
	_, _ = os.Stdin.Read(make([]byte, 1))
	os.Exit(2)
}

type child struct {
	cmd   *exec.Cmd
	began chan string
	ended chan struct{}
}

func startChild(t *testing.T, node, dsn string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^TestChildProcess$"), began: make(chan string, 10), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childEnv+"="+node+" "+dsn)
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if what, ok := strings.CutPrefix(lines.Text(), "began "); ok {
				c.began <- what
			}
		}
		_ = c.cmd.Wait()
	}()
	t.Cleanup(func() { _ = stdin.Close(); c.kill(t) })
	return c
}

// kill is SIGKILL, and waits until the process is gone.
func (c *child) kill(t *testing.T) {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	recv(t, c.ended, "end of the child")
}

func TestKilledNodesJobsAreTakenUpAtItsRestart(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d := dbtest.Open(t, dsn)
		// The heartbeat is far too slow to be what takes the jobs back.
		q := newQueue(t, d, func(o *queue.Options) { o.Beat, o.DeadAfter = time.Hour, 24*time.Hour })
		ran := make(chan queue.Job[note], 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j
			return nil
		}, queue.HandlerOptions{MaxAttempts: 2})
		enqueue(t, d, q, note{"one"})
		enqueue(t, d, q, note{"two"})
		c := startChild(t, "node-a", dsn)
		recv(t, c.began, "a job in the child")
		recv(t, c.began, "a job in the child")
		c.kill(t)
		if n := counts(t, q)["running"]; n != 2 {
			t.Fatalf("%d jobs are marked as running, want 2", n)
		}
		begin := time.Now()
		start(t, q)
		for range 2 {
			if j := recv(t, ran, "a job of the dead process"); j.Attempt != 2 {
				t.Errorf("%q: attempt %d, want 2", j.Args.Text, j.Attempt)
			}
		}
		t.Logf("taken up %v after the restart began", time.Since(begin))
	})
}

func TestKilledNodesJobsAreTakenOverByAnother(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d := dbtest.Open(t, dsn)
		q := newQueue(t, d, func(o *queue.Options) {
			o.Node, o.Beat, o.DeadAfter = "node-b", 200*time.Millisecond, time.Second
			o.Lanes = map[string]int{"main": 1}
		})
		ran := make(chan string, 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j.Args.Text
			return nil
		}, queue.HandlerOptions{MaxAttempts: 2})
		enqueue(t, d, q, note{"theirs"})
		c := startChild(t, "node-a", dsn)
		recv(t, c.began, "the job in the child")
		start(t, q)

		// While the child's heart beats, its job is its own: three times as
		// long as a dead node would keep it.
		var first int64
		beats := func() (n int64) {
			if err := d.QueryRowContext(t.Context(), `SELECT beats FROM nodes WHERE id = 'node-a'`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		first = beats()
		until(t, "30 heartbeats", func() bool { return beats() >= first+30 })
		select {
		case got := <-ran:
			t.Fatalf("%q was taken from a live node", got)
		default:
		}
		c.kill(t)
		died := time.Now()
		recv(t, ran, "the dead node's job")
		t.Logf("taken over %v after the death, with a bound of 1 s + 1.5 beats", time.Since(died))
	})
}

func TestFault37_JobThatKillsTheProcessIsSetAside(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d := dbtest.Open(t, dsn)
		q := newQueue(t, d)
		ran := make(chan string, 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j.Args.Text
			return nil
		}, queue.HandlerOptions{MaxAttempts: 2})
		enqueue(t, d, q, note{"deadly"})
		for range 2 {
			recv(t, startChild(t, "node-a", dsn).ended, "death of the child")
		}
		enqueue(t, d, q, note{"fine"})
		start(t, q)
		if got := recv(t, ran, "the job behind it"); got != "fine" {
			t.Errorf("ran %q", got)
		}
		dead, err := q.Dead(t.Context(), 10)
		if err != nil || len(dead) != 1 || !strings.Contains(dead[0].Error, "is gone") {
			t.Errorf("dead jobs %+v, %v", dead, err)
		}
	})
}

// fakeClock is a clock whose two hands are moved apart.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elapsed
}

func (c *fakeClock) jump(wall, mono time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.elapsed = c.now.Add(wall), c.elapsed+mono
}

func TestFault31_LeasesIgnoreTheWallClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		// The other node runs a job. Its own heart beats only when told to.
		// It looks for no more work: what is taken from it stays to be seen.
		theirs := newQueue(t, d, func(o *queue.Options) { o.Node, o.Beat, o.Poll = "node-b", time.Hour, time.Hour })
		entered, leave := make(chan string, 1), make(chan struct{})
		queue.Handle(theirs, "main", func(_ context.Context, j queue.Job[note]) error {
			entered <- j.Args.Text
			<-leave
			return nil
		}, queue.HandlerOptions{})
		start(t, theirs)
		t.Cleanup(func() { close(leave) })
		enqueue(t, d, theirs, note{"theirs"})
		recv(t, entered, "the other node's job")

		// We, with the intervals of production, are not started: the test
		// beats and sweeps.
		clock := &fakeClock{now: time.Date(2026, 3, 29, 1, 59, 59, 0, time.UTC)}
		ours := newQueue(t, d, func(o *queue.Options) { o.Clock = clock })
		queue.Handle(ours, "main", func(context.Context, queue.Job[note]) error { return nil }, queue.HandlerOptions{})
		sweep := func(wall, mono time.Duration) int {
			t.Helper()
			clock.jump(wall, mono)
			if err := ours.Beat(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := ours.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			return counts(t, ours)["running"]
		}

		sweep(0, 0)
		for _, wall := range []time.Duration{48 * time.Hour, -96 * time.Hour, 20 * 365 * 24 * time.Hour, -40 * 365 * 24 * time.Hour} {
			if n := sweep(wall, 5*time.Second); n != 1 {
				t.Fatalf("a clock that jumped by %v cost a live node its job", wall)
			}
			if err := theirs.Beat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		// It beats no more. 20 s of monotonic time decide, and nothing else.
		sweep(0, 5*time.Second)
		if n := sweep(time.Hour, 19*time.Second); n != 1 {
			t.Error("taken over before 20 s without a heartbeat")
		}
		if n := sweep(-time.Hour, 2500*time.Millisecond); n != 0 {
			t.Error("not taken over at the first look after 20 s without a heartbeat")
		}
		if n := counts(t, ours)["waiting"]; n != 1 {
			t.Errorf("%d jobs wait, want the one taken over", n)
		}
	})
}

func TestFault31_JobsFromTheFutureRunAfterAJumpBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, func(o *queue.Options) { o.Beat = 100 * time.Millisecond })
		ran := make(chan string, 1)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j.Args.Text
			return nil
		}, queue.HandlerOptions{})
		enqueue(t, d, q, note{"enqueued by a clock that was ahead"})
		if _, err := d.ExecContext(t.Context(), `UPDATE river_job SET scheduled_at = '2199-01-01 00:00:00.000'`); err != nil {
			t.Fatal(err)
		}
		start(t, q)
		recv(t, ran, "the job from the future")
	})
}

// The database refused the note that a job has ended: nothing runs it, nothing
// else would take it up.
func TestJobWhoseEndWasNotWrittenRunsAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, func(o *queue.Options) { o.Beat = 600 * time.Millisecond })
		ran := make(chan int, 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j.Attempt
			return nil
		}, queue.HandlerOptions{})
		start(t, q)
		enqueue(t, d, q, note{"x"})
		recv(t, ran, "the job")
		until(t, "its end is noted", func() bool { return counts(t, q)["done"] == 1 })
		if _, err := d.ExecContext(t.Context(), `UPDATE river_job SET state = 'running', finalized_at = NULL`); err != nil {
			t.Fatal(err)
		}
		if n := recv(t, ran, "the job once more"); n != 2 {
			t.Errorf("attempt %d, want 2", n)
		}
		until(t, "its end is noted", func() bool { return counts(t, q)["done"] == 1 })
	})
}
