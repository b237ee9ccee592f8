package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
)

// wait is how long a test waits for what must happen.
const wait = 20 * time.Second

type note struct {
	Text string `json:"text"`
}

func (note) Kind() string { return "note" }

type other struct {
	N int `json:"n"`
}

func (other) Kind() string { return "other" }

func newQueue(t testing.TB, d *db.DB, change ...func(*queue.Options)) *queue.Queue {
	t.Helper()
	o := queue.Options{
		Node: "node-a", DB: d, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Lanes: map[string]int{"main": 4, "side": 2}, Poll: 20 * time.Millisecond,
	}
	for _, f := range change {
		f(&o)
	}
	q, err := queue.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func enqueue(t testing.TB, d *db.DB, q *queue.Queue, args queue.Args, opts ...queue.Option) {
	t.Helper()
	err := d.Tx(t.Context(), func(tx *db.Tx) error { return q.Enqueue(t.Context(), tx, args, opts...) })
	if err != nil {
		t.Fatal(err)
	}
}

func recv[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(wait):
		t.Fatalf("%s: nothing within %v", what, wait)
		panic("unreachable")
	}
}

// until polls a condition that only the database shows.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(wait)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", wait, what)
		}
		time.Sleep(10 * time.Millisecond) // between polls
	}
}

func counts(t testing.TB, q *queue.Queue) map[string]int {
	t.Helper()
	c, err := q.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestJobRunsAfterCommitAndOnlyThen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d)
		ran := make(chan queue.Job[note], 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			// The row that was written with the job must be there.
			var n int
			if err := d.QueryRowContext(context.Background(), `SELECT count(*) FROM clients WHERE slug = $1`, j.Args.Text).Scan(&n); err != nil || n != 1 {
				t.Errorf("job %s runs with %d rows of its transaction: %v", j.Args.Text, n, err)
			}
			ran <- j
			return nil
		}, queue.HandlerOptions{})
		start(t, q)

		put := func(slug string, end error) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error {
				if err := q.Enqueue(t.Context(), tx, note{slug}); err != nil {
					return err
				}
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ($1, $1, '', 0)`, slug); err != nil {
					return err
				}
				return end
			})
		}
		stop := errors.New("changed my mind")
		if err := put("undone", stop); !errors.Is(err, stop) {
			t.Fatalf("got %v", err)
		}
		if err := put("done", nil); err != nil {
			t.Fatal(err)
		}
		j := recv(t, ran, "the committed job")
		if j.Args.Text != "done" || j.Attempt != 1 || j.MaxAttempts != 10 || time.Since(j.Created).Abs() > time.Minute {
			t.Errorf("got %+v", j)
		}
		until(t, "the job is done", func() bool { return counts(t, q)["done"] == 1 })
		if c := counts(t, q); c["waiting"]+c["running"]+c["retrying"]+c["dead"] != 0 {
			t.Errorf("the rolled back job left something: %v", c)
		}
		var rows int
		if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job`).Scan(&rows); err != nil || rows != 1 {
			t.Errorf("%d jobs in the table, want 1 (%v)", rows, err)
		}
	})
}

func TestFault14_UniqueJobIsEnqueuedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d)
		var ran atomic.Int64
		entered, leave := make(chan string, 200), make(chan struct{})
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran.Add(1)
			entered <- j.Args.Text
			<-leave
			return nil
		}, queue.HandlerOptions{})
		queue.Handle(q, "side", func(context.Context, queue.Job[other]) error { return nil }, queue.HandlerOptions{})

		var all sync.WaitGroup
		for i := range 100 {
			all.Add(1)
			go func() {
				defer all.Done()
				err := d.Tx(context.Background(), func(tx *db.Tx) error {
					return q.Enqueue(context.Background(), tx, note{fmt.Sprint(i)}, queue.Unique("pull 7"))
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		all.Wait()
		enqueue(t, d, q, note{"another key"}, queue.Unique("pull 8"))
		enqueue(t, d, q, other{1}, queue.Unique("pull 7")) // the same key of another kind
		if c := counts(t, q); c["waiting"] != 3 {
			t.Errorf("%v, want 3 waiting", c)
		}
		start(t, q)
		recv(t, entered, "first job")
		recv(t, entered, "second job")
		enqueue(t, d, q, note{"while it runs"}, queue.Unique("pull 7"))
		close(leave)
		until(t, "all done", func() bool { return counts(t, q)["done"] == 3 })
		if n := ran.Load(); n != 2 {
			t.Errorf("%d notes ran, want 2", n)
		}
		// What is finished no longer stands in the way.
		enqueue(t, d, q, note{"again"}, queue.Unique("pull 7"))
		recv(t, entered, "the job after the first has ended")
	})
}

// A state that changes while a coalesced job runs must be seen by one more run.
func TestCoalesceRunsOnceMoreForNews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, func(o *queue.Options) { o.Lanes = map[string]int{"main": 1} })
		entered, leave := make(chan string, 10), make(chan struct{}, 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			entered <- j.Args.Text
			<-leave
			return nil
		}, queue.HandlerOptions{})
		for i := range 5 {
			enqueue(t, d, q, note{fmt.Sprint("before ", i)}, queue.Coalesce("answer"))
		}
		if c := counts(t, q); c["waiting"] != 1 {
			t.Fatalf("%v, want 1 waiting", c)
		}
		start(t, q)
		if got := recv(t, entered, "first"); got != "before 0" {
			t.Errorf("ran %q", got)
		}
		for i := range 5 {
			enqueue(t, d, q, note{fmt.Sprint("during ", i)}, queue.Coalesce("answer"))
		}
		leave <- struct{}{}
		if got := recv(t, entered, "second"); got != "during 0" {
			t.Errorf("ran %q", got)
		}
		leave <- struct{}{}
		until(t, "both done", func() bool { c := counts(t, q); return c["done"] == 2 && c["waiting"]+c["running"] == 0 })
	})
}

