package checkout_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/planner"
)

// BenchmarkCheckout measures from nothing to a work tree, and with the mirror
// there, next to git's own clone of the same commit over the same server.
func BenchmarkCheckout(b *testing.B) {
	for _, size := range []int{30, 5000} {
		o := newOrigin(b)
		files := map[string]string{}
		for i := range size {
			files[fmt.Sprintf("team%02d/env%d/f%04d.tf", i%50, i%7, i)] = strings.Repeat(fmt.Sprintf("resource \"terraform_data\" \"r%d\" {}\n", i), 30)
		}
		o.write(files)
		base := o.commit("all", "refs/heads/main")
		o.write(map[string]string{"team00/env0/f0000.tf": "# changed\n"})
		head := o.commit("head", "refs/pull/7/head")
		into := func(b *testing.B, i int) string { return filepath.Join(b.TempDir(), fmt.Sprint(i)) }

		b.Run(fmt.Sprintf("files=%d/cold", size), func(b *testing.B) {
			for i := range b.N {
				if _, err := checkout.New(b.TempDir(), checkout.Options{}).Tree(b.Context(), o.source(), pullRefs, head, into(b, i)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("files=%d/next-commit", size), func(b *testing.B) {
			for i := range b.N {
				b.StopTimer()
				store := checkout.New(b.TempDir(), checkout.Options{})
				if _, err := store.TreeHash(b.Context(), o.source(), base, ""); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if _, err := store.Tree(b.Context(), o.source(), pullRefs, head, into(b, i)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("files=%d/warm", size), func(b *testing.B) {
			store := checkout.New(b.TempDir(), checkout.Options{})
			if _, err := store.TreeHash(b.Context(), o.source(), head, ""); err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				if _, err := store.Tree(b.Context(), o.source(), pullRefs, head, into(b, i)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("files=%d/changed", size), func(b *testing.B) {
			store := checkout.New(b.TempDir(), checkout.Options{})
			if _, err := store.TreeHash(b.Context(), o.source(), head, ""); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := store.Changed(b.Context(), o.source(), base, head); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("files=%d/git-clone", size), func(b *testing.B) {
			for i := range b.N {
				cmd := exec.Command("git", "-c", "http.extraHeader="+o.basicHeader(), "clone", "-q", o.url(), into(b, i))
				cmd.Env = o.env()
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v %s", err, out)
				}
			}
		})
		if left, err := os.ReadDir(o.work); err != nil || len(left) == 0 {
			b.Fatal("nothing was measured")
		}
	}
}

// BenchmarkManyFiles measures a repository of 100,000 files: the first fetch,
// the tree, and git doing the same over the same server.
func BenchmarkManyFiles(b *testing.B) {
	o := newOrigin(b)
	files := snapshot{}
	for i := range 100_000 {
		files[fmt.Sprintf("team%02d/part%03d/f%05d.tf", i%50, i%977, i)] = strings.Repeat(fmt.Sprintf("resource \"terraform_data\" \"r%d\" {}\n", i), 10)
	}
	next := maps.Clone(files)
	next["team00/part000/f00000.tf"] = "# changed\n"
	shas := o.imported(files, next)
	head := shas[0]
	b.Run("fetch", func(b *testing.B) {
		var most uint64
		for range b.N {
			store := checkout.New(b.TempDir(), checkout.Options{})
			most = max(most, peak(func() {
				if _, err := store.TreeHash(b.Context(), o.source(), head, ""); err != nil {
					b.Fatal(err)
				}
			}))
		}
		b.ReportMetric(float64(most)/1e6, "peak-MB")
	})
	dir := b.TempDir()
	if _, err := checkout.New(dir, checkout.Options{}).TreeHash(b.Context(), o.source(), head, ""); err != nil {
		b.Fatal(err)
	}
	b.Run("tree", func(b *testing.B) {
		var most uint64
		for i := range b.N {
			store := checkout.New(dir, checkout.Options{})
			into := filepath.Join(b.TempDir(), fmt.Sprint(i))
			most = max(most, peak(func() {
				if _, err := store.Tree(b.Context(), o.source(), nil, head, into); err != nil {
					b.Fatal(err)
				}
			}))
		}
		b.ReportMetric(float64(most)/1e6, "peak-MB")
	})
	b.Run("treefs", func(b *testing.B) {
		var most uint64
		for range b.N {
			store := checkout.New(dir, checkout.Options{})
			most = max(most, peak(func() {
				tree, err := store.TreeFS(b.Context(), o.source(), nil, head)
				if err != nil {
					b.Fatal(err)
				}
				tree.Close()
			}))
		}
		b.ReportMetric(float64(most)/1e6, "peak-MB")
	})
	b.Run("discover", func(b *testing.B) {
		var most uint64
		for range b.N {
			store := checkout.New(dir, checkout.Options{})
			most = max(most, peak(func() {
				tree, err := store.TreeFS(b.Context(), o.source(), nil, head)
				if err != nil {
					b.Fatal(err)
				}
				defer tree.Close()
				if projects, _, err := planner.Discover(tree, planner.DefaultRepoConfig()); err != nil || len(projects) == 0 {
					b.Fatal(len(projects), err)
				}
			}))
		}
		b.ReportMetric(float64(most)/1e6, "peak-MB")
	})
	b.Run("update", func(b *testing.B) {
		store := checkout.New(dir, checkout.Options{})
		into := filepath.Join(b.TempDir(), "tree")
		if _, err := store.Update(b.Context(), o.source(), nil, shas[1], into, nil); err != nil {
			b.Fatal(err)
		}
		var most uint64
		for i := 0; b.Loop(); i++ {
			most = max(most, peak(func() {
				if got, err := store.Update(b.Context(), o.source(), nil, shas[i%2], into, nil); err != nil || got.Written != 1 {
					b.Fatal(got.Written, err)
				}
			}))
		}
		b.ReportMetric(float64(most)/1e6, "peak-MB")
	})
	git := func(b *testing.B, args ...string) {
		cmd := exec.Command("git", append([]string{"-c", "http.extraHeader=" + o.basicHeader()}, args...)...)
		cmd.Env = o.env()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v %s", err, out)
		}
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			b.ReportMetric(float64(u.Maxrss)*1024/1e6, "peak-MB")
		}
	}
	b.Run("git-fetch", func(b *testing.B) {
		for i := range b.N {
			git(b, "clone", "-q", "--bare", o.url(), filepath.Join(b.TempDir(), fmt.Sprint(i)))
		}
	})
	b.Run("git-fetch-and-tree", func(b *testing.B) {
		for i := range b.N {
			git(b, "clone", "-q", o.url(), filepath.Join(b.TempDir(), fmt.Sprint(i)))
		}
	})
}
