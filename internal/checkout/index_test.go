package checkout_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/checkout"
)

// TestLargePackIsTaken fetches a pack of the size that git indexes, then a
// small one over it, and reads both with a store that finds them on disk.
func TestLargePackIsTaken(t *testing.T) {
	o := newOrigin(t)
	noise := make([]byte, 9<<20) // does not compress
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise) // never fails
	o.write(map[string]string{"noise.bin": string(noise), "main.tf": "# one\n"})
	first := o.commit("first", "refs/heads/main")
	o.write(map[string]string{"main.tf": "# two\n"})
	second := o.commit("second", "refs/pull/7/head")
	cache, dir := t.TempDir(), t.TempDir()
	for i, sha := range []string{first, second, first} {
		into := filepath.Join(dir, string(rune('a'+i)))
		if _, err := checkout.New(cache, checkout.Options{}).Tree(t.Context(), o.source(), nil, sha, into); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"noise.bin": string(noise), "main.tf": []string{"# one\n", "# two\n", "# one\n"}[i]}
		if got := read(t, into); !cmp.Equal(want, got) {
			t.Errorf("tree %d is not the commit's: %d files, main.tf %q", i, len(got), got["main.tf"])
		}
	}
	if o.fetches() != 2 {
		t.Errorf("%d fetches, want 2", o.fetches())
	}
	left, err := os.ReadDir(filepath.Join(cache, "77.git", "objects", "pack"))
	if err != nil || len(left) != 4 {
		t.Errorf("two packs with an index each should be there, and nothing else: %v, %v", left, err)
	}
}
