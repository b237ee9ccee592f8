package run_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
)

// begin begins a queued run.
func (w *world) begin(r run.Run) (out run.Run) {
	w.t.Helper()
	w.tx(func(tx *db.Tx) (err error) { out, err = w.store.Begin(context.Background(), tx, r, "node"); return err })
	return out
}

func TestProgress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "h1").Change
		r := w.begin(w.plans(c, "net")[0])
		now := run.Now{Text: "reading data.aws_ami.a, for 40s", Guess: true, Quiet: 31 * time.Second}
		if err := w.store.Progress(t.Context(), r.ID, 12, 40, now); err != nil {
			t.Fatal(err)
		}
		got, err := w.store.Run(t.Context(), d, r.ID)
		if err != nil || got.Done != 12 || got.Total != 40 || got.Now != now || got.Counts() != "12 of about 40" {
			t.Errorf("%+v, %q, %v", got.Now, got.Counts(), err)
		}
		w.tx(func(tx *db.Tx) (err error) { r, err = w.store.Requeue(context.Background(), tx, got, ""); return err })
		if err := w.store.Progress(t.Context(), r.ID, 13, 40, now); err != nil { // too late: nobody works on it
			t.Fatal(err)
		}
		if r = w.begin(r); r.Done != 0 || r.Now != (run.Now{}) || r.Counts() != "" {
			t.Errorf("begun again, it is at %+v", r)
		}
		if on, err := w.store.OfNode(t.Context(), d, "node"); err != nil || len(on) != 1 || on[0].ID != r.ID {
			t.Errorf("on the node are %+v, %v", on, err)
		}
		if on, err := w.store.OfNode(t.Context(), d, "other"); err != nil || len(on) != 0 {
			t.Errorf("on another are %+v, %v", on, err)
		}
		for _, c := range []struct {
			r    run.Run
			want string
		}{{run.Run{Done: 3}, "3 done"}, {run.Run{Total: 9}, "0/9"}, {run.Run{Done: 3, Total: 9}, "3/9"}} {
			if got := c.r.Counts(); got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
		}
	})
}

// What the next run of a project will take is the most memory of the newest
// few, and the steps of the newest plan. Other projects count for nothing.
func TestTook(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		key := run.Key{Repo: w.repo.ID, Dir: "net", Workspace: "default"}
		took := func() run.Took {
			got, err := w.store.Took(t.Context(), d, key)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := took(); got != (run.Took{}) {
			t.Errorf("of nothing: %+v", got)
		}
		for i, memory := range []int64{9 << 30, 300, 900, 500, 0, 400, 200} {
			w.now = w.now.Add(time.Minute)
			runs := w.plans(w.open(i+1, "h").Change, "net", "other")
			for n, r := range runs {
				r = w.begin(r)
				r.Steps, r.PeakMemory = 10*(i+1), memory+int64(n)<<40
				w.tx(func(tx *db.Tx) error { return w.store.Finish(context.Background(), tx, r, run.Planned) })
			}
		}
		if got := took(); got != (run.Took{Steps: 70, Memory: 900}) {
			t.Errorf("%+v", got)
		}
	})
}
