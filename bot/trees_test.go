package bot

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/run"
)

// pull7 is a change of pull request 7, whichever.
var pull7 = run.Change{ID: "c", Repo: 1, Pull: 7}

// countingTrees hands out trees that hold nothing but their commit, and counts
// how often one was brought to one.
func countingTrees(t *testing.T) (*trees, *atomic.Int64) {
	var brought atomic.Int64
	return newTrees(t.TempDir(), func(_ context.Context, _, sha, dir string) error {
		brought.Add(1)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "sha"), []byte(sha), 0o600)
	}), &brought
}

// forTest acquires for a workspace of pull 7, or says why not.
func (t *trees) forTest(ctx context.Context, workspace, sha string) (tree string, release func(), err error) {
	tree, _, release, err = t.acquire(ctx, pull7, workspace, sha, false)
	return tree, release, err
}

func TestTreeIsSharedAtOneCommit(t *testing.T) {
	trees, brought := countingTrees(t)
	first, releaseFirst, err := trees.forTest(t.Context(), "default", "a")
	if err != nil {
		t.Fatal(err)
	}
	second, releaseSecond, err := trees.forTest(t.Context(), "default", "a")
	if err != nil || second != first || brought.Load() != 1 {
		t.Errorf("second user got %s, %v after %d check-outs", second, err, brought.Load())
	}
	if _, _, err := trees.forTest(t.Context(), "default", "b"); !errors.Is(err, errTreeBusy) {
		t.Errorf("another commit while it is in use: %v", err)
	}
	other, releaseOther, err := trees.forTest(t.Context(), "prod", "a")
	if err != nil || other == first {
		t.Errorf("another workspace got %s, %v", other, err)
	}
	if err := trees.drop(home(pull7)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first); err != nil {
		t.Errorf("a tree in use was removed: %v", err)
	}
	releaseFirst()
	releaseSecond()
	releaseOther()
	// Free now, it may be at another commit, at the very same path.
	again, release, err := trees.forTest(t.Context(), "default", "b")
	if err != nil || again != first {
		t.Fatalf("the next commit's tree is %s, %v; want %s", again, err, first)
	}
	if got, _ := os.ReadFile(filepath.Join(again, "sha")); string(got) != "b" {
		t.Errorf("it holds %q", got)
	}
	release()
	if err := trees.drop(home(pull7)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(trees.dir, home(pull7))); !os.IsNotExist(err) {
		t.Errorf("a tree that nobody uses stays: %v", err)
	}
	if len(trees.use) != 0 {
		t.Errorf("%d trees are remembered for ever", len(trees.use))
	}
}

// What is superseded is stopped at once: the next commit waits for that, and
// goes on as soon as it is gone.
func TestTreeIsWaitedFor(t *testing.T) {
	trees, _ := countingTrees(t)
	_, release, err := trees.forTest(t.Context(), "default", "a")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		_, release, err := trees.forTest(t.Context(), "default", "b")
		if err == nil {
			release()
		}
		got <- err
	}()
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		u := trees.of(treeKey{home(pull7), "default"})
		u.Lock()
		waiting = u.free != nil
		u.Unlock()
	}
	release()
	if err := <-got; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, release, err = trees.forTest(t.Context(), "default", "a"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, _, err := trees.forTest(ctx, "default", "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting is not given up: %v", err)
	}
	release()
}

// Nobody can say what a run did to its tree: each time that the tree is free it
// is brought to its commit anew, even the same one.
func TestThreat_TreeIsMendedForTheNextRun(t *testing.T) {
	trees, brought := countingTrees(t)
	tree, release, err := trees.forTest(t.Context(), "default", "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "sha"), []byte("what a run wrote"), 0o600); err != nil {
		t.Fatal(err)
	}
	release()
	if tree, release, err = trees.forTest(t.Context(), "default", "a"); err != nil {
		t.Fatal(err)
	}
	defer release()
	if got, _ := os.ReadFile(filepath.Join(tree, "sha")); string(got) != "a" || brought.Load() != 2 {
		t.Errorf("it holds %q after %d check-outs", got, brought.Load())
	}
}

