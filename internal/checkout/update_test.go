package checkout_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/checkout"
)

// snapshot is what a commit is made of: the content by path, where a path that
// ends in @ is a link and one that ends in * is an executable.
type snapshot map[string]string

// imported commits the snapshots, each under a branch of its own, and returns
// their hashes.
func (o *origin) imported(all ...snapshot) []string {
	o.t.Helper()
	var in bytes.Buffer
	for i, s := range all {
		fmt.Fprintf(&in, "commit refs/heads/s%d\ncommitter Ada <ada@example.com> %d +0000\ndata 1\nx\ndeleteall\n", i, 1_700_000_000+i)
		for _, p := range slices.Sorted(maps.Keys(s)) {
			name, mode := p, "100644"
			if base, ok := strings.CutSuffix(p, "@"); ok {
				name, mode = base, "120000"
			} else if base, ok := strings.CutSuffix(p, "*"); ok {
				name, mode = base, "100755"
			}
			fmt.Fprintf(&in, "M %s inline %s\ndata %d\n%s\n", mode, name, len(s[p]), s[p])
		}
	}
	cmd := exec.Command("git", "fast-import", "--quiet", "--force")
	cmd.Dir, cmd.Env, cmd.Stdin = o.bare, o.env(), &in
	if out, err := cmd.CombinedOutput(); err != nil {
		o.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	var shas []string
	for i := range all {
		shas = append(shas, o.runIn(o.bare, "rev-parse", fmt.Sprintf("refs/heads/s%d", i)))
	}
	return shas
}

// exactly returns all that stands in a folder, with kinds, rights and contents.
func exactly(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		got[rel] = info.Mode().String()
		switch {
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(p)
			got[rel] += " → " + target
			return err
		case d.Type() == 0:
			content, err := os.ReadFile(p)
			got[rel] += " " + string(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// randomSnapshot has paths of a small set, so that from one to the next files
// become folders, links and executables, and names differ by case alone.
func randomSnapshot(r *rand.Rand) snapshot {
	names := []string{"a", "A", "b", "c.tf", "d"}
	s := snapshot{}
	taken := map[string]bool{} // by folders and by files
	for range 4 + r.IntN(20) {
		p := ""
		for range 1 + r.IntN(3) {
			p = strings.TrimPrefix(p+"/"+names[r.IntN(len(names))], "/")
		}
		if taken[p] {
			continue
		}
		above, free := p, true
		for above != "." {
			above = filepath.Dir(above)
			for _, end := range []string{"", "@", "*"} {
				if _, ok := s[above+end]; ok {
					free = false
				}
			}
		}
		if !free {
			continue
		}
		for above = p; above != "."; above = filepath.Dir(above) {
			taken[above] = true
		}
		switch r.IntN(6) {
		case 0:
			s[p+"@"] = []string{".", "nothing", "./nothing"}[r.IntN(3)] // inside, and never round
		case 1:
			s[p+"*"] = fmt.Sprintf("# %d\n", r.IntN(3))
		default:
			s[p] = fmt.Sprintf("# %d\n", r.IntN(3))
		}
	}
	return s
}

// tamper does to a tree one of the things that a run can.
func tamper(t *testing.T, r *rand.Rand, dir, outside string) string {
	t.Helper()
	var paths []string
	_ = filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err == nil && p != dir {
			paths = append(paths, p)
		}
		return nil
	})
	if len(paths) == 0 {
		paths = []string{filepath.Join(dir, "new")}
	}
	pick := func() string { return paths[r.IntN(len(paths))] }
	p, q := pick(), pick()
	info, err := os.Lstat(p)
	regular := err == nil && info.Mode().IsRegular()
	var did string
	do := func(what string, steps ...error) { did = what + " " + p; _ = errors.Join(steps...) } // what can't be done does no harm
	switch r.IntN(16) {
	case 0: // the most cunning one
		if regular {
			content, _ := os.ReadFile(p)
			for i := range content {
				content[i] ^= 1
			}
			do("rewrite, times put back", os.WriteFile(p, content, 0o644), os.Chtimes(p, time.Time{}, info.ModTime()))
		}
	case 1:
		if regular {
			do("append", os.WriteFile(p, []byte("# altered\n"), 0o644))
		}
	case 2:
		do("remove", os.RemoveAll(p))
	case 3:
		do("add", os.WriteFile(filepath.Join(filepath.Dir(p), "added"), []byte("x"), 0o600))
	case 4:
		do("link out", os.RemoveAll(p), os.Symlink(outside, p))
	case 5:
		do("link to a file outside", os.RemoveAll(p), os.Symlink(filepath.Join(outside, "canary"), p))
	case 6:
		do("swap", os.Rename(p, p+".swap"), os.Rename(q, p), os.Rename(p+".swap", q))
	case 7:
		if err == nil && info.Mode()&fs.ModeSymlink == 0 { // or it would be done to what the link leads to
			do("rights", os.Chmod(p, fs.FileMode(r.IntN(0o1000))))
		}
	case 8:
		do("second name", os.Link(p, filepath.Join(outside, fmt.Sprint("l", r.Uint64()))))
	case 9:
		other := filepath.Join(outside, "other") // not the canary, which the next one to tamper would change by this name
		do("first name outside", os.WriteFile(other, []byte("# 1\n"), 0o644), os.Remove(p), os.Link(other, p))
	case 10:
		do("pipe", os.RemoveAll(p), unix.Mkfifo(p, 0o600))
	case 11:
		do("folder in its place", os.RemoveAll(p), os.MkdirAll(filepath.Join(p, "a", "b"), 0o500))
	case 12:
		do("the record goes", os.Remove(dir+".record"))
	case 13:
		text, _ := os.ReadFile(dir + ".record")
		if len(text) > 0 {
			text[r.IntN(len(text))] ^= 0x10
		}
		do("the record is garbled", os.WriteFile(dir+".record", text, 0o600))
	case 14:
		var content []byte
		if info, err := os.Lstat(q); err == nil && info.Mode().IsRegular() { // a pipe would never answer
			content, _ = os.ReadFile(q)
		}
		do("copied over", os.Remove(p), os.WriteFile(p, content, 0o644))
	case 15: // through links too: times are nobody's to compare
		do("touch", os.Chtimes(p, time.Unix(1, 0), time.Unix(1, 0)))
	}
	return did
}

// TestThreat_UpdateIsAFreshTree brings one tree from commit to commit, with
// whatever runs do to it in between, and compares it with one that is written
// anew.
func TestThreat_UpdateIsAFreshTree(t *testing.T) {
	o := newOrigin(t)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	var snapshots []snapshot
	for range 12 {
		snapshots = append(snapshots, randomSnapshot(r))
	}
	shas := o.imported(snapshots...)
	store := checkout.New(t.TempDir(), checkout.Options{})
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "canary"), []byte("unharmed"), 0o640); err != nil {
		t.Fatal(err)
	}
	fresh := map[string]map[string]string{}
	notes := map[string]checkout.Notes{}
	for i, sha := range shas {
		into := filepath.Join(t.TempDir(), "tree")
		n, err := store.Tree(t.Context(), o.source(), nil, sha, into)
		if err != nil {
			t.Fatalf("%v: %v", snapshots[i], err)
		}
		fresh[sha], notes[sha] = exactly(t, into), n
	}
	dir := filepath.Join(t.TempDir(), "deep", "tree")
	for round := range 150 {
		sha := shas[r.IntN(len(shas))]
		var did []string
		for range r.IntN(4) {
			did = append(did, tamper(t, r, dir, outside))
		}
		got, err := store.Update(t.Context(), o.source(), nil, sha, dir, nil)
		if err != nil {
			t.Fatalf("round %d, after %q: %v", round, did, err)
		}
		if diff := cmp.Diff(fresh[sha], exactly(t, dir)); diff != "" {
			t.Fatalf("round %d, after %q (-fresh +updated):\n%s", round, did, diff)
		}
		if diff := cmp.Diff(notes[sha], got.Notes); diff != "" {
			t.Fatalf("round %d, notes after %q (-fresh +updated):\n%s", round, did, diff)
		}
		beside, err := os.ReadDir(filepath.Dir(dir))
		if err != nil || len(beside) != 2 {
			t.Fatalf("round %d: beside the tree stand %v, %v; want its record alone", round, beside, err)
		}
	}
	if content, err := os.ReadFile(filepath.Join(outside, "canary")); err != nil || string(content) != "unharmed" {
		t.Errorf("what stands outside was changed: %q, %v", content, err)
	}
	if info, err := os.Stat(filepath.Join(outside, "canary")); err != nil || info.Mode() != 0o640 {
		t.Errorf("the rights of what stands outside were changed: %v, %v", info.Mode(), err)
	}
}

