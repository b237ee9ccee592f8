package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
)

var pullRefs = []string{"refs/pull/7/head", "main"}

// read returns a folder's files by path; links as "→ target", executables with
// "+x " before their content, empty folders as "folder".
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		switch {
		case d.IsDir():
			if left, err := os.ReadDir(p); err == nil && len(left) == 0 {
				got[rel] = "folder"
			}
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			got[rel] = "→ " + target
		default:
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			got[rel] = string(content)
			if info.Mode()&0o100 != 0 {
				got[rel] = "+x " + got[rel]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantKind(t *testing.T, err error, kind errs.Kind, says string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", kind)
	}
	if errs.KindOf(err) != kind || !strings.Contains(errs.Sentence(err), says) {
		t.Errorf("error is %v %q (%v), want %v with %q", errs.KindOf(err), errs.Sentence(err), err, kind, says)
	}
}

func TestTreeIsTheCommit(t *testing.T) {
	o := newOrigin(t)
	lfs := "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
	o.write(map[string]string{
		"main.tf": "# root\n", "scripts/run.sh": "#!/bin/sh\n", "modules/vpc/main.tf": "# vpc\n",
		"empty": "", "Größe/ü b.tf": "# names\n", "models/big.bin": lfs, "case/A": "upper", "case/a": "lower",
	})
	if err := os.Chmod(filepath.Join(o.work, "scripts/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"modules/net": "vpc", "scripts/up": "../modules/net/main.tf", "dangling": "modules/not/there",
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

	into := filepath.Join(t.TempDir(), "deep", "tree")
	notes, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), o.source(), pullRefs, sha, into)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"main.tf": "# root\n", "scripts/run.sh": "+x #!/bin/sh\n", "modules/vpc/main.tf": "# vpc\n",
		"empty": "", "Größe/ü b.tf": "# names\n", "models/big.bin": lfs, "case/A": "upper", "case/a": "lower",
		"modules/net": "→ vpc", "scripts/up": "→ ../modules/net/main.tf", "dangling": "→ modules/not/there",
		"vendor/sub": "folder",
	}
	if diff := cmp.Diff(want, read(t, into)); diff != "" {
		t.Errorf("the work tree (-want +got):\n%s", diff)
	}
	bytes := 0
	for _, name := range []string{"main.tf", "modules/vpc/main.tf", "Größe/ü b.tf", "models/big.bin", "case/A", "case/a"} {
		bytes += len(want[name])
	}
	bytes += len("#!/bin/sh\n")
	wantNotes := checkout.Notes{Files: 11, Bytes: int64(bytes), Submodules: []string{"vendor/sub"}, LFS: []string{"models/big.bin"}}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestTreeOfManyFiles goes the parallel way, over several packs and deltas,
// and compares with git's own archive of the commit.
func TestTreeOfManyFiles(t *testing.T) {
	o := newOrigin(t)
	files := map[string]string{}
	for i := range 700 {
		files[fmt.Sprintf("d%02d/e%d/f%03d.tf", i%40, i%3, i)] = strings.Repeat(fmt.Sprintf("# line of %d\n", i%25), 40) + fmt.Sprint(i)
	}
	o.write(files)
	first := o.commit("first", "refs/heads/main")
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := t.TempDir()
	if _, err := store.Tree(t.Context(), o.source(), nil, first, filepath.Join(dir, "1")); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		name := fmt.Sprintf("d%02d/e%d/f%03d.tf", i%40, i%3, i)
		files[name] += "# more\n"
		o.write(map[string]string{name: files[name]})
	}
	second := o.commit("second", "refs/heads/main")
	if _, err := store.Tree(t.Context(), o.source(), nil, second, filepath.Join(dir, "2")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, read(t, filepath.Join(dir, "2"))); diff != "" {
		t.Errorf("the work tree (-want +got):\n%s", diff)
	}
}

