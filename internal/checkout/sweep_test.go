package checkout_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/checkout"
)

// TestSweepByAgeAndSize leaves four mirrors of the same commit, and sweeps.
func TestSweepByAgeAndSize(t *testing.T) {
	o := newOrigin(t)
	_, sha := o.small()
	dir := t.TempDir()
	store := checkout.New(dir, checkout.Options{})
	now := time.Now()
	head := func(id string) string { return filepath.Join(dir, id+".git", "HEAD") }
	for id, age := range map[int64]time.Duration{1: 40 * 24 * time.Hour, 2: 3 * time.Hour, 3: 2 * time.Hour, 4: 50 * 24 * time.Hour} {
		src := o.source()
		src.RepoID = id
		if _, err := store.TreeHash(t.Context(), src, sha, ""); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(head(string(rune('0'+id))), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	left := func() string {
		t.Helper()
		got := ""
		for _, id := range []string{"1", "2", "3", "4"} {
			if _, err := os.Stat(head(id)); err == nil {
				got += id
			}
		}
		return got
	}
	if err := os.MkdirAll(filepath.Join(dir, "not ours"), 0o700); err != nil {
		t.Fatal(err)
	}
	used := o.source()
	used.RepoID = 4
	tree, err := store.TreeFS(t.Context(), used, nil, sha) // in use, and so young again
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(head("4")); err != nil || now.Sub(info.ModTime()) > time.Hour {
		t.Errorf("the use of a mirror is not noted: %v, %v", info.ModTime(), err)
	}
	if err := os.Chtimes(head("4"), now.Add(-50*24*time.Hour), now.Add(-50*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	first, err := store.Sweep(now, 30*24*time.Hour, 0)
	if err != nil || first.Removed != 1 || left() != "234" {
		t.Fatalf("%+v, %v; left %q, want 234: old ones go that nobody uses", first, err, left())
	}
	each := first.Kept / 3
	second, err := store.Sweep(now, 0, 2*each+each/2)
	if err != nil || second.Removed != 1 || left() != "34" {
		t.Fatalf("%+v, %v; left %q, want 34: the one that rested longest goes, of those that nobody uses", second, err, left())
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := store.Sweep(now, 0, 1); err != nil || again.Removed != 2 || again.Kept != 0 || left() != "" {
		t.Fatalf("%+v, %v; left %q", again, err, left())
	}
	if _, err := os.Stat(filepath.Join(dir, "not ours")); err != nil {
		t.Error("what is not a mirror was touched")
	}
	if _, err := store.TreeHash(t.Context(), used, sha, ""); err != nil {
		t.Errorf("a swept mirror is not fetched again: %v", err)
	}
}
