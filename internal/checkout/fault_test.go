package checkout_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/redact"
)

// The child of TestFault03: a process of its own that checks out until it is
// killed. It is told what to do by its environment.
func TestMain(m *testing.M) {
	if url := os.Getenv("CHECKOUT_TEST_CHILD_URL"); url != "" {
		src := checkout.Source{RepoID: 77, URL: url, Auth: func(context.Context) (redact.Secret, error) {
			return redact.NewSecret(token), nil
		}}
		store := checkout.New(os.Getenv("CHECKOUT_TEST_CHILD_CACHE"), checkout.Options{})
		sha, into := os.Getenv("CHECKOUT_TEST_CHILD_SHA"), os.Getenv("CHECKOUT_TEST_CHILD_INTO")
		var err error
		if os.Getenv("CHECKOUT_TEST_CHILD_UPDATES") != "" {
			_, err = store.Update(context.Background(), src, nil, sha, into, nil)
		} else {
			_, err = store.Tree(context.Background(), src, nil, sha, into)
		}
		fmt.Println("the child ended by itself:", err)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// TestFault03_KilledFetchLeavesAUsableMirror kills, with SIGKILL, a process
// that has half of a pack, and lets another go on with its cache and folder.
func TestFault03_KilledFetchLeavesAUsableMirror(t *testing.T) {
	for _, when := range []string{"first fetch", "second fetch"} {
		t.Run(when, func(t *testing.T) {
			o := newOrigin(t)
			base, head := o.small()
			cache, into := t.TempDir(), filepath.Join(t.TempDir(), "tree")
			if when == "second fetch" {
				if _, err := checkout.New(cache, checkout.Options{}).File(t.Context(), o.source(), base, "README.md"); err != nil {
					t.Fatal(err)
				}
			}
			half := make(chan struct{})
			o.play(func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
				if !strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
					next(w, r)
					return
				}
				whole := httptest.NewRecorder()
				next(whole, r)
				body := whole.Body.Bytes()
				w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
				_, _ = w.Write(body[:len(body)/2])
				w.(http.Flusher).Flush()
				close(half)
				<-r.Context().Done() // the rest never comes
			})
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "CHECKOUT_TEST_CHILD_URL="+o.url(), "CHECKOUT_TEST_CHILD_CACHE="+cache,
				"CHECKOUT_TEST_CHILD_SHA="+head, "CHECKOUT_TEST_CHILD_INTO="+into)
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			<-half
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if text, _ := io.ReadAll(out); len(text) > 0 {
				t.Fatalf("%s", text)
			}
			_ = child.Wait() // killed

			if _, err := os.Stat(into); err == nil {
				t.Error("the killed process left a work tree")
			}
			o.play(nil)
			if _, err := checkout.New(cache, checkout.Options{}).Tree(t.Context(), o.source(), pullRefs, head, into); err != nil {
				t.Fatal(err)
			}
			wantTree(t, o, head, into)
			o.runIn(filepath.Join(cache, "77.git"), "fsck", "--strict", head)
		})
	}
}

// wantTree compares a folder with git's own checkout of the commit.
func wantTree(t *testing.T, o *origin, sha, dir string) {
	t.Helper()
	ref := filepath.Join(t.TempDir(), "ref")
	o.git("worktree", "add", "-q", "--detach", ref, sha)
	if err := os.Remove(filepath.Join(ref, ".git")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(t, ref), read(t, dir)); diff != "" {
		t.Errorf("the work tree (-git +got):\n%s", diff)
	}
}

