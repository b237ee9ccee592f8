package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/tidelock/tidelock/internal/errs"
)

// Local is a Git repository on disk that somebody works in. It is only read.
type Local struct {
	store  *Store // its limits and its memory
	reader *reader
}

// OpenLocal opens the repository around dir, which the git binary finds. No
// repository is errs.NotFound, no git errs.Unavailable.
func OpenLocal(ctx context.Context, dir string, opts Options) (*Local, error) {
	gitDir, err := runGit(ctx, dir, nil, "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return nil, err
	}
	return openLocal(filepath.FromSlash(gitDir), opts)
}

// openLocal opens the repository whose objects and refs are in gitDir: the
// folder .git of a clone, or what `git rev-parse --git-common-dir` says.
func openLocal(gitDir string, opts Options) (*Local, error) {
	if info, err := os.Stat(filepath.Join(gitDir, "objects")); err != nil || !info.IsDir() {
		return nil, errs.New(errs.NotFound, "There is no Git repository in %s.", gitDir)
	}
	objects := filesystem.NewStorage(osfs.New(gitDir), cache.NewObjectLRU(readerCache))
	l := &Local{store: New("", opts)}
	l.reader = &reader{
		memory: shelf{l.store.memory, ""},
		local: func(h plumbing.Hash) (plumbing.EncodedObject, error) {
			o, err := objects.EncodedObject(plumbing.AnyObject, h)
			if errors.Is(err, plumbing.ErrObjectNotFound) {
				err = errs.Wrap(errs.NotFound, err, "The repository has no object %s. Is the clone a shallow or a partial one? git fetch --unshallow brings the rest.", h)
			}
			return o, err
		},
	}
	return l, nil
}

// Changed returns the paths, sorted, that differ between the commit head and
// the merge base of base and head, as Store.Changed does.
func (l *Local) Changed(ctx context.Context, base, head string) ([]string, error) {
	a, b := plumbing.NewHash(base), plumbing.NewHash(head)
	from, ok, err := mergeBase(ctx, l.reader, a, b)
	if err == nil {
		if !ok {
			from = a
		}
		var paths []string
		if paths, err = l.changed(ctx, from, b); err == nil {
			return paths, nil
		}
	}
	return nil, fmt.Errorf("compare %s with %s: %w", base, head, err)
}

func (l *Local) changed(ctx context.Context, from, to plumbing.Hash) ([]string, error) {
	before, err := newPart(l.reader, from)
	if err != nil {
		return nil, err
	}
	after, err := newPart(l.reader, to)
	if err != nil {
		return nil, err
	}
	return l.store.changed(ctx, before, after)
}

// TreeFS returns the commit's tree, and refuses what Store.TreeFS refuses.
// Submodules are empty directories.
func (l *Local) TreeFS(ctx context.Context, sha string) (*TreeFS, error) {
	r := *l.reader
	top, err := newPart(&r, plumbing.NewHash(sha))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", sha, err)
	}
	t, err := l.store.openTree(ctx, top)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", sha, err)
	}
	return t, nil
}
