package queue_test

import (
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/queue"
)

// Jobs that could start and have no worker wait; those that run, and those that
// sleep until later, do not.
func TestWaiting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, began, on := fairQueue(t, d, 1)
		waiting := func(want int) {
			t.Helper()
			if n, err := q.Waiting(t.Context(), "main"); err != nil || n != want {
				t.Errorf("%d wait, not %d; %v", n, want, err)
			}
			if n, err := q.Waiting(t.Context(), "other"); err != nil || n != 0 {
				t.Errorf("%d wait in another lane; %v", n, err)
			}
		}
		waiting(0)
		flood(t, d, q, "a", 0, 3)
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			return q.Enqueue(t.Context(), tx, note{"later"}, queue.At(time.Now().Add(time.Hour)))
		})
		if err != nil {
			t.Fatal(err)
		}
		waiting(3)
		start(t, q)
		<-began
		waiting(2)
		on <- true
		<-began
		waiting(1)
		close(on)
	})
}
