package bot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// trees hands out the work trees that runs use: one for each change and
// workspace, always at the same path, so that a saved plan meets the paths it
// was made with. The runs of a change share it while they are at the same
// commit: their projects are different directories, since two projects in one
// directory differ in the workspace. It is removed when nobody uses it.
//
// A tree is a cache: whatever is in it can be made again from the commit. So
// a tree that an earlier process left is used only if its mark says that it
// was written completely.
type trees struct {
	dir   string
	write func(ctx context.Context, change, sha, into string) error

	mu  sync.Mutex
	use map[treeKey]*treeUse
}

type treeKey struct{ change, workspace string }

// errTreeBusy says that runs at another commit use the tree.
var errTreeBusy = errs.New(errs.Unavailable, "The work tree of this pull request is in use at another commit.")

type treeUse struct {
	sync.Mutex // held while the tree is written or removed
	sha        string
	users      int
	dropped    bool // no longer in the map: take another
}

func newTrees(dir string, write func(ctx context.Context, change, sha, into string) error) *trees {
	return &trees{dir: dir, write: write, use: map[treeKey]*treeUse{}}
}

// base is the folder in which the tree, its mark and its runs' data folders
// are. A workspace's name is a stranger's choice and never a path.
func (t *trees) base(k treeKey) string { return filepath.Join(t.dir, k.change, hash(k.workspace)) }

// paths returns where the tree, its mark and its runs' data folders are.
func (t *trees) paths(k treeKey) (tree, mark, data string) {
	base := t.base(k)
	return filepath.Join(base, "tree"), filepath.Join(base, "commit"), filepath.Join(base, "data")
}

// acquire returns the tree of the change for projects of the workspace at sha,
// written if it is not there yet, and the folder for Terraform's data. The
// error is errTreeBusy while the tree is in use at another commit. Whoever
// acquires must call release.
func (t *trees) acquire(ctx context.Context, change, workspace, sha string) (tree, data string, release func(), err error) {
	k := treeKey{change, workspace}
	u := t.of(k)
	u.Lock()
	defer u.Unlock()
	if u.dropped {
		return t.acquire(ctx, change, workspace, sha)
	}
	tree, mark, data := t.paths(k)
	if u.users > 0 && u.sha != sha {
		return "", "", nil, errTreeBusy
	}
	if u.users == 0 && !t.written(mark, sha) {
		if err := t.fresh(ctx, k, sha); err != nil {
			return "", "", nil, err
		}
	}
	u.sha = sha
	u.users++
	return tree, data, func() {
		u.Lock()
		defer u.Unlock()
		u.users--
	}, nil
}

func (t *trees) of(k treeKey) *treeUse {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.use[k]
	if u == nil {
		u = &treeUse{}
		t.use[k] = u
	}
	return u
}

// drop removes those of the change's trees that nobody uses.
func (t *trees) drop(change string) error {
	mine, failed := t.dropUnknown(change)
	for _, k := range mine {
		failed = errors.Join(failed, t.dropOne(k))
	}
	_ = os.Remove(filepath.Join(t.dir, change)) // only when it is empty
	return failed
}

// dropUnknown removes the change's trees that this process never handed out,
// and returns the others. None is handed out meanwhile.
func (t *trees) dropUnknown(change string) (known []treeKey, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ours := map[string]bool{}
	for k := range t.use {
		if k.change == change {
			known = append(known, k)
			ours[filepath.Base(t.base(k))] = true
		}
	}
	entries, err := os.ReadDir(filepath.Join(t.dir, change))
	if os.IsNotExist(err) {
		return known, nil
	}
	for _, e := range entries {
		if !ours[e.Name()] && !busy(filepath.Join(t.dir, change, e.Name())) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(t.dir, change, e.Name())))
		}
	}
	return known, err
}

func (t *trees) dropOne(k treeKey) error {
	u := t.of(k)
	u.Lock()
	defer u.Unlock()
	if u.users > 0 || u.dropped || busy(t.base(k)) {
		return nil
	}
	err := os.RemoveAll(t.base(k))
	t.mu.Lock()
	defer t.mu.Unlock()
	u.dropped = true
	delete(t.use, k)
	return err
}

func (t *trees) written(mark, sha string) bool {
	got, err := os.ReadFile(mark)
	return err == nil && string(got) == sha
}

// busy reports whether a run is still ending in the tree's folder: one that
// nobody watches any more, because it was superseded while no server was there.
// What is made anew at its path would lose files to it.
func busy(base string) bool {
	runs, _ := filepath.Glob(filepath.Join(base, "data", "*")) // the pattern is ours
	return slices.ContainsFunc(runs, tfrun.InUse)
}

func (t *trees) fresh(ctx context.Context, k treeKey, sha string) error {
	tree, mark, _ := t.paths(k)
	base := t.base(k)
	if busy(base) {
		return errTreeBusy
	}
	if err := os.RemoveAll(base); err != nil {
		return fmt.Errorf("clear work tree: %w", err)
	}
	err := os.MkdirAll(base, 0o700)
	for tries := 0; os.IsNotExist(err) && tries < 100; tries++ {
		err = os.MkdirAll(base, 0o700) // drop took the empty folder above it away in between
	}
	if err != nil {
		return fmt.Errorf("make work tree: %w", err)
	}
	if err := t.write(ctx, k.change, sha, tree); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(sha), 0o600)
}

// sweep removes the trees whose change keep does not name: what earlier
// processes left. Call it before any work starts.
func (t *trees) sweep(keep func(change string) bool) error {
	entries, err := os.ReadDir(t.dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		parts, _ := filepath.Glob(filepath.Join(t.dir, e.Name(), "*"))
		if !keep(e.Name()) && !slices.ContainsFunc(parts, busy) {
			if err := os.RemoveAll(filepath.Join(t.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
