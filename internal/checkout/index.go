package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// An indexer checks a pack that stands in a file and makes its index.
type indexer interface {
	index(ctx context.Context, pack string) (*idxfile.MemoryIndex, error)
}

// gitFrom is the size of a pack, in bytes, from which on it is worth starting
// git to index it.
const gitFrom = 8 << 20

// indexerOf chooses for a pack of that many bytes: the git binary for large
// ones, where it is there, since it takes a fraction of the time that go-git
// takes; see docs/decisions.md for figures.
func indexerOf(size int64) indexer {
	if git := gitBinary(); git != "" && size >= gitFrom {
		return gitIndexer{git}
	}
	return goIndexer{}
}

var gitBinary = sync.OnceValue(func() string {
	path, err := exec.LookPath("git")
	if err != nil {
		return ""
	}
	return path
})

// goIndexer is go-git's.
type goIndexer struct{}

func (goIndexer) index(_ context.Context, pack string) (*idxfile.MemoryIndex, error) {
	f, err := os.Open(pack)
	if err != nil {
		return nil, storageError(err)
	}
	defer f.Close()
	var w idxfile.Writer
	parser, err := packfile.NewParser(packfile.NewScanner(f), &w)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(); err != nil {
		return nil, fmt.Errorf("index the pack: %w", err)
	}
	return w.Index()
}

// gitIndexer is the git binary. It gets no settings of anybody's, no
// repository and nothing of the environment.
type gitIndexer struct{ git string }

func (g gitIndexer) index(ctx context.Context, pack string) (*idxfile.MemoryIndex, error) {
	into := pack + ".idx"
	defer os.Remove(into)
	cmd := exec.CommandContext(ctx, g.git, "index-pack", "--threads=2", "-o", into, pack)
	cmd.Dir = os.TempDir()
	cmd.Env = []string{
		"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CEILING_DIRECTORIES=/", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
	}
	var said bytes.Buffer
	cmd.Stderr = &limitedBuffer{&said, 4 << 10}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, stopped(ctx)
		}
		return nil, fmt.Errorf("index the pack: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	f, err := os.Open(into)
	if err != nil {
		return nil, storageError(err)
	}
	defer f.Close()
	idx := idxfile.NewMemoryIndex()
	if err := idxfile.NewDecoder(f).Decode(idx); err != nil {
		return nil, errors.Join(errors.New("the index that git made can't be read"), err)
	}
	return idx, nil
}

// limitedBuffer keeps the beginning of what is written.
type limitedBuffer struct {
	w    io.Writer
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := len(p)
	p = p[:min(n, b.left)]
	b.left -= len(p)
	_, err := b.w.Write(p)
	return n, err
}