// TestFault03_DamagedMirrorIsFetchedAnew does to a mirror what a power cut, a
// full disk or a kill at the worst moment can.
func TestFault03_DamagedMirrorIsFetchedAnew(t *testing.T) {
	each := func(pattern string, do func(path string) error) func(t *testing.T, mirror string) {
		return func(t *testing.T, mirror string) {
			paths, err := filepath.Glob(filepath.Join(mirror, pattern))
			if err != nil || len(paths) == 0 {
				t.Fatalf("nothing matches %s: %v", pattern, err)
			}
			for _, p := range paths {
				if err := do(p); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	o := newOrigin(t)
	base, head := o.small()
	halve := func(p string) error {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		return os.Truncate(p, info.Size()/2)
	}
	flip := func(p string) error {
		content, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for i := len(content) / 4; i < len(content)-20; i += 64 {
			content[i] ^= 0xff
		}
		return os.WriteFile(p, content, 0o600)
	}
	for name, harm := range map[string]func(t *testing.T, mirror string){
		"index half written":     each("objects/pack/*.idx", halve),
		"index empty":            each("objects/pack/*.idx", func(p string) error { return os.Truncate(p, 0) }),
		"index without its pack": each("objects/pack/*.pack", os.Remove),
		"pack without its index": each("objects/pack/*.idx", os.Remove),
		"pack half written":      each("objects/pack/*.pack", halve),
		"pack garbled":           each("objects/pack/*.pack", flip),
		"half an index, no pack": func(t *testing.T, m string) {
			each("objects/pack/*.pack", os.Remove)(t, m)
			each("objects/pack/*.idx", halve)(t, m)
		},
		"tips garbled":              each("tips", func(p string) error { return os.WriteFile(p, []byte("zz\n"+strings.Repeat("ef", 20)), 0o600) }),
		"no HEAD, no configuration": func(t *testing.T, m string) { each("HEAD", os.Remove)(t, m); each("config", os.Remove)(t, m) },
		"folders gone":              each("objects", os.RemoveAll),
	} {
		t.Run(name, func(t *testing.T) {
			cache, dir := t.TempDir(), t.TempDir()
			open := checkout.New(cache, checkout.Options{})
			if _, err := open.Tree(t.Context(), o.source(), nil, base, filepath.Join(dir, "before")); err != nil {
				t.Fatal(err)
			}
			harm(t, filepath.Join(cache, "77.git"))
			// A store that has the mirror open, and one that opens it.
			for i, store := range []*checkout.Store{open, checkout.New(cache, checkout.Options{})} {
				into := filepath.Join(dir, fmt.Sprint(i))
				if _, err := store.Tree(t.Context(), o.source(), pullRefs, head, into); err != nil {
					t.Fatalf("store %d: %v", i, err)
				}
				wantTree(t, o, head, into)
				if _, err := store.Changed(t.Context(), o.source(), base, head); err != nil {
					t.Errorf("store %d: %v", i, err)
				}
			}
			o.runIn(filepath.Join(cache, "77.git"), "fsck", "--strict", head)
		})
	}
}

// TestFault03_LeftPartialTreeIsReplaced starts where a killed attempt left
// half of a work tree.
func TestFault03_LeftPartialTreeIsReplaced(t *testing.T) {
	o := newOrigin(t)
	_, head := o.small()
	into := filepath.Join(t.TempDir(), "tree")
	if err := os.MkdirAll(filepath.Join(into+".partial", "envs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(into+".partial", "left.tf"), []byte("# of the killed one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), o.source(), nil, head, into); err != nil {
		t.Fatal(err)
	}
	wantTree(t, o, head, into)
}

// TestManyPacksBecomeOne fetches past the number of packs that a mirror
// gathers, with work trees made meanwhile.
func TestManyPacksBecomeOne(t *testing.T) {
	o := newOrigin(t)
	base, _ := o.small()
	cache, dir := t.TempDir(), t.TempDir()
	store := checkout.New(cache, checkout.Options{MaxPacks: 3})
	for i := range 8 {
		o.write(map[string]string{"envs/dev/part1.tf": fmt.Sprintf("# %d\n", i)})
		head := o.commit("more", "refs/pull/7/head")
		into := filepath.Join(dir, fmt.Sprint(i))
		if _, err := store.Tree(t.Context(), o.source(), pullRefs, head, into); err != nil {
			t.Fatal(err)
		}
		wantTree(t, o, head, into)
		if got, err := store.Changed(t.Context(), o.source(), base, head); err != nil || len(got) != 2 {
			t.Errorf("Changed = %v, %v", got, err)
		}
		packs, _ := filepath.Glob(filepath.Join(cache, "77.git/objects/pack/*.pack"))
		if len(packs) > 3 {
			t.Errorf("%d packs", len(packs))
		}
		o.runIn(filepath.Join(cache, "77.git"), "fsck", "--strict", head)
	}
}