func TestFault37_PoisonJobIsSetAsideAndOthersGoOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d)
		done := make(chan string, 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			switch j.Args.Text {
			case "panics":
				panic("as a bug would")
			case "fails":
				return errors.New("the same mistake each time")
			case "given up":
				return queue.Discard(errors.New("no repetition mends this"))
			}
			done <- j.Args.Text
			return nil
		}, queue.HandlerOptions{MaxAttempts: 2})
		queue.Handle(q, "side", func(context.Context, queue.Job[other]) error {
			t.Error("ran with arguments that can't be read")
			return nil
		}, queue.HandlerOptions{})
		for _, text := range []string{"panics", "fails", "given up", "fine"} {
			enqueue(t, d, q, note{text})
		}
		enqueue(t, d, q, other{1})
		if _, err := d.ExecContext(t.Context(), `UPDATE river_job SET args = '{"n": "not a number"}' WHERE kind = 'other'`); err != nil {
			t.Fatal(err)
		}
		start(t, q)
		if got := recv(t, done, "the job behind the poison"); got != "fine" {
			t.Errorf("ran %q", got)
		}
		until(t, "four dead jobs", func() bool { return counts(t, q)["dead"] == 4 })

		dead, err := q.Dead(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]struct {
			attempts int
			text     string
		}{
			`{"text":"panics"}`:    {2, "panic: as a bug would"},
			`{"text":"fails"}`:     {2, "the same mistake each time"},
			`{"text":"given up"}`:  {1, "no repetition mends this"},
			`{"n":"not a number"}`: {1, "the arguments can't be read"},
		}
		for _, j := range dead {
			args := strings.ReplaceAll(string(j.Args), `": `, `":`)
			w, ok := want[args]
			if !ok || j.Attempts != w.attempts || !strings.Contains(j.Error, w.text) || j.Died.IsZero() {
				t.Errorf("dead job %+v (args %s)", j, j.Args)
			}
			delete(want, args)
		}
		if len(want) > 0 {
			t.Errorf("not shown as dead: %v", want)
		}

		// A person may try it once more.
		for _, j := range dead {
			if strings.Contains(string(j.Args), "given up") {
				if _, err := d.ExecContext(t.Context(), `UPDATE river_job SET args = '{"text":"mended"}' WHERE id = $1`, j.ID); err != nil {
					t.Fatal(err)
				}
				if err := q.Retry(t.Context(), j.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := recv(t, done, "the job that was tried again"); got != "mended" {
			t.Errorf("ran %q", got)
		}
		if err := q.Retry(t.Context(), 99999); !errs.Is(err, errs.NotFound) {
			t.Errorf("retry of no job: %v", err)
		}
	})
}

type pausing struct{ error }

func (pausing) RetryAfter() time.Duration { return 30 * time.Millisecond }