func TestSecondUseFetchesNothing(t *testing.T) {
	o := newOrigin(t)
	base, head := o.small()
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := t.TempDir()
	for i := range 3 {
		if _, err := store.Tree(t.Context(), o.source(), pullRefs, head, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Changed(t.Context(), o.source(), base, head); err != nil {
			t.Fatal(err)
		}
	}
	if o.requests() != 2 || o.fetches() != 1 {
		t.Errorf("%d requests with %d fetches, want 2 with 1: %v", o.requests(), o.fetches(), o.calls)
	}
}

// TestBurstSharesFetches asks for forty commits of one repository at once.
func TestBurstSharesFetches(t *testing.T) {
	o := newOrigin(t)
	o.small()
	const n = 40
	shas := make([]string, n)
	for i := range n {
		o.git("checkout", "-q", "--detach", "main")
		o.write(map[string]string{"envs/dev/part0.tf": fmt.Sprintf("# pull %d\n", i)})
		shas[i] = o.commit("pull", fmt.Sprintf("refs/pull/%d/head", i+100))
	}
	// The first fetch is held until all others stand behind it.
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	o.play(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		once.Do(func() { close(entered); <-release })
		next(w, r)
	})
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := t.TempDir()
	failed := make([]error, n)
	var group sync.WaitGroup
	tree := func(i int) {
		group.Go(func() {
			_, failed[i] = store.Tree(t.Context(), o.source(), []string{fmt.Sprintf("refs/pull/%d/head", i+100), "main"}, shas[i], filepath.Join(dir, fmt.Sprint(i)))
		})
	}
	tree(0)
	<-entered
	for i := 1; i < n; i++ {
		tree(i)
	}
	close(release)
	group.Wait()
	for i := range n {
		if failed[i] != nil {
			t.Fatalf("pull %d: %v", i, failed[i])
		}
		got, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i), "envs/dev/part0.tf"))
		if want := fmt.Sprintf("# pull %d\n", i); err != nil || string(got) != want {
			t.Errorf("pull %d has %q (%v), want %q", i, got, err, want)
		}
	}
	// How many callers stand behind the first is up to the scheduler, so the
	// bound is loose; without sharing it would be one fetch for each.
	if o.fetches() > n/4 {
		t.Errorf("%d fetches for %d commits", o.fetches(), n)
	}
	t.Logf("%d fetches for %d commits", o.fetches(), n)
}

// TestLeaverTakesNobodyAlong cancels the caller that runs a shared fetch.
func TestLeaverTakesNobodyAlong(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	ctx, cancel := context.WithCancel(t.Context())
	entered := make(chan struct{})
	var once sync.Once
	o.play(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(entered)
			<-r.Context().Done() // hangs until the caller leaves
			return
		}
		next(w, r)
	})
	store := checkout.New(t.TempDir(), checkout.Options{})
	dir := t.TempDir()
	var group sync.WaitGroup
	var left, stayed error
	group.Go(func() { _, left = store.Tree(ctx, o.source(), pullRefs, head, filepath.Join(dir, "a")) })
	<-entered
	group.Go(func() { _, stayed = store.Tree(t.Context(), o.source(), pullRefs, head, filepath.Join(dir, "b")) })
	cancel()
	group.Wait()
	if !errors.Is(left, context.Canceled) || errs.KindOf(left) != errs.Canceled {
		t.Errorf("who left got %v", left)
	}
	if stayed != nil {
		t.Errorf("who stayed got %v", stayed)
	}
}