func TestHalfWrittenTreeIsMadeAgain(t *testing.T) {
	trees, brought := countingTrees(t)
	base := trees.base(treeKey{home(pull7), "default"})
	if err := os.MkdirAll(filepath.Join(base, "tree"), 0o700); err != nil { // as a killed process leaves it: no mark
		t.Fatal(err)
	}
	_, _, release, err := trees.acquire(t.Context(), pull7, "default", "a", true)
	if err != nil || brought.Load() != 1 {
		t.Fatalf("%d check-outs, %v", brought.Load(), err)
	}
	release()
	if got, err := os.ReadFile(filepath.Join(base, "commit")); err != nil || string(got) != "a" {
		t.Errorf("mark %q, %v", got, err)
	}
	failing := newTrees(trees.dir, func(context.Context, string, string, string) error { return errors.New("no space") })
	if _, _, err := failing.forTest(t.Context(), "default", "b"); err == nil {
		t.Error("a tree that could not be written was handed out")
	}
	if written(filepath.Join(base, "commit"), "a") {
		t.Error("a tree between two commits is marked as whole")
	}
}

// Whoever holds a tree finds it whole, however others come and go.
func TestTreesComeAndGo(t *testing.T) {
	trees, _ := countingTrees(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				tree, release, err := trees.forTest(t.Context(), "default", "a")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(filepath.Join(tree, "sha")); err != nil {
					t.Errorf("held, but not there: %v", err)
				}
				release()
				if err := trees.drop(home(pull7)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A run that nobody watches any more is still ending in the tree: it is neither
// removed nor touched until that has let go, but for who takes the run up.
func TestTreeOfAnEndingRunStays(t *testing.T) {
	trees, brought := countingTrees(t)
	tree, data, release, err := trees.acquire(t.Context(), pull7, "default", "a", false)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if err := os.MkdirAll(filepath.Join(data, "project"), 0o700); err != nil {
		t.Fatal(err)
	}
	use, err := os.Create(filepath.Join(data, "project", "tidelock.use"))
	if err != nil {
		t.Fatal(err)
	}
	defer use.Close()
	if err := syscall.Flock(int(use.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	trees = newTrees(trees.dir, trees.update) // another process's memory
	if err := errors.Join(trees.drop(home(pull7)), trees.sweep(func(string, time.Time) bool { return false })); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tree); err != nil {
		t.Fatalf("the tree was removed: %v", err)
	}
	for _, sha := range []string{"a", "b"} {
		if _, _, err := trees.forTest(t.Context(), "default", sha); !errors.Is(err, errTreeBusy) {
			t.Errorf("commit %s: %v", sha, err)
		}
	}
	if _, _, release, err = trees.acquire(t.Context(), pull7, "default", "a", true); err != nil || brought.Load() != 1 {
		t.Fatalf("whoever takes the run up: %v after %d check-outs", err, brought.Load())
	}
	release()
	use.Close()
	if _, _, err := trees.forTest(t.Context(), "default", "b"); err != nil {
		t.Errorf("another commit, once the run has ended: %v", err)
	}
}

func TestTreesAreSweptByUse(t *testing.T) {
	trees, _ := countingTrees(t)
	for _, c := range []run.Change{{ID: "x", Repo: 1, Pull: 1}, {ID: "y", Repo: 1, Pull: 2}, {ID: "z", Repo: 1, Pull: 2, GroupRef: "queue"}} {
		_, _, release, err := trees.acquire(t.Context(), c, "default", "a", false)
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
	asked := map[string]bool{}
	if err := trees.sweep(func(home string, used time.Time) bool {
		asked[home] = time.Since(used) < time.Minute
		return home == "1-2"
	}); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 3 || !asked["1-1"] || !asked["1-2"] || !asked["z"] {
		t.Errorf("asked for %v", asked)
	}
	left, err := os.ReadDir(trees.dir)
	if err != nil || len(left) != 1 || left[0].Name() != "1-2" {
		t.Errorf("left: %v, %v", left, err)
	}
}
