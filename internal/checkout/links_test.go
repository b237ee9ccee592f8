package checkout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestFollowLink(t *testing.T) {
	long := map[string]string{}
	for i := range 45 {
		long["l"+strings.Repeat("x", i)] = "l" + strings.Repeat("x", i+1)
	}
	for name, c := range map[string]struct {
		links map[string]string
		link  string
		want  string // part of what is wrong, "" for nothing
	}{
		"beside":               {map[string]string{"a/l": "b"}, "a/l", ""},
		"up and down":          {map[string]string{"a/b/l": "../../c/d"}, "a/b/l", ""},
		"to the root":          {map[string]string{"a/l": ".."}, "a/l", ""},
		"dots and slashes":     {map[string]string{"a/l": ".//./../b/"}, "a/l", ""},
		"name begins with ..":  {map[string]string{"l": "..a/b"}, "l", ""},
		"through another":      {map[string]string{"a/l": "../m/x", "m": "a/b"}, "a/l", ""},
		"above the root":       {map[string]string{"a/l": "../.."}, "a/l", "out"},
		"lexically inside":     {map[string]string{"a/up": "..", "a/b/l": "../up/../x"}, "a/b/l", "out"},
		"lexically outside":    {map[string]string{"l": "m/../../x", "m": "a/b/c"}, "l", ""},
		"absolute through two": {map[string]string{"l": "m", "m": "n", "n": "/"}, "l", "out"},
		"circle":               {map[string]string{"l": "m/x", "m": "l"}, "l", "circle"},
		"a long way":           {long, "l", "circle"},
		"zero byte":            {map[string]string{"l": "a\x00b"}, "l", "no path"},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := newFollower(c.links).follow(c.link, 0)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("follow = %q, want %q", got, c.want)
			}
		})
	}
}

// TestThreat_LongLinksAreLookedAtInTime: a pull request can have one long link
// under many thousand names, each of which leads through others.
func TestThreat_LongLinksAreLookedAtInTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	links := map[string]string{}
	for i := range 3_000 {
		links[fmt.Sprint("plain", i)] = strings.Repeat("a/", 2000) + "a"
		links[fmt.Sprint("back", i)] = strings.Repeat("b/../", 800)
		links[fmt.Sprint("through", i)] = "hop0"
	}
	for i := range 38 {
		links[fmt.Sprint("hop", i)] = strings.Repeat("b/../", 800) + fmt.Sprint("hop", i+1)
	}
	if err := checkLinks(ctx, links); err != nil {
		t.Error(err)
	}
}

// FuzzThreat_FollowLinkAgreesWithTheKernel makes the links for real, in a
// folder that stands deep enough for every "..", and asks os.Root.
func FuzzThreat_FollowLinkAgreesWithTheKernel(f *testing.F) {
	f.Add("b", "../c", "a/../../..")
	f.Add("../../x", "/etc", "a/m")
	f.Add("up/../x", "..", "a/m/../..")
	f.Fuzz(func(t *testing.T, l, m, n string) {
		links := map[string]string{"a/b/l": l, "a/m": m, "n": n}
		for _, target := range links {
			if target == "" || strings.ContainsRune(target, 0) || len(target) > 200 {
				t.Skip()
			}
		}
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := root.MkdirAll("a/b", 0o755); err != nil {
			t.Fatal(err)
		}
		for p, target := range links {
			if err := root.Symlink(target, p); err != nil {
				t.Skip()
			}
		}
		for p := range links {
			_, err := root.Stat(p)
			escapes := err != nil && strings.Contains(err.Error(), "escapes")
			if _, reason := newFollower(links).follow(p, 0); escapes && reason == "" {
				t.Errorf("%q leads out (%v) and is allowed; links %q", p, err, links)
			}
		}
	})
}

// TestClashOfCase plays a file system that can't tell two names apart: it
// says of the second that it is there already.
func TestClashOfCase(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.WriteFile("Main.tf", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, exists := root.OpenFile("Main.tf", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if !errors.Is(exists, fs.ErrExist) {
		t.Fatal(exists)
	}
	err = clash(exists, "main.tf")
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.Sentence(err), `"main.tf"`) {
		t.Errorf("got %v", err)
	}
}

// TestAbandonedTemporaryFilesGo: old ones are deleted when the mirror is
// opened, young ones may be another process's.
func TestAbandonedTemporaryFilesGo(t *testing.T) {
	m := newMirror(filepath.Join(t.TempDir(), "1.git"))
	if _, err := m.view(); err != nil {
		t.Fatal(err)
	}
	young, old := filepath.Join(m.packDir(), "tmp_pack_1"), filepath.Join(m.packDir(), "tmp_pack_2")
	for _, p := range []string{young, old} {
		if err := os.WriteFile(p, []byte("PACK"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(old)
	if err != nil {
		t.Fatal(err)
	}
	before := info.ModTime().Add(-2 * abandonedAfter)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	if _, err := newMirror(m.dir).view(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young one: %v", err)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old one: %v", err)
	}
}

// TestIndexersAgree gives the same packs to both ways of indexing, a broken
// one among them.
func TestIndexersAgree(t *testing.T) {
	git := gitBinary()
	if git == "" {
		t.Skip("skipped: no git binary here, which this test compares with")
	}
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(git, args...)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q", "-b", "main")
	text := ""
	for i := range 40 { // versions that deltas are made of
		text += strings.Repeat("line of the version\n", 20) + strings.Repeat("x", i) + "\n"
		if err := os.WriteFile(filepath.Join(dir, "f.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		run("add", "f.tf")
		run("commit", "-q", "-m", "c")
	}
	run("repack", "-q", "-a", "-d")
	packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	encoded := func(i indexer) string {
		t.Helper()
		idx, err := i.index(t.Context(), packs[0])
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if _, err := idxfile.NewEncoder(&b).Encode(idx); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if a, b := encoded(goIndexer{}), encoded(gitIndexer{git}); a != b || a == "" {
		t.Error("the two indexes differ")
	}
	content, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	content[len(content)/2] ^= 0x40
	if err := os.WriteFile(broken, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, i := range []indexer{goIndexer{}, gitIndexer{git}} {
		if _, err := i.index(t.Context(), broken); err == nil {
			t.Errorf("%T takes a broken pack", i)
		}
	}
	if left, _ := filepath.Glob(broken + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
