package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

func openTogether(t *testing.T) *DB {
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.ExecContext(t.Context(), `CREATE TABLE acts (n INTEGER PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	return d
}

func count(t *testing.T, q Querier) (n int) {
	t.Helper()
	if err := q.QueryRowContext(context.WithoutCancel(t.Context()), `SELECT count(*) FROM acts`).Scan(&n); err != nil {
		t.Error(err)
	}
	return n
}

func act(ctx context.Context, tx *Tx, n int) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO acts (n) VALUES ($1)`, n)
	return err
}

// gathered starts the functions together: the first is in its transaction when
// the others wait for their turn, in their order. What each returned comes back.
func gathered(t *testing.T, d *DB, fns ...func(tx *Tx) error) []error {
	t.Helper()
	answers := make([]error, len(fns))
	var wg sync.WaitGroup
	inside, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	wg.Go(func() {
		answers[0] = d.Together(t.Context(), func(tx *Tx) error {
			once.Do(func() {
				close(inside)
				<-goOn
			})
			return fns[0](tx)
		})
	})
	<-inside
	for i, fn := range fns[1:] {
		wg.Go(func() { answers[i+1] = d.Together(t.Context(), fn) })
		for waiting := 0; waiting <= i; runtime.Gosched() {
			d.car.mu.Lock()
			waiting = len(d.car.waiting)
			d.car.mu.Unlock()
		}
	}
	close(goOn)
	wg.Wait()
	return answers
}

func TestTogetherSharesOneCommit(t *testing.T) {
	d := openTogether(t)
	var after []int
	fns := make([]func(tx *Tx) error, maxRiders+3)
	for i := range fns {
		fns[i] = func(tx *Tx) error {
			tx.AfterCommit(func() {
				if n := count(t, d); n <= i {
					t.Errorf("%d is told of its commit when %d are there", i, n)
				}
			})
			if got := count(t, tx); got != i {
				t.Errorf("%d sees %d before it", i, got)
			}
			after = append(after, count(t, d))
			return act(t.Context(), tx, i)
		}
	}
	for i, err := range gathered(t, d, fns...) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	// The first carries maxRiders, and one of those left over carries the other.
	for i, committed := range after {
		want := 0
		if i > maxRiders {
			want = maxRiders + 1
		}
		if committed != want {
			t.Errorf("%d: %d were committed, not %d", i, committed, want)
		}
	}
	if n := count(t, d); n != len(fns) {
		t.Errorf("%d of %d are there", n, len(fns))
	}
}