func TestChanged(t *testing.T) {
	o := newOrigin(t)
	o.write(map[string]string{"a.tf": "# a\n", "old/name.tf": "# long enough to be seen as renamed\n", "same/x.tf": "x", "kind": "file", "run.sh": "x"})
	fork := o.commit("fork", "refs/heads/main")
	o.git("checkout", "-q", "-b", "topic")
	o.git("mv", "old/name.tf", "new.tf")
	o.git("rm", "-q", "kind")
	o.write(map[string]string{"a.tf": "# changed\n", "kind/now/folder.tf": "# f\n", "added/b.tf": "# b\n"})
	if err := os.Chmod(filepath.Join(o.work, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	head := o.commit("topic", "refs/pull/7/head")
	o.git("checkout", "-q", "main")
	o.write(map[string]string{"only-on-main.tf": "# m\n"})
	base := o.commit("main moved", "refs/heads/main")

	store := checkout.New(t.TempDir(), checkout.Options{})
	got, err := store.Changed(t.Context(), o.source(), base, head)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.tf", "added/b.tf", "kind", "kind/now/folder.tf", "new.tf", "old/name.tf", "run.sh"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if mb, err := store.MergeBase(t.Context(), o.source(), base, head); err != nil || mb != fork {
		t.Errorf("MergeBase = %s, %v; want %s", mb, err, fork)
	}
	if none, err := store.Changed(t.Context(), o.source(), base, base); err != nil || len(none) != 0 {
		t.Errorf("a commit against itself: %v, %v", none, err)
	}
}

// TestMergeBaseAgreesWithGit builds histories with merges both ways and asks
// git for the answer.
func TestMergeBaseAgreesWithGit(t *testing.T) {
	o := newOrigin(t)
	tree, date := o.treeOf("100644 blob "+o.blob("x")+"\tf"), 1_700_000_000
	commit := func(parents ...string) string {
		date += 60
		o.date = fmt.Sprint(date, " +0000")
		args := []string{"commit-tree", "-m", fmt.Sprint(date)}
		for _, p := range parents {
			args = append(args, "-p", p)
		}
		return o.git(append(args, tree)...)
	}
	root := commit()
	all := []string{root}
	// A fixed pattern of branches and merges, some criss-cross.
	for i := 1; i < 40; i++ {
		a := all[(i*7+3)%len(all)]
		if b := all[(i*5+1)%len(all)]; i%3 == 0 && b != a {
			all = append(all, commit(a, b))
		} else {
			all = append(all, commit(a))
		}
	}
	other := commit()
	push := []string{"push", "-q", "origin"}
	for i, sha := range append(all, other) {
		push = append(push, fmt.Sprintf("%s:refs/heads/b%d", sha, i))
	}
	o.git(push...)
	store := checkout.New(t.TempDir(), checkout.Options{})
	for i := range all {
		a, b := all[i], all[(i*11+17)%len(all)]
		allowed := strings.Fields(o.git("merge-base", "--all", a, b))
		got, err := store.MergeBase(t.Context(), o.source(), a, b)
		if err != nil || !slices.Contains(allowed, got) {
			t.Errorf("MergeBase(%d) = %s, %v; git says %v", i, got, err, allowed)
		}
	}
	_, err := store.MergeBase(t.Context(), o.source(), root, other)
	wantKind(t, err, errs.NotFound, "share no history")
}

func TestFileAndTreeHash(t *testing.T) {
	o := newOrigin(t)
	o.write(map[string]string{"tidelock.hcl": "x = 1\n", "dir/sub/f.tf": "# f\n", "big": strings.Repeat("x", 4<<20+1)})
	if err := os.Symlink("tidelock.hcl", filepath.Join(o.work, "link")); err != nil {
		t.Fatal(err)
	}
	sha := o.commit("files", "refs/heads/main")
	store := checkout.New(t.TempDir(), checkout.Options{})
	file := func(path string) ([]byte, error) { return store.File(t.Context(), o.source(), sha, path) }
	if got, err := file("dir/sub/f.tf"); err != nil || string(got) != "# f\n" {
		t.Errorf("File = %q, %v", got, err)
	}
	for path, want := range map[string]struct {
		kind errs.Kind
		says string
	}{
		"nothing.hcl":     {errs.NotFound, `no "nothing.hcl"`},
		"tidelock.hcl/x":  {errs.NotFound, "tidelock.hcl/x"},
		"dir":             {errs.Invalid, "folder"},
		"link":            {errs.Invalid, "symbolic link"},
		"../tidelock.hcl": {errs.Invalid, "not a path"},
		"/tidelock.hcl":   {errs.Invalid, "not a path"},
		"big":             {errs.TooLarge, "at most"},
	} {
		_, err := file(path)
		t.Run(path, func(t *testing.T) { wantKind(t, err, want.kind, want.says) })
	}
	for path, object := range map[string]string{"": sha + "^{tree}", ".": sha + "^{tree}", "dir": sha + ":dir", "dir/sub/f.tf": sha + ":dir/sub/f.tf"} {
		got, err := store.TreeHash(t.Context(), o.source(), sha, path)
		if want := o.git("rev-parse", object); err != nil || got != want {
			t.Errorf("TreeHash(%q) = %s, %v; want %s", path, got, err, want)
		}
	}
}

// TestOldHeadsAndServersThatHandOutTipsOnly asks for commits that no ref
// points to any more.
func TestOldHeadsAndServersThatHandOutTipsOnly(t *testing.T) {
	o := newOrigin(t)
	base, old := o.small()
	head := o.commit("newer", "refs/pull/7/head")
	dir := t.TempDir()
	if _, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), o.source(), nil, old, filepath.Join(dir, "1")); err != nil {
		t.Errorf("by its hash: %v", err)
	}

	o.runIn(o.bare, "config", "uploadpack.allowAnySHA1InWant", "false")
	store := checkout.New(t.TempDir(), checkout.Options{})
	if _, err := store.Tree(t.Context(), o.source(), pullRefs, old, filepath.Join(dir, "2")); err != nil {
		t.Errorf("through the ref that holds it: %v", err)
	}
	if got, err := store.Changed(t.Context(), o.source(), base, head); err != nil || len(got) != 1 {
		t.Errorf("Changed = %v, %v", got, err)
	}
	_, err := store.Tree(t.Context(), o.source(), pullRefs, strings.Repeat("ab", 20), filepath.Join(dir, "3"))
	wantKind(t, err, errs.NotFound, "force-pushed")
}