func TestUnavailableAndSnoozeSpendNoAttempt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d)
		var calls atomic.Int64
		done := make(chan queue.Job[note], 1)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			switch n := calls.Add(1); {
			case n <= 3:
				return fmt.Errorf("call GitHub: %w", errs.Wrap(errs.Unavailable, pausing{errors.New("503")}, "GitHub is down."))
			case n <= 5:
				return queue.Snooze(10 * time.Millisecond)
			}
			done <- j
			return nil
		}, queue.HandlerOptions{MaxAttempts: 1})
		start(t, q)
		enqueue(t, d, q, note{"x"})
		if j := recv(t, done, "the job after the outage"); j.Attempt != 1 || !j.Last() {
			t.Errorf("attempt %d of %d", j.Attempt, j.MaxAttempts)
		}
	})
}

func TestScheduledAndPriority(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, func(o *queue.Options) { o.Lanes = map[string]int{"main": 1} })
		ran := make(chan string, 10)
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j.Args.Text
			return nil
		}, queue.HandlerOptions{})
		enqueue(t, d, q, note{"tomorrow"}, queue.At(time.Now().Add(24*time.Hour)))
		enqueue(t, d, q, note{"last"}, queue.Priority(4))
		enqueue(t, d, q, note{"second"})
		enqueue(t, d, q, note{"first"}, queue.Priority(1))
		start(t, q)
		for _, want := range []string{"first", "second", "last"} {
			if got := recv(t, ran, want); got != want {
				t.Errorf("ran %q, want %q", got, want)
			}
		}
		if c := counts(t, q); c["waiting"] != 1 {
			t.Errorf("%v: tomorrow's job should wait", c)
		}
	})
}

func TestStopWaitsThenInterrupts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d)
		entered := make(chan string, 2)
		leave := make(chan struct{})
		queue.Handle(q, "main", func(ctx context.Context, j queue.Job[note]) error {
			entered <- j.Args.Text
			if j.Args.Text == "polite" {
				<-leave
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, queue.HandlerOptions{MaxAttempts: 1})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, d, q, note{"polite"})
		enqueue(t, d, q, note{"endless"})
		recv(t, entered, "job")
		recv(t, entered, "job")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		time.AfterFunc(50*time.Millisecond, func() { close(leave) })
		if err := q.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if c := counts(t, q); c["done"] != 1 || c["waiting"] != 1 {
			t.Fatalf("%v, want one done, one waiting again", c)
		}
		// It was its only attempt, and being stopped did not spend it.
		again := newQueue(t, d)
		ran := make(chan queue.Job[note], 1)
		queue.Handle(again, "main", func(_ context.Context, j queue.Job[note]) error {
			ran <- j
			return nil
		}, queue.HandlerOptions{MaxAttempts: 1})
		start(t, again)
		if j := recv(t, ran, "the interrupted job"); j.Args.Text != "endless" || j.Attempt != 1 {
			t.Errorf("got %+v", j)
		}
	})
}

func TestEnqueueWithoutHandlerFails(t *testing.T) {
	d := dbtest.SQLite(t)
	q := newQueue(t, d)
	err := d.Tx(t.Context(), func(tx *db.Tx) error { return q.Enqueue(t.Context(), tx, note{"x"}) })
	if err == nil || !strings.Contains(err.Error(), "no handler") {
		t.Errorf("got %v", err)
	}
}

// No poll comes to the rescue here: a commit that does not wake its lane
// leaves a job behind.
func TestEveryCommitWakesItsLane(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d, func(o *queue.Options) { o.Poll = time.Hour })
		var mu sync.Mutex
		ran := map[string]int{}
		each := make(chan struct{}, 1000)
		mark := func(key string) {
			mu.Lock()
			ran[key]++
			mu.Unlock()
			each <- struct{}{}
		}
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error { mark(j.Args.Text); return nil }, queue.HandlerOptions{})
		queue.Handle(q, "side", func(_ context.Context, j queue.Job[other]) error { mark(fmt.Sprint(j.Args.N)); return nil }, queue.HandlerOptions{})
		start(t, q)
		for i := range 50 { // one by one: each finds the lane asleep
			if i%2 == 0 {
				enqueue(t, d, q, note{fmt.Sprint(i)})
			} else {
				enqueue(t, d, q, other{i})
			}
			recv(t, each, fmt.Sprint("job ", i))
		}
		var all sync.WaitGroup
		for g := range 4 { // and many at once, while it works
			all.Go(func() {
				for i := range 50 {
					enqueue(t, d, q, note{fmt.Sprint(g, "/", i)})
				}
			})
		}
		all.Wait()
		for range 200 {
			recv(t, each, "job of the crowd")
		}
		mu.Lock()
		defer mu.Unlock()
		if len(ran) != 250 {
			t.Errorf("%d different jobs ran, want 250", len(ran))
		}
	})
}
