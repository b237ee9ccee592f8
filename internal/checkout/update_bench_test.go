package checkout_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/checkout"
)

// BenchmarkUpdate compares what bringing a tree of 10,000 files to a commit
// with one file changed takes, with writing it anew and removing the old one.
func BenchmarkUpdate(b *testing.B) {
	o := newOrigin(b)
	first := snapshot{}
	for i := range 10_000 {
		first[fmt.Sprintf("team%02d/env%d/f%05d.tf", i%50, i%7, i)] = strings.Repeat(fmt.Sprintf("resource \"terraform_data\" \"r%d\" {}\n", i), 10)
	}
	second := snapshot{}
	for p, content := range first {
		second[p] = content
	}
	second["team00/env0/f00000.tf"] = "# changed\n"
	shas := o.imported(first, second)
	store := checkout.New(b.TempDir(), checkout.Options{})
	for _, sha := range shas {
		if _, err := store.TreeHash(b.Context(), o.source(), sha, ""); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("anew", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "tree")
		for i := 0; b.Loop(); i++ {
			if err := checkout.RemoveTree(dir); err != nil {
				b.Fatal(err)
			}
			if _, err := store.Tree(b.Context(), o.source(), nil, shas[i%2], dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "tree")
		if _, err := store.Update(b.Context(), o.source(), nil, shas[1], dir, nil); err != nil {
			b.Fatal(err)
		}
		for i := 0; b.Loop(); i++ {
			got, err := store.Update(b.Context(), o.source(), nil, shas[i%2], dir, nil)
			if err != nil {
				b.Fatal(err)
			}
			if got.Written != 1 || got.Files != 10_000 {
				b.Fatalf("%d of %d written, want 1 of 10,000", got.Written, got.Files)
			}
		}
	})
}
