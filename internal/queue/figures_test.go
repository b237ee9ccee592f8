package queue_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
)

// Each attempt is told of with how it ended, and what is not done is counted.
func TestAttemptsAreToldAndLoadsCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(t, d)
		running, release := make(chan bool), make(chan bool)
		queue.Handle(q, "main", func(_ context.Context, job queue.Job[note]) error {
			switch job.Args.Text {
			case "later":
				return queue.Snooze(time.Hour)
			case "unavailable":
				return errs.New(errs.Unavailable, "Not now.")
			case "give up":
				return queue.Discard(errors.New("never"))
			case "fail":
				return errors.New("this time")
			case "panic":
				panic("oops")
			case "run":
				close(running)
				<-release
			}
			return nil
		}, queue.HandlerOptions{MaxAttempts: 2})
		queue.Handle(q, "side", func(context.Context, queue.Job[other]) error { return errors.New("always") }, queue.HandlerOptions{MaxAttempts: 1})

		var mu sync.Mutex
		got := map[queue.Outcome]int{}
		told := make(chan bool, 100)
		q.Observe(func(a queue.Attempt) {
			mu.Lock()
			defer mu.Unlock()
			got[a.Outcome]++
			if a.Kind != "note" && a.Kind != "other" || a.Took < 0 || a.Waited < 0 {
				t.Errorf("told %+v", a)
			}
			told <- true
		})
		if want := []string{"note", "other"}; !slices.Equal(q.Kinds(), want) {
			t.Errorf("kinds %q, not %q", q.Kinds(), want)
		}
		if loads, err := q.Loads(t.Context()); err != nil || len(loads) != 0 {
			t.Errorf("before anything: %+v, %v", loads, err)
		}
		for _, text := range []string{"fine", "later", "unavailable", "give up", "fail", "panic"} {
			enqueue(t, d, q, note{text})
		}
		enqueue(t, d, q, other{1})
		enqueue(t, d, q, note{"tomorrow"}, queue.At(time.Now().Add(24*time.Hour)))
		loads, err := q.Loads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"note waiting": 6, "note sleeping": 1, "other waiting": 1}, byName(loads)); diff != "" {
			t.Errorf("before the start: %s", diff)
		}
		start(t, q)
		for range 7 {
			recv(t, told, "an attempt's end")
		}
		mu.Lock()
		for how, least := range map[queue.Outcome]int{queue.Done: 1, queue.Later: 2, queue.Died: 2, queue.Failed: 2} {
			if got[how] < least {
				t.Errorf("%s was told %d times, not %d at least", how, got[how], least)
			}
		}
		mu.Unlock()
		enqueue(t, d, q, note{"run"})
		recv(t, closed(running), "the long job's begin")
		loads, err = q.Loads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(loads, func(l queue.Load) bool { return l.Kind == "note" && l.State == queue.Running })
		if i < 0 || loads[i].Jobs < 1 || loads[i].Oldest <= 0 || loads[i].Oldest > wait {
			t.Errorf("while one runs: %+v", loads)
		}
		close(release)
	})
}

func closed(c chan bool) <-chan bool {
	out := make(chan bool, 1)
	go func() { <-c; out <- true }()
	return out
}

func byName(loads []queue.Load) map[string]int {
	out := map[string]int{}
	for _, l := range loads {
		out[l.Kind+" "+string(l.State)] = l.Jobs
	}
	return out
}

// Jobs are counted by an index: those that are done, which are most, are not
// looked at.
func TestLoadsReadAnIndex(t *testing.T) {
	d := dbtest.SQLite(t)
	plan := dbtest.Plan(t, d, queue.LoadsQuery(d.Dialect()))
	if want := "SEARCH river_job USING INDEX river_job_prioritized_fetching_index (state=?)"; !slices.Contains(plan, want) {
		t.Errorf("the plan has no %q: %q", want, plan)
	}
}
