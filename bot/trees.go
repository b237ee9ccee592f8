package bot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// trees hands out the work trees that runs use: one for each pull request and
// workspace, always at the same path, so that a saved plan meets the paths it
// was made with. The runs of a pull share it while they are at the same
// commit: their projects are different directories, since two projects in one
// directory differ in the workspace.
//
// A tree outlives its runs: the next push writes only the files that differ,
// and finds what Terraform fetched for each project beside it. Nothing in it is
// trusted for that, since each run is other people's code: whoever gets a tree
// that nobody uses gets it as the commit has it, whatever was done to it.
type trees struct {
	dir string
	// update makes the tree that of the commit. It may be called for one
	// that is there, and for one that was left half written.
	update func(ctx context.Context, change, sha, dir string) error

	mu  sync.Mutex
	use map[treeKey]*treeUse
}

// treeKey names a tree: the home of its pull, and the workspace.
type treeKey struct{ home, workspace string }

// home is the folder of a change's trees: its pull's, or its own where it is
// of none, or of a merge queue's group, which stands beside the pull's head.
func home(c run.Change) string {
	if c.Pull == 0 || c.GroupRef != "" {
		return c.ID
	}
	return strconv.FormatInt(c.Repo, 10) + "-" + strconv.Itoa(c.Pull)
}

// errTreeBusy says that runs at another commit use the tree.
var errTreeBusy = errs.New(errs.Unavailable, "The work tree of this pull request is in use at another commit.")

// treeWait is how long a tree is waited for that is in use at another commit:
// what was superseded is stopped at once and soon gone. After that the run goes
// back to the queue.
const treeWait = 2 * time.Second

type treeUse struct {
	sync.Mutex // held while the tree is written or removed
	sha        string
	users      int
	dropped    bool          // no longer in the map: take another
	free       chan struct{} // closed when the last user is gone; nil while nobody waits
}

func newTrees(dir string, update func(ctx context.Context, change, sha, dir string) error) *trees {
	return &trees{dir: dir, update: update, use: map[treeKey]*treeUse{}}
}

// base is the folder in which the tree and its runs' data folders are. A
// workspace's name is a stranger's choice and never a path.
func (t *trees) base(k treeKey) string { return filepath.Join(t.dir, k.home, hash(k.workspace)) }

// acquire returns the tree of the change's pull for projects of the workspace
// at sha, and the folder for Terraform's data. adopt says that a runner of an
// earlier process may be at work there: then the tree is left as it is, if it
// is at sha. The error is errTreeBusy while the tree is in use at another
// commit. Whoever acquires must call release.
func (t *trees) acquire(ctx context.Context, c run.Change, workspace, sha string, adopt bool) (tree, data string, release func(), err error) {
	k := treeKey{home(c), workspace}
	for deadline := time.After(treeWait); ; {
		u := t.of(k)
		u.Lock()
		if u.dropped {
			u.Unlock()
			continue
		}
		if u.users == 0 || u.sha == sha {
			tree, data, err = t.take(ctx, u, k, c.ID, sha, adopt)
			u.Unlock()
			return tree, data, func() { t.release(u) }, err
		}
		if u.free == nil {
			u.free = make(chan struct{})
		}
		free := u.free
		u.Unlock()
		select {
		case <-free:
		case <-deadline:
			return "", "", nil, errTreeBusy
		case <-ctx.Done():
			return "", "", nil, ctx.Err()
		}
	}
}

// take counts one more user of a tree that is free or at sha. The caller holds
// its lock.
func (t *trees) take(ctx context.Context, u *treeUse, k treeKey, change, sha string, adopt bool) (tree, data string, err error) {
	base := t.base(k)
	tree, mark := filepath.Join(base, "tree"), filepath.Join(base, "commit")
	if u.users == 0 && !(adopt && written(mark, sha)) {
		if busy(base) {
			return "", "", errTreeBusy
		}
		if err := t.bring(ctx, change, sha, tree, mark); err != nil {
			return "", "", err
		}
	}
	u.sha = sha
	u.users++
	return tree, filepath.Join(base, "data"), nil
}

// bring makes the tree that of the commit, and marks it as such once it is.
func (t *trees) bring(ctx context.Context, change, sha, tree, mark string) error {
	base := filepath.Dir(tree)
	err := os.MkdirAll(base, 0o700)
	for tries := 0; os.IsNotExist(err) && tries < 100; tries++ {
		err = os.MkdirAll(base, 0o700) // drop took the empty folder above it away in between
	}
	if err == nil {
		err = os.Remove(mark)
	}
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("make work tree: %w", err)
	}
	if err := t.update(ctx, change, sha, tree); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(sha), 0o600) // new each time, so that sweep sees when that was
}

func written(mark, sha string) bool {
	got, err := os.ReadFile(mark)
	return err == nil && string(got) == sha
}

func (t *trees) release(u *treeUse) {
	u.Lock()
	defer u.Unlock()
	u.users--
	if u.users == 0 && u.free != nil {
		close(u.free)
		u.free = nil
	}
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

// drop removes those trees of a home that nobody uses.
func (t *trees) drop(home string) error {
	mine, failed := t.dropUnknown(home)
	for _, k := range mine {
		failed = errors.Join(failed, t.dropOne(k))
	}
	_ = os.Remove(filepath.Join(t.dir, home)) // only when it is empty
	return failed
}

// dropUnknown removes the home's trees that this process never handed out, and
// returns the others. None is handed out meanwhile.
func (t *trees) dropUnknown(home string) (known []treeKey, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ours := map[string]bool{}
	for k := range t.use {
		if k.home == home {
			known = append(known, k)
			ours[filepath.Base(t.base(k))] = true
		}
	}
	entries, err := os.ReadDir(filepath.Join(t.dir, home))
	if os.IsNotExist(err) {
		return known, nil
	}
	for _, e := range entries {
		if base := filepath.Join(t.dir, home, e.Name()); !ours[e.Name()] && !busy(base) {
			err = errors.Join(err, os.RemoveAll(base))
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

// busy reports whether a run is still ending in the tree's folder: one that
// nobody watches any more, because it was superseded while no server was there.
// What is made anew at its path would lose files to it.
func busy(base string) bool {
	runs, _ := filepath.Glob(filepath.Join(base, "data", "*")) // the pattern is ours
	return slices.ContainsFunc(runs, tfrun.InUse)
}

// sweep removes the trees of the homes that keep does not want. It is told when
// one was last taken.
func (t *trees) sweep(keep func(home string, used time.Time) bool) error {
	entries, err := os.ReadDir(t.dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed error
	for _, e := range entries {
		var used time.Time
		marks, _ := filepath.Glob(filepath.Join(t.dir, e.Name(), "*", "commit"))
		for _, mark := range marks {
			if info, err := os.Stat(mark); err == nil && info.ModTime().After(used) {
				used = info.ModTime()
			}
		}
		if !keep(e.Name(), used) {
			failed = errors.Join(failed, t.drop(e.Name()))
		}
	}
	return failed
}
