package capacity_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tidelock/tidelock/internal/capacity"
)

func plan(run string, memory int64) capacity.Need {
	return capacity.Need{Run: run, Memory: memory, Weight: 1}
}

func fixed() capacity.Limits { return capacity.Limits{Memory: 1000, Plans: 2, Applies: 2} }

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := capacity.New(fixed)
		var order []string
		enter := func(ctx context.Context, n capacity.Need) (lacks *[]capacity.Lack, end chan error) {
			lacks, end = &[]capacity.Lack{}, make(chan error, 1)
			go func() {
				err := g.Enter(ctx, n, func(l capacity.Lack) { *lacks = append(*lacks, l) })
				if err == nil {
					order = append(order, n.Run)
				}
				end <- err
			}()
			synctest.Wait()
			return lacks, end
		}
		said := func(got *[]capacity.Lack, want string) {
			t.Helper()
			synctest.Wait()
			if fmt.Sprint(*got) != want {
				t.Errorf("it was told %v, not %s", *got, want)
			}
		}
		told := func(want string) {
			t.Helper()
			synctest.Wait()
			if fmt.Sprint(order) != want {
				t.Errorf("in are %v, not %s", order, want)
			}
		}
		g.Hold(plan("adopted", 700)) // whatever there is
		small, _ := enter(t.Context(), plan("small", 200))
		told("[small]")
		said(small, "[]")
		large, _ := enter(t.Context(), plan("large", 900))
		said(large, "[memory]")
		ctx, cancel := context.WithCancel(t.Context())
		gone, end := enter(ctx, plan("gone", 50))
		said(gone, "[a free core]")
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		g.Leave("gone") // never was in
		last, _ := enter(t.Context(), plan("last", 100))
		g.Leave("small")
		told("[small last]")
		said(last, "[a free core]")
		g.Leave("adopted")
		told("[small last large]")
		s := g.State()
		if len(s.Running) != 2 || s.Running[0].Run != "large" || len(s.Waiting) != 0 || s.Limits != fixed() {
			t.Errorf("%+v", s)
		}
		if err := g.Enter(t.Context(), plan("large", 900), nil); err != nil { // again
			t.Error(err)
		}
		g.Leave("large")
		g.Leave("large")
		if s := g.State(); len(s.Running) != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// What there is, is measured anew when nothing runs: what runs have would be
// taken for somebody else's otherwise.
func TestGateMeasuresWhenNothingRuns(t *testing.T) {
	var memory atomic.Int64
	memory.Store(1000)
	g := capacity.New(func() capacity.Limits { return capacity.Limits{Memory: memory.Load()} })
	memory.Store(600)
	for _, n := range []string{"a", "b"} {
		if err := g.Enter(t.Context(), plan(n, 300), nil); err != nil {
			t.Fatal(err)
		}
	}
	memory.Store(10)
	if l := g.State().Limits; l.Memory != 600 {
		t.Errorf("%+v", l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := g.Enter(ctx, plan("c", 300), func(capacity.Lack) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Many at once, which end in any order: all get in, and nobody is lost.
func TestGateUnderLoad(t *testing.T) {
	g := capacity.New(fixed)
	var in, most atomic.Int64
	done := make(chan error)
	const runs = 300
	for i := range runs {
		go func() {
			ctx := t.Context()
			if i%7 == 0 {
				c, cancel := context.WithCancel(ctx)
				cancel()
				ctx = c
			}
			n := capacity.Need{Run: fmt.Sprint(i), Memory: int64(i % 5 * 200), Weight: i % 3, Apply: i%4 == 0}
			err := g.Enter(ctx, n, nil)
			if err == nil {
				if now := in.Add(1); now > most.Load() {
					most.Store(now)
				}
				in.Add(-1)
				g.Leave(n.Run)
			} else if ctx.Err() != nil {
				err = nil
			}
			done <- err
		}()
	}
	for range runs {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if s := g.State(); len(s.Running)+len(s.Waiting) > 0 || most.Load() > 4 {
		t.Errorf("%+v, %d at once", s, most.Load())
	}
}
