package checkout

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkIndex compares the two ways of indexing, on a pack of 100,000
// files.
func BenchmarkIndex(b *testing.B) {
	git := gitBinary()
	if git == "" {
		b.Skip("skipped: no git binary here, which this benchmark needs")
	}
	dir := b.TempDir()
	run := func(stdin string, args ...string) {
		b.Helper()
		cmd := exec.Command(git, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		cmd.Env = []string{"HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	var stream strings.Builder
	stream.WriteString("commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nc\n")
	for i := range 100_000 {
		text := strings.Repeat(fmt.Sprintf("resource \"terraform_data\" \"r%d\" {}\n", i), 10)
		fmt.Fprintf(&stream, "M 100644 inline team%02d/part%03d/f%05d.tf\ndata %d\n%s\n", i%50, i%977, i, len(text), text)
	}
	run("", "init", "-q", "--bare", ".")
	run(stream.String(), "fast-import", "--quiet")
	packs, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		b.Fatal(packs, err)
	}
	for name, i := range map[string]indexer{"go-git": goIndexer{}, "git": gitIndexer{git}} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if _, err := i.index(b.Context(), packs[0]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
		})
	}
}
