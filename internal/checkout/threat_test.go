package checkout_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// TestThreat_TokenStaysInTheHeader looks for the token, plain and encoded,
// everywhere that a fetch leaves a trace: the cache, the work tree, command
// lines and environments of all processes, URLs, errors.
func TestThreat_TokenStaysInTheHeader(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	needles := []string{token, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token)), strings.ReplaceAll(token, "/", "%2F")}
	find := func(where string, text []byte) {
		for _, n := range needles {
			if bytes.Contains(text, []byte(n)) {
				t.Errorf("the token stands in %s", where)
			}
		}
	}
	cache, dir := t.TempDir(), t.TempDir()
	var mu sync.Mutex
	sawHeader, scanned := false, 0
	o.play(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		mu.Lock()
		if _, pass, ok := r.BasicAuth(); ok && pass == token {
			sawHeader = true
		}
		find("the URL", []byte(r.URL.String()))
		// While the fetch runs, so that a child would be seen.
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, p := range lines {
			if text, err := os.ReadFile(p); err == nil { // the process may have ended
				find(p, text)
				scanned++
			}
		}
		mu.Unlock()
		next(w, r)
	})
	store := checkout.New(cache, checkout.Options{})
	if _, err := store.Tree(t.Context(), o.source(), pullRefs, head, filepath.Join(dir, "tree")); err != nil {
		t.Fatal(err)
	}
	if !sawHeader {
		t.Error("the server never saw the token: this test proves nothing")
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil && scanned == 0 {
		t.Error("no command line was looked at")
	}
	files := 0
	for _, root := range []string{cache, dir} {
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			text, err := os.ReadFile(p)
			find(p, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 30 {
		t.Errorf("only %d files were looked at", files)
	}

	// A server that says back what it was told.
	o.play(func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "bad token %s in %s", token, r.Header.Get("Authorization"))
	})
	_, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), o.source(), nil, head, filepath.Join(dir, "x"))
	if err == nil {
		t.Fatal("no error")
	}
	find("the error", []byte(fmt.Sprintf("%v %+v %q", err, err, errs.Sentence(err))))
}

func TestThreat_CredentialsInURLAreRefusedAndNotRepeated(t *testing.T) {
	token := strings.ReplaceAll(token, "/", "_") // a slash would end the host
	for _, url := range []string{
		"https://x-access-token:" + token + "@github.example/o/r.git",
		"https://" + token + "@github.example/o/r.git",
		"https://x:" + token + "@[::bad/o/r.git", // does not parse
	} {
		_, err := checkout.New(t.TempDir(), checkout.Options{}).File(t.Context(), checkout.Source{RepoID: 1, URL: url}, strings.Repeat("a", 40), "f")
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%v is not refused", err)
		}
		if strings.Contains(err.Error(), token) {
			t.Errorf("the error repeats the token: %v", err)
		}
	}
}

// TestThreat_RedirectDoesNotCarryTheToken has the server send the client to
// another one, which must not be shown the token.
func TestThreat_RedirectDoesNotCarryTheToken(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	var mu sync.Mutex
	var got []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprint(r.Header, r.URL))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer thief.Close()
	o.play(func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		http.Redirect(w, r, thief.URL+r.URL.String(), http.StatusFound)
	})
	_, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), o.source(), nil, head, filepath.Join(t.TempDir(), "t"))
	if err == nil {
		t.Error("no error")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) == 0 {
		t.Error("the redirect was not followed: this test proves nothing")
	}
	for _, r := range got {
		if strings.Contains(r, "Authorization") {
			t.Errorf("the other server was sent %s", r)
		}
	}
}

// TestGitHub26_RenamedRepositoryIsStillFetched has the old name answer with a
// redirect on the same host, as GitHub does.
func TestGitHub26_RenamedRepositoryIsStillFetched(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	o.play(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		if rest, old := strings.CutPrefix(r.URL.Path, "/o/former.git"); old {
			http.Redirect(w, r, "/o/r.git"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
			return
		}
		next(w, r)
	})
	src := o.source()
	src.URL = o.srv.URL + "/o/former.git"
	if _, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), src, pullRefs, head, filepath.Join(t.TempDir(), "t")); err != nil {
		t.Error(err)
	}
}

// TestFault21_EveryFetchAsksForAToken: tokens expire, so none is kept.
func TestFault21_EveryFetchAsksForAToken(t *testing.T) {
	o := newOrigin(t)
	base, head := o.small()
	asked := 0
	src := o.source()
	src.Auth = func(context.Context) (redact.Secret, error) { asked++; return redact.NewSecret(token), nil }
	store := checkout.New(t.TempDir(), checkout.Options{})
	for i, sha := range []string{base, base, head, head} {
		if _, err := store.TreeHash(t.Context(), src, sha, ""); err != nil {
			t.Fatal(err)
		}
		if want := i/2 + 1; asked != want {
			t.Errorf("after call %d the token was asked for %d times, want %d", i, asked, want)
		}
	}
	src.Auth = func(context.Context) (redact.Secret, error) {
		return redact.Secret{}, errs.New(errs.Forbidden, "The App is suspended.")
	}
	_, err := store.TreeHash(t.Context(), src, strings.Repeat("0a", 20), "")
	wantKind(t, err, errs.Forbidden, "suspended")
}

