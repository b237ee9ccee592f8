package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/queue"
)

func eachBench(b *testing.B, f func(b *testing.B, d *db.DB)) {
	b.Run("sqlite", func(b *testing.B) { f(b, dbtest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { f(b, dbtest.Postgres(b)) })
}

// putDelivery is the receiver's transaction: one row, one job.
func putDelivery(ctx context.Context, d *db.DB, q *queue.Queue, i int) error {
	return d.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (guid, event, body, received_ms) VALUES ($1, 'push', $2, $3)`,
			fmt.Sprint("guid-", i), make([]byte, 8192), int64(i))
		if err != nil {
			return err
		}
		return q.Enqueue(ctx, tx, note{fmt.Sprint(i)}, queue.For([]string{"a", "b", "c"}[i%3]))
	})
}

// BenchmarkEnqueue is one row of 8 kB and one job in one transaction.
func BenchmarkEnqueue(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		q := newQueue(b, d)
		queue.Handle(q, "main", func(context.Context, queue.Job[note]) error { return nil }, queue.HandlerOptions{})
		i := 0
		for b.Loop() {
			i++
			if err := putDelivery(b.Context(), d, q, i); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "tx/s")
	})
}

// BenchmarkWork is how fast a backlog of empty jobs is worked off.
func BenchmarkWork(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		const jobs = 2000
		for b.Loop() {
			b.StopTimer()
			q := newQueue(b, d, func(o *queue.Options) { o.Lanes = map[string]int{"main": 50} })
			var all sync.WaitGroup
			all.Add(jobs)
			queue.Handle(q, "main", func(context.Context, queue.Job[note]) error { all.Done(); return nil }, queue.HandlerOptions{})
			err := d.Tx(b.Context(), func(tx *db.Tx) error {
				for range jobs {
					if err := q.Enqueue(b.Context(), tx, note{"x"}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if err := q.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			all.Wait()
			b.StopTimer()
			if err := q.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		b.ReportMetric(float64(jobs*b.N)/b.Elapsed().Seconds(), "jobs/s")
	})
}

// BenchmarkLatency puts a delivery every 5 ms, as 200 a second do, while they
// are worked on: how long the receiver's transaction takes, and how long from
// its commit to the start of the job.
func BenchmarkLatency(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		q := newQueue(b, d, func(o *queue.Options) { o.Poll, o.Fair = 250*time.Millisecond, []string{"main"} })
		const n = 1000
		var mu sync.Mutex
		committed, started := map[string]time.Time{}, map[string]time.Time{}
		var all sync.WaitGroup
		queue.Handle(q, "main", func(_ context.Context, j queue.Job[note]) error {
			mu.Lock()
			started[j.Args.Text] = time.Now()
			mu.Unlock()
			all.Done()
			return nil
		}, queue.HandlerOptions{})
		start(b, q)
		var took, lag []time.Duration
		i := 0
		for b.Loop() {
			tick := time.NewTicker(5 * time.Millisecond)
			for range n {
				<-tick.C
				i++
				all.Add(1)
				begin := time.Now()
				if err := putDelivery(b.Context(), d, q, i); err != nil {
					b.Fatal(err)
				}
				mu.Lock()
				committed[fmt.Sprint(i)] = time.Now()
				mu.Unlock()
				took = append(took, time.Since(begin))
			}
			tick.Stop()
			all.Wait()
		}
		for k, at := range committed {
			lag = append(lag, started[k].Sub(at))
		}
		slices.Sort(took)
		slices.Sort(lag)
		for _, p := range []int{50, 90, 99} {
			b.ReportMetric(took[len(took)*p/100].Seconds()*1000, fmt.Sprintf("tx-p%d-ms", p))
			b.ReportMetric(lag[len(lag)*p/100].Seconds()*1000, fmt.Sprintf("lag-p%d-ms", p))
		}
		b.ReportMetric(lag[len(lag)-1].Seconds()*1000, "lag-max-ms")
		b.ReportMetric(0, "ns/op")
	})
}
