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
)

// countingTrees hands out trees that hold nothing but their commit, and counts
// how often one was written.
func countingTrees(t *testing.T) (*trees, *atomic.Int64) {
	var written atomic.Int64
	return newTrees(t.TempDir(), func(_ context.Context, _, sha, into string) error {
		written.Add(1)
		if err := os.Mkdir(into, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(into, "sha"), []byte(sha), 0o600)
	}), &written
}

func TestTreeIsSharedAtOneCommit(t *testing.T) {
	trees, written := countingTrees(t)
	first, _, releaseFirst, err := trees.acquire(t.Context(), "c", "default", "a")
	if err != nil {
		t.Fatal(err)
	}
	second, _, releaseSecond, err := trees.acquire(t.Context(), "c", "default", "a")
	if err != nil || second != first || written.Load() != 1 {
		t.Errorf("second user got %s, %v after %d check-outs", second, err, written.Load())
	}
	if _, _, _, err := trees.acquire(t.Context(), "c", "default", "b"); !errors.Is(err, errTreeBusy) {
		t.Errorf("another commit while it is in use: %v", err)
	}
	other, _, releaseOther, err := trees.acquire(t.Context(), "c", "prod", "a")
	if err != nil || other == first {
		t.Errorf("another workspace got %s, %v", other, err)
	}
	if err := trees.drop("c"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first); err != nil {
		t.Errorf("a tree in use was removed: %v", err)
	}
	releaseFirst()
	releaseSecond()
	releaseOther()
	// Free now, it may be at another commit, at the very same path.
	again, _, release, err := trees.acquire(t.Context(), "c", "default", "b")
	if err != nil || again != first {
		t.Fatalf("the next commit's tree is %s, %v; want %s", again, err, first)
	}
	if got, _ := os.ReadFile(filepath.Join(again, "sha")); string(got) != "b" {
		t.Errorf("it holds %q", got)
	}
	release()
	if err := trees.drop("c"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(trees.dir, "c")); !os.IsNotExist(err) {
		t.Errorf("a tree that nobody uses stays: %v", err)
	}
	if len(trees.use) != 0 {
		t.Errorf("%d trees are remembered for ever", len(trees.use))
	}
}

func TestHalfWrittenTreeIsMadeAgain(t *testing.T) {
	trees, written := countingTrees(t)
	tree, mark, _ := trees.paths(treeKey{"c", "default"})
	if err := os.MkdirAll(tree, 0o700); err != nil { // as a killed process leaves it: no mark
		t.Fatal(err)
	}
	_, _, release, err := trees.acquire(t.Context(), "c", "default", "a")
	if err != nil || written.Load() != 1 {
		t.Fatalf("%d check-outs, %v", written.Load(), err)
	}
	release()
	if got, err := os.ReadFile(mark); err != nil || string(got) != "a" {
		t.Errorf("mark %q, %v", got, err)
	}
}

// Whoever holds a tree finds it whole, however others come and go.
func TestTreesComeAndGo(t *testing.T) {
	trees, _ := countingTrees(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				tree, _, release, err := trees.acquire(t.Context(), "c", "default", "a")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(filepath.Join(tree, "sha")); err != nil {
					t.Errorf("held, but not there: %v", err)
				}
				release()
				if err := trees.drop("c"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A run that nobody watches any more is still ending in the tree: it is neither
// removed nor written anew until that has let go.
func TestTreeOfAnEndingRunStays(t *testing.T) {
	trees, written := countingTrees(t)
	tree, data, release, err := trees.acquire(t.Context(), "c", "default", "a")
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
	trees = newTrees(trees.dir, trees.write) // another process's memory
	if err := errors.Join(trees.drop("c"), trees.sweep(func(string) bool { return false })); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tree); err != nil {
		t.Fatalf("the tree was removed: %v", err)
	}
	if _, _, _, err := trees.acquire(t.Context(), "c", "default", "b"); !errors.Is(err, errTreeBusy) {
		t.Errorf("another commit: %v", err)
	}
	if _, _, release, err = trees.acquire(t.Context(), "c", "default", "a"); err != nil || written.Load() != 1 {
		t.Fatalf("the same commit: %v after %d check-outs", err, written.Load())
	}
	release()
	use.Close()
	if _, _, _, err := trees.acquire(t.Context(), "c", "default", "b"); err != nil {
		t.Errorf("another commit, once the run has ended: %v", err)
	}
}
