package checkout

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sys/unix"
)

// TestThreat_YoungRecordIsNotTakenAtItsWord plays a file system whose clock
// ticks slowly: what was changed after the record was made has the very stamp
// that it had before.
func TestThreat_YoungRecordIsNotTakenAtItsWord(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	good := plumbing.ComputeHash(plumbing.BlobObject, []byte("# good\n"))
	for _, c := range []struct {
		content string
		young   bool
		want    bool
	}{{"# good\n", true, true}, {"# evil\n", true, false}, {"# good\n", false, true}} {
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		info, err := root.Lstat("f")
		if err != nil {
			t.Fatal(err)
		}
		s, ok := stampOf(info)
		if !ok {
			t.Skip("skipped: no file is known by its stamp on this system")
		}
		u := updating{
			ctx: t.Context(), w: &writing{root: root, max: 100, record: &record{files: map[string]written{}}},
			want: map[string]thing{"f": {file: file{path: "f", hash: good}}},
			old:  &record{files: map[string]written{"f": {hash: good, stamp: s, young: c.young}}},
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := u.stays(root, "f", entries[0]); err != nil || got != c.want {
			t.Errorf("%+v: stays %v, %v", c, got, err)
		}
	}
}

// TestRecordKnowsWhatIsYoung saves a record and reads it: what was changed
// before it was made is old, what was changed in the same tick or later is not.
func TestRecordKnowsWhatIsYoung(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	r := &record{files: map[string]written{
		"old":   {stamp: stamp{inode: 1, size: 2, mode: 3, modified: 4, changed: 5}},
		"later": {lfs: true, stamp: stamp{changed: 1 << 62}},
	}}
	if err := r.save(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(recordOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	got := readRecord(dir)
	if len(got.files) != 2 || got.files["old"] != r.files["old"] {
		t.Errorf("read %+v", got.files)
	}
	if w := got.files["later"]; !w.young || !w.lfs {
		t.Errorf("what is younger than the record (%v) is not taken for that: %+v", info.ModTime(), w)
	}
	text, err := os.ReadFile(recordOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	for i := range text { // whatever is garbled, it counts for nothing
		text[i] ^= 1
		if err := os.WriteFile(recordOf(dir), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readRecord(dir); len(got.files) != 0 {
			t.Fatalf("with byte %d changed it reads %+v", i, got.files)
		}
		text[i] ^= 1
	}
}

// TestThreat_FileWithASecondNameHasNoStamp: it could be written to from there.
func TestThreat_FileWithASecondNameHasNoStamp(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "g")); err != nil {
		t.Skipf("skipped: no second names here: %v", err)
	}
	info, err := os.Lstat(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := stampOf(info); ok {
		t.Errorf("it has one: %+v", s)
	}
}

// TestThreat_RemoveTreeOfAnySort removes what stops os.RemoveAll: folders that
// deny their owner all, and many that stand in each other, with few files to
// open.
func TestThreat_RemoveTreeOfAnySort(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	if err := os.MkdirAll(filepath.Join(dir, "a", "deny", "b", "c"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "a", "out")); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(dir, unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		if err := unix.Mkdirat(fd, "d", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(fd, "d", unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		fd = next
	}
	unix.Close(fd)
	for _, p := range []string{"a/deny/b", "a/deny"} {
		if err := os.Chmod(filepath.Join(dir, p), 0); err != nil {
			t.Fatal(err)
		}
	}
	ordinary(t)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	few := old
	few.Cur = min(old.Cur, 100)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &old) }()
	if err := os.RemoveAll(filepath.Join(dir, "a")); err == nil {
		t.Error("os.RemoveAll manages folders that deny all: this test proves nothing")
	}
	if err := os.RemoveAll(filepath.Join(dir, "d")); err == nil {
		t.Error("os.RemoveAll manages folders as deep: this test proves nothing")
	}
	if err := RemoveTree(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// ordinary takes from the test's thread, which ends with it, the right to pass
// over what files' modes say, as no one but root has it.
func ordinary(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	if err := unix.Capset(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
}