// TestGoneCommitSparesTheOthers puts a commit that is gone into one fetch with
// one that is there.
func TestGoneCommitSparesTheOthers(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	gone := strings.Repeat("cd", 20)
	store := checkout.New(t.TempDir(), checkout.Options{})
	_, err := store.Changed(t.Context(), o.source(), gone, head)
	wantKind(t, err, errs.NotFound, gone)
	before := o.requests()
	if _, err := store.Tree(t.Context(), o.source(), nil, head, filepath.Join(t.TempDir(), "t")); err != nil {
		t.Error(err)
	}
	if o.requests() != before {
		t.Error("the commit that was there had not been fetched with the other")
	}
}

func TestRefusals(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	tree := func(t *testing.T, opts checkout.Options, change func(*checkout.Source), refs []string, sha string) error {
		src := o.source()
		if change != nil {
			change(&src)
		}
		into := filepath.Join(t.TempDir(), "tree")
		_, err := checkout.New(t.TempDir(), opts).Tree(t.Context(), src, refs, sha, into)
		if _, statErr := os.Stat(into); err != nil && statErr == nil {
			t.Error("an error left a work tree")
		}
		if left, _ := filepath.Glob(into + "*"); err != nil && len(left) > 0 {
			t.Errorf("an error left %v", left)
		}
		return err
	}
	status := func(code int) func(http.ResponseWriter, *http.Request, http.HandlerFunc) {
		return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		opts   checkout.Options
		change func(*checkout.Source)
		fault  func(http.ResponseWriter, *http.Request, http.HandlerFunc)
		refs   []string
		sha    string
		kind   errs.Kind
		says   string
	}{
		"short hash":        {sha: head[:12], kind: errs.Invalid, says: "full commit hash"},
		"hash as an option": {sha: "--upload-pack=touch x", kind: errs.Invalid, says: "full commit hash"},
		"bad ref":           {refs: []string{"refs/heads/a..b"}, kind: errs.Invalid, says: "name of a branch"},
		"no ID":             {change: func(s *checkout.Source) { s.RepoID = 0 }, kind: errs.Invalid, says: "ID"},
		"file URL":          {change: func(s *checkout.Source) { s.URL = "file://" + o.bare }, kind: errs.Invalid, says: "http"},
		"a path":            {change: func(s *checkout.Source) { s.URL = o.bare }, kind: errs.Invalid, says: "http"},
		"ssh":               {change: func(s *checkout.Source) { s.URL = "git@example.com:o/r.git" }, kind: errs.Invalid, says: "can't be read"},
		"query":             {change: func(s *checkout.Source) { s.URL += "?x=1" }, kind: errs.Invalid, says: "query"},
		"token over http":   {change: func(s *checkout.Source) { s.URL = "http://github.example/o/r.git" }, kind: errs.Invalid, says: "plain http"},
		"no such repo":      {change: func(s *checkout.Source) { s.URL = o.srv.URL + "/o/none.git" }, kind: errs.NotFound, says: "no such repository"},
		"no token":          {change: func(s *checkout.Source) { s.Auth = nil }, kind: errs.Forbidden, says: "401"},
		"forbidden":         {fault: status(403), kind: errs.Forbidden, says: "403"},
		"server error":      {fault: status(502), kind: errs.Unavailable, says: "did not answer"},
		"rate limit":        {fault: status(429), kind: errs.Unavailable, says: "did not answer"},
		"nonsense": {fault: func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
			_, _ = w.Write([]byte("<html>maintenance</html>"))
		}, kind: errs.Unavailable, says: "did not answer"},
		"pack too large":   {opts: checkout.Options{MaxFetch: 1500}, kind: errs.TooLarge, says: "larger than"},
		"too many files":   {opts: checkout.Options{MaxFiles: 5}, kind: errs.TooLarge, says: "more than 5 files"},
		"too many bytes":   {opts: checkout.Options{MaxBytes: 50}, kind: errs.TooLarge, says: "together"},
		"fetch takes long": {opts: checkout.Options{Timeout: 1}, kind: errs.Unavailable, says: "took longer than 1ns"},
	} {
		t.Run(name, func(t *testing.T) {
			o.play(c.fault)
			if c.sha == "" {
				c.sha = head
			}
			wantKind(t, tree(t, c.opts, c.change, c.refs, c.sha), c.kind, c.says)
		})
	}

	t.Run("folder in use", func(t *testing.T) {
		o.play(nil)
		into := t.TempDir()
		if err := os.WriteFile(filepath.Join(into, "mine"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), o.source(), nil, head, into)
		wantKind(t, err, errs.Conflict, "not empty")
	})
	t.Run("empty repository", func(t *testing.T) {
		empty := newOrigin(t)
		_, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), empty.source(), nil, head, filepath.Join(t.TempDir(), "t"))
		wantKind(t, err, errs.NotFound, "no commits")
	})
}

// TestMirrorsComeAndGo uses more repositories than keep their index in memory,
// then forgets one.
func TestMirrorsComeAndGo(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	cache := t.TempDir()
	store := checkout.New(cache, checkout.Options{})
	hash := func(id int64) {
		t.Helper()
		src := o.source()
		src.RepoID = id
		if _, err := store.TreeHash(t.Context(), src, head, ""); err != nil {
			t.Fatal(err)
		}
	}
	for id := int64(1); id <= 40; id++ {
		hash(id)
	}
	before := o.requests()
	hash(1)
	if o.requests() != before {
		t.Error("a mirror that left memory was fetched again")
	}
	if err := store.Forget(1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(cache, "1.git")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mirror is still there: %v", err)
	}
	hash(1)
	if o.requests() == before {
		t.Error("a forgotten mirror answered")
	}
}
