package checkout_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
)

// TestFault03_KilledUpdateIsMended kills, with SIGKILL, a process that brings a
// tree to another commit, once while it removes and once while it writes.
func TestFault03_KilledUpdateIsMended(t *testing.T) {
	const files = 1200
	o := newOrigin(t)
	before, after := snapshot{}, snapshot{}
	for i := range files {
		before[fmt.Sprintf("old/%04d", i)] = fmt.Sprintf("# %d before\n", i)
		after[fmt.Sprintf("new/%04d", i)] = fmt.Sprintf("# %d after\n", i)
	}
	before["both/x"], after["both/x"] = "1", "2"
	shas := o.imported(before, after)
	cache := t.TempDir()
	store := checkout.New(cache, checkout.Options{})
	fresh := filepath.Join(t.TempDir(), "fresh")
	if _, err := store.Tree(t.Context(), o.source(), nil, shas[1], fresh); err != nil {
		t.Fatal(err)
	}
	count := func(dir string) int {
		entries, _ := os.ReadDir(dir) // not there yet, or no more
		return len(entries)
	}
	for when, reached := range map[string]func(dir string) bool{
		"while it removes": func(dir string) bool { n := count(filepath.Join(dir, "old")); return n > 0 && n < files },
		"while it writes":  func(dir string) bool { n := count(filepath.Join(dir, "new")); return n > 0 && n < files },
	} {
		t.Run(when, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tree")
			killed := false
			for tries := 0; !killed && tries < 10; tries++ { // on a busy machine the moment can be missed
				if _, err := store.Update(t.Context(), o.source(), nil, shas[0], dir, nil); err != nil {
					t.Fatal(err)
				}
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), "CHECKOUT_TEST_CHILD_URL="+o.url(), "CHECKOUT_TEST_CHILD_CACHE="+cache,
					"CHECKOUT_TEST_CHILD_SHA="+shas[1], "CHECKOUT_TEST_CHILD_INTO="+dir, "CHECKOUT_TEST_CHILD_UPDATES=1")
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				deadline := time.Now().Add(time.Minute)
				for !reached(dir) && count(filepath.Join(dir, "new")) < files && time.Now().Before(deadline) {
					time.Sleep(time.Millisecond)
				}
				err := child.Process.Kill()
				killed = err == nil && strings.Contains(fmt.Sprint(child.Wait()), "killed")
			}
			if !killed {
				t.Fatal("the child was always too quick to be killed")
			}
			if _, err := store.Update(t.Context(), o.source(), nil, shas[1], dir, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(exactly(t, fresh), exactly(t, dir)); diff != "" {
				t.Errorf("(-fresh +updated):\n%s", diff)
			}
		})
	}
}

// TestFault_DiskFullDuringACheckout has a disk that holds one of two commits.
func TestFault_DiskFullDuringACheckout(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("skipped: this test needs a small disk, and may not mount one here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o := newOrigin(t)
	small, large := snapshot{"a/f": "# small\n", "g": "# same\n"}, snapshot{"g": "# same\n"}
	for i := range 40 {
		large[fmt.Sprintf("a/b/%d", i)] = strings.Repeat(fmt.Sprint(i, " "), 30<<10)
	}
	shas := o.imported(small, large)
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := filepath.Join(disk, "tree")
	if _, err := store.Tree(t.Context(), o.source(), nil, shas[1], filepath.Join(disk, "other")); !errs.Is(err, errs.Unavailable) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Tree: %v", err)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) != 0 {
		t.Errorf("Tree left %v, %v", left, err)
	}
	if _, err := store.Update(t.Context(), o.source(), nil, shas[0], dir, nil); err != nil {
		t.Fatal(err)
	}
	_, err := store.Update(t.Context(), o.source(), nil, shas[1], dir, nil)
	wantKind(t, err, errs.Unavailable, "disk full")
	got, err := store.Update(t.Context(), o.source(), nil, shas[0], dir, nil)
	if err != nil || got.Written != 1 {
		t.Errorf("back to the small one: %d written, %v; want 1", got.Written, err)
	}
	if diff := cmp.Diff(map[string]string{"a/f": "# small\n", "g": "# same\n"}, read(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A cache that is on the full disk.
	_, err = checkout.New(filepath.Join(disk, "cache"), checkout.Options{}).TreeHash(t.Context(), o.source(), o.noise(), "")
	wantKind(t, err, errs.Unavailable, "disk full")
}

// noise commits 2 MiB that can't be made smaller.
func (o *origin) noise() string {
	var content strings.Builder
	state := uint64(88172645463325252)
	for content.Len() < 2<<20 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		content.WriteByte(byte(state >> 24))
	}
	o.write(map[string]string{"noise": content.String()})
	return o.commit("noise", "refs/heads/noise")
}