func TestTogetherOneFails(t *testing.T) {
	own := errors.New("own")
	for failing := range 3 {
		d := openTogether(t)
		fns := make([]func(tx *Tx) error, 3)
		for i := range fns {
			fns[i] = func(tx *Tx) error {
				if err := act(t.Context(), tx, i); err != nil {
					return err
				}
				if i == failing {
					return own
				}
				return nil
			}
		}
		for i, err := range gathered(t, d, fns...) {
			if i == failing && !errors.Is(err, own) || i != failing && err != nil {
				t.Errorf("%d fails, %d: %v", failing, i, err)
			}
		}
		var lost int
		if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM acts WHERE n = $1`, failing).Scan(&lost); err != nil || lost != 0 || count(t, d) != 2 {
			t.Errorf("%d fails: %d of it, %d in all, %v", failing, lost, count(t, d), err)
		}
	}
}

// One that undoes the transaction under the others, as an interrupted statement
// or a full disk does, costs them a second try and nothing else.
func TestTogetherOneUndoesAll(t *testing.T) {
	for breaking := range 3 {
		d := openTogether(t)
		var ran [3]int
		fns := make([]func(tx *Tx) error, 3)
		for i := range fns {
			fns[i] = func(tx *Tx) error {
				ran[i]++
				if err := act(t.Context(), tx, i); err != nil {
					return err
				}
				if i == breaking {
					_, err := tx.ExecContext(t.Context(), `INSERT OR ROLLBACK INTO acts (n) VALUES ($1)`, i)
					return err
				}
				return nil
			}
		}
		for i, err := range gathered(t, d, fns...) {
			if (i == breaking) != (err != nil) {
				t.Errorf("%d breaks, %d: %v", breaking, i, err)
			}
		}
		if n := count(t, d); n != 2 {
			t.Errorf("%d breaks: %d are there", breaking, n)
		}
		if want := 1 + min(breaking, 1); ran[0] != want {
			t.Errorf("%d breaks: the first ran %d times, not %d", breaking, ran[0], want)
		}
	}
}

func TestTogetherOneEndsWithoutReturning(t *testing.T) {
	for ending := range 3 {
		d := openTogether(t)
		var wg sync.WaitGroup
		inside, goOn := make(chan struct{}), make(chan struct{})
		for i := range 3 {
			wg.Go(func() {
				_ = d.Together(t.Context(), func(tx *Tx) error {
					if i == 0 {
						close(inside)
						<-goOn
					}
					if err := act(t.Context(), tx, i); err != nil {
						t.Error(err)
					}
					if i == ending {
						runtime.Goexit()
					}
					return nil
				})
			})
			<-inside
			for waiting := 0; waiting < i; runtime.Gosched() {
				d.car.mu.Lock()
				waiting = len(d.car.waiting)
				d.car.mu.Unlock()
			}
		}
		close(goOn)
		wg.Wait()
		if n := count(t, d); n != 2 {
			t.Errorf("%d ends: %d are there", ending, n)
		}
		if err := d.Together(t.Context(), func(tx *Tx) error { return act(t.Context(), tx, 9) }); err != nil {
			t.Errorf("%d ends: the next: %v", ending, err)
		}
	}
}

// A commit that is refused is nobody's fault but theirs who are refused alone.
func TestTogetherCommitRefused(t *testing.T) {
	d := openTogether(t)
	if _, err := d.ExecContext(t.Context(), `CREATE TABLE later (n INTEGER REFERENCES acts (n) DEFERRABLE INITIALLY DEFERRED)`); err != nil {
		t.Fatal(err)
	}
	fns := []func(tx *Tx) error{
		func(tx *Tx) error { return act(t.Context(), tx, 0) },
		func(tx *Tx) error { // shows at the commit alone
			_, err := tx.ExecContext(t.Context(), `INSERT INTO later (n) VALUES (77)`)
			return err
		},
	}
	for i, err := range gathered(t, d, fns...) {
		if (i == 1) != refused(err) || i == 0 && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := count(t, d); n != 1 {
		t.Errorf("%d are there", n)
	}
}

func TestTogetherLeavesBeforeItsTurn(t *testing.T) {
	d := openTogether(t)
	ctx, cancel := context.WithCancel(t.Context())
	inside, left := make(chan struct{}), make(chan error)
	go func() {
		<-inside
		go func() {
			for waiting := 0; waiting == 0; runtime.Gosched() {
				d.car.mu.Lock()
				waiting = len(d.car.waiting)
				d.car.mu.Unlock()
			}
			cancel()
		}()
		left <- d.Together(ctx, func(tx *Tx) error { return fmt.Errorf("it ran") })
	}()
	var err error
	if derr := d.Together(t.Context(), func(tx *Tx) error {
		close(inside)
		err = <-left
		return act(t.Context(), tx, 1)
	}); derr != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", derr, err)
	}
}

// Many at once, of whom some fail, some leave and some are alone: what was
// answered well is there, and what was not is not.
func TestTogetherAtOnce(t *testing.T) {
	d := openTogether(t)
	var mu sync.Mutex
	well := map[int]bool{}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				n := w*1000 + i
				ctx, cancel := context.WithCancel(t.Context())
				if n%7 == 3 {
					time.AfterFunc(time.Duration(n%5)*100*time.Microsecond, cancel)
				}
				do := d.Together
				if n%11 == 5 {
					do = d.Tx
				}
				err := do(ctx, func(tx *Tx) error {
					if err := act(ctx, tx, n); err != nil {
						return err
					}
					if n%13 == 1 {
						return errors.New("own")
					}
					return nil
				})
				cancel()
				mu.Lock()
				well[n] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	there := 0
	for n, well := range well {
		var got int
		if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM acts WHERE n = $1`, n).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if (got == 1) != well {
			t.Errorf("%d: answered %v, there %d", n, well, got)
		}
		there += got
	}
	if there < 200 {
		t.Errorf("only %d are there", there)
	}
}
