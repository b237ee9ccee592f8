package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/queue"
)

// fairQueue is a queue with one fair lane of so many workers whose jobs stop
// at their start until they are let on.
func fairQueue(t *testing.T, d *db.DB, workers int) (q *queue.Queue, began chan string, on chan bool) {
	q = newQueue(t, d, func(o *queue.Options) {
		o.Lanes, o.Fair = map[string]int{"main": workers}, []string{"main"}
	})
	began, on = make(chan string, 1000), make(chan bool)
	queue.Handle(q, "main", func(ctx context.Context, j queue.Job[note]) error {
		began <- j.Args.Text
		select {
		case <-on:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, queue.HandlerOptions{})
	return q, began, on
}

func flood(t *testing.T, d *db.DB, q *queue.Queue, client string, from, n int) {
	t.Helper()
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		for i := range n {
			if err := q.Enqueue(t.Context(), tx, note{fmt.Sprintf("%s%03d", client, from+i)}, queue.For(client)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// One client's flood of 200 delays nobody else by more than the jobs that were
// running when the other came, and one more.
func TestFloodDelaysItsMakerAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, workers := range []int{1, 2} {
			q, began, on := fairQueue(t, d, workers)
			flood(t, d, q, "a", 0, 200)
			start(t, q)
			var order []string
			for i := range workers + 10 {
				if i >= workers {
					on <- true
				}
				order = append(order, recv(t, began, "a job of the flood"))
			}
			slices.Sort(order[:workers]) // they began in one moment
			flood(t, d, q, "b", 0, 1)
			for range 2 {
				on <- true
				order = append(order, recv(t, began, "another job"))
			}
			if late := order[len(order)-2:]; !slices.Contains(late, "b000") {
				t.Errorf("%d workers: after b's job came, %v began before it", workers, late)
			}
			ofA := slices.DeleteFunc(slices.Clone(order), func(s string) bool { return s == "b000" })
			if !slices.IsSorted(ofA) {
				t.Errorf("%d workers: a's jobs lost their order: %v", workers, ofA)
			}
			drain(t, d, q, began, on)
		}
	})
}

// drain ends whatever still waits or runs, so that the database can be used
// again.
func drain(t *testing.T, d *db.DB, q *queue.Queue, began chan string, on chan bool) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), `UPDATE river_job SET state = 'cancelled', finalized_at = created_at WHERE state = 'available'`); err != nil {
		t.Fatal(err)
	}
	until(t, "the running jobs to end", func() bool {
		select {
		case on <- true:
		default:
		}
		return counts(t, q)["running"] == 0
	})
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// Two floods take turns, and who asks for little is served between them.
func TestFloodsTakeTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, began, on := fairQueue(t, d, 1)
		flood(t, d, q, "a", 0, 50)
		flood(t, d, q, "b", 0, 50)
		flood(t, d, q, "c", 0, 2)
		start(t, q)
		var order []string
		for i := range 12 {
			if i > 0 {
				on <- true
			}
			order = append(order, recv(t, began, "a job"))
		}
		want := []string{"a000", "b000", "c000", "a001", "b001", "c001", "a002", "b002", "a003", "b003", "a004", "b004"}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		drain(t, d, q, began, on)
	})
}

// However much comes in behind it, for its own client and for others, a job's
// turn comes: what may start before it is known when it is enqueued, but for
// one job of each other client for each before it in its own line.
func TestNobodyWaitsForEver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, began, on := fairQueue(t, d, 1)
		flood(t, d, q, "a", 0, 3)
		start(t, q)
		recv(t, began, "the first job")
		for i := range 20 {
			for _, c := range []string{"b", "c", "a"} {
				flood(t, d, q, c, 10+i*3, 3) // three come in for each that ends
			}
			on <- true
			if got := recv(t, began, "a job"); got == "a002" {
				if i > 7 {
					t.Errorf("a's third job began as number %d", i+2)
				}
				drain(t, d, q, began, on)
				return
			}
		}
		t.Error("a's third job never began")
		drain(t, d, q, began, on)
	})
}

// Jobs of nobody in particular are a client too, and a lane that is not fair
// keeps its priorities.
func TestJobsOfNobodyTakeTurnsToo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, began, on := fairQueue(t, d, 1)
		flood(t, d, q, "a", 0, 20)
		enqueue(t, d, q, note{"nobody's"}, queue.Priority(4))
		start(t, q)
		var order []string
		for i := range 3 {
			if i > 0 {
				on <- true
			}
			order = append(order, recv(t, began, "a job"))
		}
		if !strings.Contains(strings.Join(order, " "), "nobody's") {
			t.Errorf("%v began before nobody's job", order)
		}
		drain(t, d, q, began, on)
	})
}

// BenchmarkChoose is what fairness costs a fetch while so many jobs of two
// clients wait.
func BenchmarkChoose(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		for _, waiting := range []int{100, 2000} {
			b.Run(fmt.Sprint(waiting), func(b *testing.B) {
				q := newQueue(b, d, func(o *queue.Options) { o.Fair = []string{"main"} })
				queue.Handle(q, "main", func(context.Context, queue.Job[note]) error { return nil }, queue.HandlerOptions{})
				err := d.Tx(b.Context(), func(tx *db.Tx) error {
					if _, err := tx.ExecContext(b.Context(), `DELETE FROM river_job`); err != nil {
						return err
					}
					for i := range waiting {
						if err := q.Enqueue(b.Context(), tx, note{"x"}, queue.For([]string{"a", "b"}[i%2])); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if err := q.Choose(b.Context(), "main", 2); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}
