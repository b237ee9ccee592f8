package blueprint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
)

var someFiles = []File{
	{".gitignore", []byte("x\n")}, {"README.md", []byte("# hi\n")}, {"live/a/main.tf", []byte("a\n")}, {"live/b/main.tf", nil},
}

// tree is what stands below dir: content by path, folders with a slash.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			found[rel+"/"] = ""
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			found[rel], err = os.Readlink(p)
			return err
		}
		text, err := os.ReadFile(p)
		found[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var written = map[string]string{
	".gitignore": "x\n", "README.md": "# hi\n", "live/": "", "live/a/": "", "live/a/main.tf": "a\n", "live/b/": "", "live/b/main.tf": "",
}

func TestWrite(t *testing.T) {
	for name, dir := range map[string]string{"a folder that is there": ".", "one that is not": "new/deep"} {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), dir)
			if err := Write(at, someFiles); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(written, tree(t, at)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			info, err := os.Stat(filepath.Join(at, "README.md"))
			if err != nil || info.Mode().Perm()&0o600 != 0o600 || info.Mode().Perm()&0o111 != 0 {
				t.Errorf("%v %v", info.Mode(), err)
			}
		})
	}
}

func TestWriteBesideWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	there := map[string]string{".git/HEAD": "ref\n", "LICENSE": "l\n", "live/a/other.tf": "o\n"}
	lay(t, dir, there)
	if err := Write(dir, someFiles); err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	for p, want := range there {
		if got[p] != want {
			t.Errorf("%s is %q", p, got[p])
		}
	}
	if got["live/a/main.tf"] != "a\n" {
		t.Errorf("%v", got)
	}
}

func TestWriteOverwritesNothing(t *testing.T) {
	for _, tc := range []struct {
		name   string
		lay    func(dir string) error
		tell   []string
		silent string
	}{
		{"files", func(dir string) error {
			lay(t, dir, map[string]string{"README.md": "mine\n", "live/b/main.tf": "mine\n"})
			return nil
		}, []string{"README.md is there already.", "live/b/main.tf is there already."}, "live/a"},
		{"an empty folder of a file's name", func(dir string) error { return os.Mkdir(filepath.Join(dir, "README.md"), 0o755) },
			[]string{"README.md is there already."}, "live"},
		{"a dangling link", func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "README.md")) },
			[]string{"README.md is there already."}, "live"},
		{"a file of a folder's name", func(dir string) error { lay(t, dir, map[string]string{"live": "mine\n"}); return nil },
			[]string{"live should be a folder, and is none."}, "main.tf"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tc.lay(dir); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			err := Write(dir, someFiles)
			if !errs.Is(err, errs.Conflict) {
				t.Fatalf("error %v", err)
			}
			lines := strings.Split(errs.Sentence(err), "\n")[1:]
			if diff := cmp.Diff(tc.tell, lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("the folder changed:\n%s", diff)
			}
		})
	}
}

// TestThreat_WriteStaysInTheFolder: neither a path nor a link in the folder
// leads a file somewhere else.
func TestThreat_WriteStaysInTheFolder(t *testing.T) {
	for _, p := range []string{"../a", "/a", "a/../../b", ".", "", "a//b", `..\a`, ".git/hooks/post-checkout", ".GIT/config", "a\x00"} {
		dir := filepath.Join(t.TempDir(), "in")
		if err := Write(dir, []File{{"fine", nil}, {p, []byte("x")}}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", p, err)
		}
		if got := tree(t, filepath.Dir(dir)); len(got) > 0 {
			t.Errorf("%q left %v", p, got)
		}
	}
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "live")); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, someFiles); !errs.Is(err, errs.Conflict) {
		t.Errorf("a link: %v", err)
	}
	// Even if the link comes after the look around.
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w := &writer{root: root, stage: "stage"}
	if err := w.write(someFiles); err == nil {
		t.Error("a link that came later was followed")
	}
	w.takeBack()
	if got := tree(t, outside); len(got) > 0 {
		t.Errorf("written outside: %v", got)
	}
	if diff := cmp.Diff(map[string]string{"live": outside}, tree(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWriteIsAllOrNothing has the last file fail after the others are placed:
// somebody made it after the look around.
func TestWriteIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{"live/b/main.tf": "theirs\n"})
	before := tree(t, dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w := &writer{root: root, stage: "stage"}
	err = w.write(someFiles)
	if !errs.Is(err, errs.Conflict) || !strings.HasPrefix(errs.Sentence(err), "live/b/main.tf appeared meanwhile") {
		t.Errorf("error %v", err)
	}
	if len(w.placed) != 3 {
		t.Fatalf("%d files were placed before, so this proves nothing", len(w.placed))
	}
	w.takeBack()
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestWriteWithoutAFolder(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{"file": "x"})
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for _, at := range []string{"file", "file/deep", "link", "link/deep"} {
		if err := Write(filepath.Join(dir, at), someFiles); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", at, err)
		}
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if err := Write(dir, []File{{"a", nil}, {"a", nil}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("twice the same path: %v", err)
	}
	if os.Geteuid() == 0 {
		return // may write everywhere
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := Write(closed, someFiles); !errs.Is(err, errs.Invalid) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder that can't be written to: %v", err)
	}
}
