package bot

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/tidelock/tidelock/internal/errs"
)

// trees hands out the work trees that runs use: one for each change, always
// at the same path, so that a saved plan meets the paths it was made with. The
// runs of a change share it while they are at the same commit; it is removed
// when nobody uses it.
//
// A tree is a cache: whatever is in it can be made again from the commit. So
// a tree that an earlier process left is used only if its mark says that it
// was written completely.
type trees struct {
	dir   string
	write func(ctx context.Context, change, sha, into string) error

	mu  sync.Mutex
	use map[string]*treeUse
}

// errTreeBusy says that runs at another commit use the tree.
var errTreeBusy = errs.New(errs.Unavailable, "The work tree of this pull request is in use at another commit.")

type treeUse struct {
	sync.Mutex // held while the tree is written or removed
	sha        string
	users      int
}

func newTrees(dir string, write func(ctx context.Context, change, sha, into string) error) *trees {
	return &trees{dir: dir, write: write, use: map[string]*treeUse{}}
}

// paths returns where the change's tree, its mark and its runs' data folders
// are.
func (t *trees) paths(change string) (tree, mark, data string) {
	base := filepath.Join(t.dir, change)
	return filepath.Join(base, "tree"), filepath.Join(base, "commit"), filepath.Join(base, "data")
}

// acquire returns the tree of the change at sha, written if it is not there
// yet, and the folder for Terraform's data. The error is errTreeBusy while the
// tree is in use at another commit. Whoever acquires must call release.
func (t *trees) acquire(ctx context.Context, change, sha string) (tree, data string, release func(), err error) {
	u := t.of(change)
	u.Lock()
	defer u.Unlock()
	tree, mark, data := t.paths(change)
	if u.users > 0 && u.sha != sha {
		return "", "", nil, errTreeBusy
	}
	if u.users == 0 && !t.written(mark, sha) {
		if err := t.fresh(ctx, change, sha); err != nil {
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

func (t *trees) of(change string) *treeUse {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.use[change]
	if u == nil {
		u = &treeUse{}
		t.use[change] = u
	}
	return u
}

// drop removes the change's tree if nobody uses it.
func (t *trees) drop(change string) error {
	u := t.of(change)
	u.Lock()
	defer u.Unlock()
	if u.users > 0 {
		return nil
	}
	u.sha = ""
	return os.RemoveAll(filepath.Join(t.dir, change))
}

func (t *trees) written(mark, sha string) bool {
	got, err := os.ReadFile(mark)
	return err == nil && string(got) == sha
}

func (t *trees) fresh(ctx context.Context, change, sha string) error {
	tree, mark, _ := t.paths(change)
	base := filepath.Dir(tree)
	if err := os.RemoveAll(base); err != nil {
		return fmt.Errorf("clear work tree: %w", err)
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return fmt.Errorf("make work tree: %w", err)
	}
	if err := t.write(ctx, change, sha, tree); err != nil {
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
		if !keep(e.Name()) {
			if err := os.RemoveAll(filepath.Join(t.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
