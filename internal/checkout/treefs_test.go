package checkout_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// kinds commits one of everything that a tree can hold.
func kinds(t *testing.T, o *origin) string {
	t.Helper()
	o.write(map[string]string{
		"main.tf": "terraform {\n  backend \"local\" {}\n}\nmodule \"n\" {\n  source = \"./modules/net\"\n}\n", "scripts/run.sh": "#!/bin/sh\n",
		"modules/vpc/main.tf": "locals {\n  x = file(\"${path.module}/data.txt\")\n}\n", "modules/vpc/data.txt": "data", "empty": "", "Größe/ü b.tf": "# names\n",
	})
	if err := os.Chmod(filepath.Join(o.work, "scripts/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"modules/net": "vpc", "scripts/up": "../modules/net/main.tf", "dangling": "modules/not/there", "back": "scripts/..",
	} {
		if err := os.Symlink(target, filepath.Join(o.work, link)); err != nil {
			t.Fatal(err)
		}
	}
	base := o.commit("all kinds")
	o.git("update-index", "--add", "--cacheinfo", "160000,"+base+",vendor/sub")
	o.git("commit", "-q", "-m", "submodule")
	sha := o.git("rev-parse", "HEAD")
	o.push(sha, "refs/pull/7/head")
	return sha
}

// TestTreeFSIsTheWorkTree reads both ways, down to what planner makes of it.
func TestTreeFSIsTheWorkTree(t *testing.T) {
	o := newOrigin(t)
	sha := kinds(t, o)
	store := checkout.New(t.TempDir(), checkout.Options{})
	tree, err := store.TreeFS(t.Context(), o.source(), pullRefs, sha)
	if err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(t.TempDir(), "tree")
	if _, err := store.Tree(t.Context(), o.source(), pullRefs, sha, into); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	disk := root.FS()
	if diff := cmp.Diff(described(t, disk), described(t, tree)); diff != "" {
		t.Errorf("the tree (-on disk +in the mirror):\n%s", diff)
	}
	for _, name := range []string{"modules/net/main.tf", "back/main.tf", "scripts/up", "dangling", "back/back/empty", "main.tf/x", "nothing"} {
		want, wantErr := fs.ReadFile(disk, name)
		got, gotErr := fs.ReadFile(tree, name)
		if string(got) != string(want) || (gotErr == nil) != (wantErr == nil) || errors.Is(gotErr, fs.ErrNotExist) != errors.Is(wantErr, fs.ErrNotExist) && name != "main.tf/x" {
			t.Errorf("%s: %q, %v; on disk %q, %v", name, got, gotErr, want, wantErr)
		}
	}
	// All but the link that leads to nothing, which the check can't take.
	for dir, file := range map[string]string{"modules": "vpc/data.txt", "scripts": "run.sh", "vendor": "sub"} {
		part, err := fs.Sub(tree, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(part, file); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	want, wantProblems, err := planner.Discover(disk, planner.DefaultRepoConfig())
	if err != nil {
		t.Fatal(err)
	}
	got, gotProblems, err := planner.Discover(tree, planner.DefaultRepoConfig())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("projects (-on disk +in the mirror):\n%s", diff)
	}
	if diff := cmp.Diff(wantProblems, gotProblems); diff != "" {
		t.Errorf("problems (-on disk +in the mirror):\n%s", diff)
	}
	for _, p := range want {
		for _, p.WholeTree = range []bool{false, true} {
			a, err := planner.InputsDigest(disk, p)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second is worked out of what was kept
				if b, err := planner.InputsDigest(tree, p); err != nil || a != b {
					t.Errorf("digest of %s: %s, %v; on disk %s", p.Name, b, err, a)
				}
			}
		}
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(tree, "main.tf"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed tree answers with %v", err)
	}
}

// described returns what a walk finds: kind, size and content of each entry.
func described(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			got[p] = "directory"
		case d.Type() == fs.ModeSymlink:
			target, err := fs.ReadLink(fsys, p)
			got[p] = "→ " + target
			return err
		default:
			content, err := fs.ReadFile(fsys, p)
			got[p] = fmt.Sprintf("%v %d %s", info.Mode()&0o100, info.Size(), content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestThreat_TreeFSRefusesWhatTreeRefuses(t *testing.T) {
	o := newOrigin(t)
	for link, target := range map[string]string{"out": "../etc/passwd", "far": "/etc/passwd", "round": "round"} {
		t.Run(link, func(t *testing.T) {
			sha := o.commitTree(o.treeOf("120000 blob " + o.blob(target) + "\t" + link))
			_, err := checkout.New(t.TempDir(), checkout.Options{}).TreeFS(t.Context(), o.source(), nil, sha)
			wantKind(t, err, errs.Invalid, link)
		})
	}
}

// TestThreat_MemoryAnswersForOneRepository: what is kept of one repository's
// folders must not be seen through a hash that another one only names.
func TestThreat_MemoryAnswersForOneRepository(t *testing.T) {
	o := newOrigin(t)
	_, sha := o.small()
	store := checkout.New(t.TempDir(), checkout.Options{})
	first, err := store.TreeFS(t.Context(), o.source(), pullRefs, sha)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	other := o.source()
	other.RepoID++
	second, err := store.TreeFS(t.Context(), other, pullRefs, sha)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Remember("x", 1, 1)
	if _, ok := first.Recall("x"); !ok {
		t.Error("nothing is kept at all")
	}
	if _, ok := second.Recall("x"); ok {
		t.Error("what was kept of one repository answers for another")
	}
}

// TestFault_TreeFSOutlivesItsMirror takes the packs away and fetches them anew
// while a tree is open.
func TestFault_TreeFSOutlivesItsMirror(t *testing.T) {
	o := newOrigin(t)
	_, sha := o.small()
	cache := t.TempDir()
	store := checkout.New(cache, checkout.Options{MaxMemory: 1}) // keeps nothing
	tree, err := store.TreeFS(t.Context(), o.source(), pullRefs, sha)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	packs, err := filepath.Glob(filepath.Join(cache, "77.git/objects/pack/*.pack"))
	if err != nil || len(packs) == 0 {
		t.Fatal("no packs", err)
	}
	for _, p := range packs {
		if err := os.Truncate(p, 40); err != nil {
			t.Fatal(err)
		}
	}
	_, err = tree.ReadFile("envs/prod/part3.tf")
	wantKind(t, err, errs.Unavailable, "replaced")
	// Somebody else finds the damage, and has all fetched again.
	if _, err := store.Tree(t.Context(), o.source(), pullRefs, sha, filepath.Join(t.TempDir(), "tree")); err != nil {
		t.Fatal(err)
	}
	if got, err := tree.ReadFile("envs/prod/part3.tf"); err != nil || string(got) != "# changed\n" {
		t.Errorf("after that it reads %q, %v", got, err)
	}
}