// TestThreat_HostileTreesAreRefused commits what git's own commands would not,
// and looks that nothing was written, inside or outside.
func TestThreat_HostileTreesAreRefused(t *testing.T) {
	o := newOrigin(t)
	file := o.blob("resource \"x\" \"y\" {}\n")
	link := func(target string) string { return o.blob(target) }
	sub := o.treeOf("100644 blob " + file + "\tf.tf")
	entry := func(mode, kind, hash, name string) string { return mode + " " + kind + " " + hash + "\t" + name }
	symlink := func(target, name string) string { return entry("120000", "blob", link(target), name) }
	nest := func(names []string, lines ...string) string {
		tree := o.treeOf(lines...)
		for i := len(names) - 1; i >= 0; i-- {
			tree = o.treeOf(entry("040000", "tree", tree, names[i]))
		}
		return tree
	}
	deep := make([]string, 200)
	for i := range deep {
		deep[i] = "d"
	}
	long := make([]string, 100)
	for i := range long {
		long[i] = strings.Repeat("n", 250)
	}
	var many []string
	for i := range 300 {
		many = append(many, entry("100644", "blob", file, fmt.Sprint("f", i)))
	}
	for name, c := range map[string]struct {
		tree string
		kind errs.Kind
		says string
	}{
		"link along a long way":  {o.treeOf(symlink(strings.Repeat("a/", 3000), "l")), errs.Invalid, "no path"},
		"paths without end":      {nest(long, many...), errs.TooLarge, "MiB together"},
		"absolute link":          {o.treeOf(symlink("/etc/passwd", "l")), errs.Invalid, `"l" (to "/etc/passwd") leads out`},
		"link up":                {o.treeOf(symlink("../x", "l")), errs.Invalid, "leads out"},
		"link up from a folder":  {nest([]string{"a", "b"}, symlink("../../../x", "l")), errs.Invalid, `"a/b/l"`},
		"link in and out":        {o.treeOf(symlink("a/../../x", "l")), errs.Invalid, "leads out"},
		"link out through links": {o.treeOf(entry("040000", "tree", o.treeOf(symlink("..", "up"), entry("040000", "tree", o.treeOf(symlink("../up/../x", "l")), "e")), "d")), errs.Invalid, `"d/e/l"`},
		"links in a circle":      {o.treeOf(symlink("b", "a"), symlink("a", "b")), errs.Invalid, "circle"},
		"link to itself":         {o.treeOf(symlink("a/x", "a")), errs.Invalid, "circle"},
		"empty link":             {o.treeOf(symlink("", "a")), errs.Invalid, "no path"},
		"dot dot":                {nest([]string{".."}, entry("100644", "blob", file, "f")), errs.Invalid, "not a name"},
		"dot":                    {o.treeOf(entry("100644", "blob", file, ".")), errs.Invalid, "not a name"},
		"git folder":             {nest([]string{".git", "hooks"}, entry("100755", "blob", file, "pre-commit")), errs.Invalid, "git's own folder"},
		"git folder, folded":     {nest([]string{"m", ".GiT"}, entry("100644", "blob", file, "config")), errs.Invalid, "git's own folder"},
		"long name":              {o.treeOf(entry("100644", "blob", file, strings.Repeat("n", 300))), errs.Invalid, "255"},
		"too deep":               {nest(deep, entry("100644", "blob", file, "f")), errs.TooLarge, "deep"},
		"tree bomb": {func() string {
			tree := sub
			for range 8 {
				var lines []string
				for i := range 12 {
					lines = append(lines, entry("040000", "tree", tree, fmt.Sprint("d", i)))
				}
				tree = o.treeOf(lines...)
			}
			return tree
		}(), errs.TooLarge, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			sha := o.commitTree(c.tree)
			outer := t.TempDir()
			into := filepath.Join(outer, "runs", "tree")
			store := checkout.New(t.TempDir(), checkout.Options{MaxFiles: 20_000})
			_, err := store.Tree(t.Context(), o.source(), nil, sha, into)
			wantKind(t, err, c.kind, c.says)
			for p := range read(t, outer) {
				if p != "." && p != "runs" {
					t.Errorf("%s was written", p)
				}
			}
		})
	}
}

// TestThreat_ComparingATreeBombEnds: folders that hold each other again and
// again, and no file at all, are as many as one likes and nothing to tell of.
func TestThreat_ComparingATreeBombEnds(t *testing.T) {
	o := newOrigin(t)
	tree := o.git("hash-object", "-t", "tree", "-w", os.DevNull)
	empty := o.commitTree(tree)
	for range 9 {
		var lines []string
		for i := range 12 {
			lines = append(lines, fmt.Sprintf("040000 tree %s\td%d", tree, i))
		}
		tree = o.treeOf(lines...)
	}
	bomb := o.git("commit-tree", "-m", "made", "-p", empty, tree)
	o.push(bomb, "refs/heads/made")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := checkout.New(t.TempDir(), checkout.Options{MaxFiles: 20_000}).Changed(ctx, o.source(), empty, bomb)
	wantKind(t, err, errs.TooLarge, "more than")
}
