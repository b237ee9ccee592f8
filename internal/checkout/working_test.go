package checkout

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
)

// worksite is a repository with a commit and work on it, as git makes it.
type worksite struct {
	t   *testing.T
	dir string
}

func newWorksite(t *testing.T) worksite {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	w := worksite{t, t.TempDir()}
	w.git("init", "-q", "-b", "main")
	return w
}

func (w worksite) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", w.dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (w worksite) write(name, content string) {
	w.t.Helper()
	file := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w worksite) open(dir string) *Working {
	w.t.Helper()
	opened, err := OpenWorking(w.t.Context(), filepath.Join(w.dir, dir), w.t.TempDir(), Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// everything lists the repository's folder with its content, .git too.
func (w worksite) everything() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(w.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		out[strings.TrimPrefix(p, w.dir)] = string(b)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestWorkingTreeIsACommit(t *testing.T) {
	w := newWorksite(t)
	w.write(".gitignore", "*.auto.tfvars\n.terraform/\n")
	w.write("a/main.tf", "# a\n")
	w.write("b/main.tf", "# b\n")
	w.write("gone/main.tf", "# gone\n")
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "base")
	w.git("checkout", "-q", "-b", "topic")
	w.write("b/main.tf", "# b, committed\n")
	w.git("commit", "-q", "-a", "-m", "topic")
	w.write("a/main.tf", "# a, staged\n")
	w.git("add", "a/main.tf")
	w.write("a/main.tf", "# a, edited again\n")
	w.write("new/main.tf", "# new\n")
	w.write("new/secret.auto.tfvars", "x = 1\n")
	w.write("new/.terraform/x", "junk\n")
	if err := os.RemoveAll(filepath.Join(w.dir, "gone")); err != nil {
		t.Fatal(err)
	}
	before := w.everything()

	o := w.open("b")
	if o.Branch != "topic" || o.Head != w.git("rev-parse", "HEAD") || !o.Dirty() || o.Within != "b" {
		t.Errorf("opened %+v", o)
	}
	base, err := o.DefaultBase(t.Context())
	if err != nil || base != "main" {
		t.Fatalf("base %q: %v", base, err)
	}
	sha, err := o.Resolve(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := o.Changed(t.Context(), sha, o.Commit)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/main.tf", "b/main.tf", "gone/main.tf", "new/main.tf"}, changed); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	tree, err := o.TreeFS(t.Context(), o.Commit)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for name, want := range map[string]string{"a/main.tf": "# a, edited again\n", "new/main.tf": "# new\n"} {
		if got, err := fs.ReadFile(tree, name); err != nil || string(got) != want {
			t.Errorf("%s is %q: %v", name, got, err)
		}
	}
	if _, err := fs.Stat(tree, "new/secret.auto.tfvars"); err == nil {
		t.Error("what Git ignores is in the tree")
	}
	tmp := o.tmp
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tmp); err == nil {
		t.Errorf("%s is left", tmp)
	}
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		t.Errorf("the repository was written to (-before +after)\n%s", diff)
	}
}

func TestWorkingTreeThatIsClean(t *testing.T) {
	w := newWorksite(t)
	w.write("a/main.tf", "# a\n")
	first := w.open(".")
	if first.Head != "" || !first.Dirty() || first.Commit == "" {
		t.Errorf("before the first commit: %+v", first)
	}
	if _, err := first.DefaultBase(t.Context()); !errs.Is(err, errs.NotFound) {
		t.Errorf("a base before the first commit: %v", err)
	}
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "base")
	o := w.open(".")
	if o.Dirty() || o.Commit != o.Head || o.Within != "." {
		t.Errorf("clean: %+v", o)
	}
	for address, want := range map[string]string{
		"https://github.com/acme/infra.git": "acme/infra", "git@github.com:acme/infra.git": "acme/infra", "ssh://git@ghe.example.com/acme/infra/": "acme/infra",
	} {
		w.git("config", "remote.origin.url", address)
		if owner, name := o.Remote(t.Context()); owner+"/"+name != want {
			t.Errorf("%s is %s/%s", address, owner, name)
		}
	}
	w.git("update-ref", "refs/remotes/origin/trunk", "HEAD")
	w.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
	if base, err := o.DefaultBase(t.Context()); err != nil || base != "origin/trunk" {
		t.Errorf("base %q: %v", base, err)
	}
}

// TestWorkingTreeInAHook: git sets variables for its hooks that name another
// index.
func TestWorkingTreeInAHook(t *testing.T) {
	w := newWorksite(t)
	w.write("a/main.tf", "# a\n")
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "base")
	t.Setenv("GIT_DIR", ".git")
	t.Setenv("GIT_INDEX_FILE", filepath.Join(t.TempDir(), "none"))
	if o := w.open("a"); o.Dirty() {
		t.Errorf("a clean tree is dirty: %+v", o)
	}
}

func TestWorkingTreeThatIsNone(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(t.TempDir()))
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if _, err := OpenWorking(t.Context(), dir, "", Options{}); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// TestWorkingTreeEditedAtOnce: an edit of the same size, in the moment in which
// the index was written, is seen.
func TestWorkingTreeEditedAtOnce(t *testing.T) {
	w := newWorksite(t)
	for range 10 {
		w.write("a/main.tf", "# v1\n")
		w.git("add", "-A")
		w.write("a/main.tf", "# v2\n")
		// As coarse clocks of file systems have it.
		index, err := os.Stat(filepath.Join(w.dir, ".git", "index"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(w.dir, "a", "main.tf")
		if err := os.Chtimes(file, index.ModTime(), index.ModTime()); err != nil {
			t.Fatal(err)
		}
		o := w.open(".")
		tree, err := o.TreeFS(t.Context(), o.Commit)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(tree, "a/main.tf"); err != nil || string(got) != "# v2\n" {
			t.Fatalf("the tree has %q: %v", got, err)
		}
		_ = tree.Close()
	}
}