// TestUpdateWritesOnlyWhatDiffers counts, with nobody tampering.
func TestUpdateWritesOnlyWhatDiffers(t *testing.T) {
	o := newOrigin(t)
	base, head := o.small()
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := filepath.Join(t.TempDir(), "tree")
	update := func(sha string, written, removed int) {
		t.Helper()
		got, err := store.Update(t.Context(), o.source(), pullRefs, sha, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Files != 29 || got.Written != written || got.Removed != removed {
			t.Errorf("%d files, %d written, %d removed; want 29, %d, %d", got.Files, got.Written, got.Removed, written, removed)
		}
		wantTree(t, o, sha, dir)
	}
	update(base, 29, 0)
	update(base, 0, 0)
	update(head, 1, 1)
	update(head, 0, 0)
	update(base, 1, 1)
	if err := os.Rename(filepath.Join(dir, "envs"), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	update(base, 27, 1)
	if err := checkout.RemoveTree(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 0 {
		t.Errorf("RemoveTree left %v, %v", left, err)
	}
	if _, err := store.Tree(t.Context(), o.source(), pullRefs, base, dir); err != nil {
		t.Fatal(err)
	}
	update(base, 29, 29) // nobody knows what Tree wrote
}

// TestThreat_ChangeWithinATick changes a file at once after it was written, with
// the size and the times that it had.
func TestThreat_ChangeWithinATick(t *testing.T) {
	o := newOrigin(t)
	sha := o.imported(snapshot{"f": "# good\n"})[0]
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := filepath.Join(t.TempDir(), "tree")
	for range 200 {
		if _, err := store.Update(t.Context(), o.source(), nil, sha, dir, nil); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "f")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(file); err != nil || string(content) != "# good\n" {
			t.Fatalf("the file has %q, %v", content, err)
		}
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt([]byte("# evil\n"), 0)
		if err := errors.Join(err, f.Close(), os.Chtimes(file, info.ModTime(), info.ModTime())); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUpdateKeeps leaves what the caller wants left, where the commit has the
// folder that it stands in.
func TestUpdateKeeps(t *testing.T) {
	o := newOrigin(t)
	shas := o.imported(
		snapshot{"live/a/main.tf": "1", "live/b/main.tf": "1", "live/c/main.tf": "1"},
		snapshot{"live/a/main.tf": "2", "live/c/main.tf": "2", "live/c/.terraform": "a file"},
	)
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := filepath.Join(t.TempDir(), "tree")
	keep := func(p string) bool {
		return filepath.Base(p) == ".terraform" || filepath.Base(p) == ".terraform.lock.hcl"
	}
	if _, err := store.Update(t.Context(), o.source(), nil, shas[0], dir, keep); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"live/a/.terraform/modules/m.json", "live/b/.terraform/x", "live/c/.terraform/x", "live/a/plan.out", "live/a/.terraform.lock.hcl"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte("left"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "live/c/.terraform.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	got, err := store.Update(t.Context(), o.source(), nil, shas[1], dir, keep)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"live/a/main.tf": "2", "live/c/main.tf": "2", "live/c/.terraform": "a file", // the commit's own goes before
		"live/a/.terraform/modules/m.json": "left", "live/a/.terraform.lock.hcl": "left", // and a link is never kept
	}
	if diff := cmp.Diff(want, read(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Files != 3 {
		t.Errorf("%d files are counted, want the commit's 3", got.Files)
	}
}

// TestUpdateRefusesWhatTreeRefuses leaves the tree as it is.
func TestThreat_UpdateRefusesWhatTreeRefuses(t *testing.T) {
	o := newOrigin(t)
	good := o.imported(snapshot{"main.tf": "# good\n"})[0]
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := filepath.Join(t.TempDir(), "tree")
	if _, err := store.Update(t.Context(), o.source(), nil, good, dir, nil); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"out": "../etc/passwd", "far": "/etc/passwd", "round": "round"} {
		sha := o.commitTree(o.treeOf("120000 blob " + o.blob(target) + "\t" + link))
		_, err := store.Update(t.Context(), o.source(), []string{"made"}, sha, dir, nil)
		if err == nil || !strings.Contains(err.Error(), link) {
			t.Errorf("%s: %v", link, err)
		}
	}
	if got := read(t, dir); got["main.tf"] != "# good\n" || len(got) != 1 {
		t.Errorf("the tree is now %v", got)
	}
}
