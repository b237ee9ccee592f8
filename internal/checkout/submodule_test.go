package checkout_test

import (
	"bytes"
	"context"
	"errors"
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

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/planner"
)

const netToken = "ghs_token_of_net"

// host is a git host with repositories by their paths, which notes which
// credentials each request brought.
type host struct {
	t     *testing.T
	srv   *httptest.Server
	repos map[string]*origin // "acme/net"
	want  map[string]string  // the password that one asks for; "" for a public one

	mu   sync.Mutex
	sent []string // "acme/net ghs_…"
}

func newHost(t *testing.T, want map[string]string) *host {
	h := &host{t: t, repos: map[string]*origin{}, want: want}
	for name := range want {
		h.repos[name] = newOrigin(t)
	}
	h.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, o := range h.repos {
			rest, ok := strings.CutPrefix(strings.Replace(r.URL.Path, ".git/", "/", 1), "/"+name+"/")
			if !ok {
				continue
			}
			_, pass, _ := r.BasicAuth()
			h.mu.Lock()
			h.sent = append(h.sent, name+" "+pass)
			h.mu.Unlock()
			if pass != h.want[name] {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			r.URL.Path = "/o/r.git/" + rest
			r.SetBasicAuth("x-access-token", token) // what the repository's own server asks for
			o.srv.Config.Handler.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(h.srv.Close)
	return h
}

// source is that of the repository acme/infra, and its installation's.
func (h *host) source() checkout.Source {
	auth := func(token string) func(context.Context) (redact.Secret, error) {
		return func(context.Context) (redact.Secret, error) { return redact.NewSecret(token), nil }
	}
	return checkout.Source{RepoID: 1, URL: h.srv.URL + "/acme/infra.git", Auth: auth(token), Submodules: &checkout.Submodules{
		Scope: "client-1",
		Own: func(_ context.Context, owner, name string) (checkout.Source, bool, error) {
			if owner+"/"+name != "acme/net" {
				return checkout.Source{}, false, nil
			}
			return checkout.Source{RepoID: 2, URL: h.srv.URL + "/acme/net", Auth: auth(netToken)}, true, nil
		},
	}}
}

// link commits submodules into the index: path → commit. Their addresses stand
// in .gitmodules, which is written as it is.
func (o *origin) link(links map[string]string, modules string) {
	o.t.Helper()
	o.write(map[string]string{".gitmodules": modules})
	o.git("add", "-A")
	for at, sha := range links {
		o.git("update-index", "--add", "--cacheinfo", "160000,"+sha+","+at)
	}
}

func (o *origin) committed(ref string) string {
	o.t.Helper()
	o.git("commit", "-q", "--allow-empty", "-m", "c")
	sha := o.git("rev-parse", "HEAD")
	o.push(sha, ref)
	return sha
}

func submodules(addresses map[string]string) string {
	var b strings.Builder
	for at, address := range addresses {
		fmt.Fprintf(&b, "[submodule %q]\n\tpath = %s\n\turl = %s\n", at, at, address)
	}
	return b.String()
}

// family makes acme/infra with acme/net, a private repository, as a submodule
// that has the public base/labels as its own. The second commit of infra has
// another commit of net.
func family(t *testing.T) (h *host, first, second string) {
	h = newHost(t, map[string]string{"acme/infra": token, "acme/net": netToken, "base/labels": ""})
	labels, net, infra := h.repos["base/labels"], h.repos["acme/net"], h.repos["acme/infra"]
	labels.write(map[string]string{"main.tf": "locals {\n  label = \"x\"\n}\n"})
	label := labels.commit("labels", "refs/heads/main")
	net.write(map[string]string{"vpc/main.tf": "module \"labels\" {\n  source = \"../labels\"\n}\n", "vpc/same.tf": "# same\n", "run.sh": "#!/bin/sh\n"})
	net.link(map[string]string{"labels": label}, submodules(map[string]string{"labels": "../../base/labels.git"}))
	old := net.committed("refs/heads/main")
	net.write(map[string]string{"vpc/main.tf": "module \"labels\" {\n  source = \"../labels\"\n}\n# changed\n", "vpc/added.tf": "# added\n"})
	net.git("add", "-A", "vpc")
	now := net.committed("refs/heads/main")
	infra.write(map[string]string{
		"live/main.tf":  "terraform {\n  backend \"local\" {}\n}\nmodule \"vpc\" {\n  source = \"../vendor/net/vpc\"\n}\n",
		"other/main.tf": "terraform {\n  backend \"local\" {}\n}\n",
	})
	if err := os.Symlink("vendor/net/vpc", filepath.Join(infra.work, "vpc")); err != nil {
		t.Fatal(err)
	}
	infra.link(map[string]string{"vendor/net": old}, submodules(map[string]string{"vendor/net": "../net.git"}))
	first = infra.committed("refs/heads/main")
	infra.git("update-index", "--add", "--cacheinfo", "160000,"+now+",vendor/net")
	second = infra.committed("refs/pull/7/head")
	return h, first, second
}

func TestSubmodulesAreInTreesOfEachKind(t *testing.T) {
	h, first, second := family(t)
	store := checkout.New(t.TempDir(), checkout.Options{})
	src := h.source()
	into := filepath.Join(t.TempDir(), "tree")
	notes, err := store.Tree(t.Context(), src, pullRefs, second, into)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, into)
	delete(got, ".gitmodules")
	delete(got, "vendor/net/.gitmodules")
	want := map[string]string{
		"live/main.tf": got["live/main.tf"], "other/main.tf": got["other/main.tf"], "vpc": "→ vendor/net/vpc", "vendor/net/run.sh": "#!/bin/sh\n",
		"vendor/net/vpc/main.tf": "module \"labels\" {\n  source = \"../labels\"\n}\n# changed\n", "vendor/net/vpc/same.tf": "# same\n", "vendor/net/vpc/added.tf": "# added\n",
		"vendor/net/labels/main.tf": "locals {\n  label = \"x\"\n}\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if notes.Files != 10 || len(notes.Submodules) != 0 {
		t.Errorf("notes %+v", notes)
	}

	tree, err := store.TreeFS(t.Context(), src, pullRefs, second)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	root, err := os.OpenRoot(into)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if diff := cmp.Diff(described(t, root.FS()), described(t, tree)); diff != "" {
		t.Errorf("the tree (-on disk +in the mirror):\n%s", diff)
	}
	if text, err := fs.ReadFile(tree, "vpc/same.tf"); err != nil || string(text) != "# same\n" {
		t.Errorf("through a link: %q, %v", text, err)
	}

	changed, err := store.Changed(t.Context(), src, first, second)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"vendor/net", "vendor/net/vpc/added.tf", "vendor/net/vpc/main.tf"}, changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}

	// What planner makes of it, on disk and in the mirror.
	projects, problems, err := planner.Discover(tree, planner.DefaultRepoConfig())
	if err != nil || len(problems) > 0 || len(projects) != 2 {
		t.Fatal(projects, problems, err)
	}
	if diff := cmp.Diff([]string{"vendor/net/labels", "vendor/net/vpc"}, projects[0].Modules); diff != "" {
		t.Errorf("modules of %s (-want +got):\n%s", projects[0].Dir, diff)
	}
	touched := planner.Affected(projects, changed)
	if len(touched) != 1 || touched[0].Project.Dir != "live" {
		t.Errorf("affected: %+v", touched)
	}
	before, err := store.TreeFS(t.Context(), src, pullRefs, first)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	for _, p := range projects {
		disk, err := planner.InputsDigest(root.FS(), p)
		if err != nil {
			t.Fatal(err)
		}
		now, err := planner.InputsDigest(tree, p)
		if err != nil || now != disk {
			t.Errorf("%s: digest %s, %v; on disk %s", p.Dir, now, err, disk)
		}
		old, err := planner.InputsDigest(before, p)
		if same := old == now; err != nil || same != (p.Dir == "other") {
			t.Errorf("%s: with the older commit of the submodule the digest is the same: %v, %v", p.Dir, same, err)
		}
	}

	// An Update that goes there and back.
	dir := filepath.Join(t.TempDir(), "tree")
	for _, sha := range []string{first, second, first, second} {
		if _, err := store.Update(t.Context(), src, pullRefs, sha, dir, nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(exactly(t, into), exactly(t, dir)); diff != "" {
		t.Errorf("updated (-fresh +updated):\n%s", diff)
	}
	src.Submodules = nil
	notes, err = store.Tree(t.Context(), src, nil, second, filepath.Join(t.TempDir(), "off"))
	if err != nil || len(notes.Submodules) != 1 || notes.Submodules[0] != "vendor/net" {
		t.Errorf("off: %+v, %v", notes, err)
	}
	off, err := store.TreeFS(t.Context(), src, nil, second)
	if err != nil {
		t.Fatal(err)
	}
	defer off.Close()
	if off.ContentHash(".") == tree.ContentHash(".") {
		t.Error("a tree with submodules has the name of one without: what was made of the one would answer for the other")
	}
	if _, problems, err := planner.Discover(off, planner.DefaultRepoConfig()); err != nil || len(problems) != 1 || !strings.Contains(problems[0].Message, "Git submodule vendor/net") {
		t.Errorf("off: %v, %v", problems, err)
	}
}

// TestThreat_SubmoduleGetsNoTokenThatIsNotItsOwn looks at what each repository
// was sent.
func TestThreat_SubmoduleGetsNoTokenThatIsNotItsOwn(t *testing.T) {
	h, _, second := family(t)
	cache := t.TempDir()
	if _, err := checkout.New(cache, checkout.Options{}).Tree(t.Context(), h.source(), pullRefs, second, filepath.Join(t.TempDir(), "tree")); err != nil {
		t.Fatal(err)
	}
	sent := map[string]bool{}
	for _, s := range h.sent {
		sent[s] = true
	}
	want := map[string]bool{"acme/infra " + token: true, "acme/net " + netToken: true, "base/labels ": true}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	folders, err := os.ReadDir(cache)
	if err != nil || len(folders) != 3 {
		t.Errorf("mirrors %v, %v; want one for each repository", folders, err)
	}
	err = filepath.WalkDir(cache, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		if bytes.Contains(text, []byte(netToken)) || bytes.Contains(text, []byte(token)) {
			t.Errorf("a token stands in %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestThreat_SubmodulesLeadNowhereElse has addresses that a pull request could
// bring.
func TestThreat_SubmodulesLeadNowhereElse(t *testing.T) {
	h := newHost(t, map[string]string{"acme/infra": token, "acme/net": netToken, "other/private": "somebody else's", "acme/moved": ""})
	infra := h.repos["acme/infra"]
	var mu sync.Mutex
	var reached []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reached = append(reached, fmt.Sprint(r.URL, r.Header))
	}))
	defer elsewhere.Close()
	for _, name := range []string{"acme/moved", "acme/net"} { // a public one, and one of the installation
		h.repos[name].play(func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
			http.Redirect(w, r, elsewhere.URL+r.URL.String(), http.StatusFound)
		})
	}
	store := checkout.New(t.TempDir(), checkout.Options{})
	gone := strings.Repeat("ab", 20)
	for address, says := range map[string]string{
		elsewhere.URL + "/acme/net.git":              "by https only",
		"https://elsewhere.example/acme/net.git":     "not from elsewhere.example",
		"https://169.254.169.254/latest":             "not from 169.254.169.254",
		"git@elsewhere.example:acme/net.git":         "not from elsewhere.example",
		"file://" + infra.bare:                       "by https only",
		infra.bare:                                   "neither an https one",
		"ext::sh -c touch% /tmp/x":                   "blanks",
		"ext::sh":                                    "neither an https one",
		"--upload-pack=touch":                        "neither an https one",
		"git://elsewhere.example/net":                "by https only",
		"https://user:hunter2@elsewhere.example/net": "credentials",
		h.srv.URL + "/acme/net.git?x=1":              "a query",
		h.srv.URL + "/../etc":                        "can't be read",
		h.srv.URL + "/a/%2e%2e/%2e%2e/b":             "can't be read",
		"../../../../net.git":                        "can't be read",
		"":                                           "no address",
		"../infra.git":                               "go round: ",
		h.srv.URL + "/acme/infra":                    "go round: ",
		h.srv.URL + "/other/private.git":             "Not everybody may read it",
		h.srv.URL + "/acme/none.git":                 "Not everybody may read it",
		h.srv.URL + "/acme/moved.git":                "follow to another host",
		strings.ToUpper(h.srv.URL[:4]) + h.srv.URL[4:] + "/acme/net": "follow to another host",
	} {
		t.Run(address, func(t *testing.T) {
			infra.git("rm", "-rq", "--cached", "--ignore-unmatch", ".")
			infra.link(map[string]string{"vendor/x": gone}, "# one\n[submodule \"x\"]\n\tpath = vendor/x\n\turl = "+address+"\n")
			sha := infra.committed("refs/heads/main")
			_, err := store.Tree(t.Context(), h.source(), nil, sha, filepath.Join(t.TempDir(), "tree"))
			if err == nil {
				t.Fatal("no error")
			}
			if k := errs.KindOf(err); k != errs.Invalid && k != errs.Unavailable {
				t.Errorf("kind %v", k)
			}
			for _, want := range []string{says, ".gitmodules:4: The submodule vendor/x", "update = none"} {
				if !strings.Contains(errs.Sentence(err), want) {
					t.Errorf("%q does not say %q", errs.Sentence(err), want)
				}
			}
			if strings.Contains(fmt.Sprintf("%v %q", err, errs.Sentence(err)), "hunter2") {
				t.Errorf("the error repeats the credentials: %v", err)
			}
			// What a pull request changes can be told all the same, where the
			// server is not to blame.
			if _, err := store.Changed(t.Context(), h.source(), sha, sha); err != nil && errs.KindOf(err) != errs.Unavailable {
				t.Errorf("Changed: %v", err)
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	if len(reached) > 0 {
		t.Errorf("another server was asked: %q", reached)
	}
}

// TestSubmodulesThatGitLeavesOut are left out here too.
func TestSubmodulesThatGitLeavesOut(t *testing.T) {
	h := newHost(t, map[string]string{"acme/infra": token})
	infra := h.repos["acme/infra"]
	gone := strings.Repeat("ab", 20)
	infra.link(map[string]string{"stray": gone, "vendor/none": gone}, "[submodule \"n\"]\n path = vendor/none\n url = ../none.git\n update = none\n[submodule \"file\"]\n path = .gitmodules\n url = ../x.git\n")
	sha := infra.committed("refs/heads/main")
	notes, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), h.source(), nil, sha, filepath.Join(t.TempDir(), "tree"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"stray", "vendor/none"}, notes.Submodules); diff != "" {
		t.Error(diff)
	}
}

// TestThreat_LinksOfSubmodulesStayInTheTree: a submodule's link may lead to the
// repository around it, and no further.
func TestThreat_LinksOfSubmodulesStayInTheTree(t *testing.T) {
	for target, says := range map[string]string{"../../main.tf": "", "../../../main.tf": "leads out", "/etc/passwd": "leads out"} {
		h := newHost(t, map[string]string{"acme/infra": token, "acme/net": netToken})
		infra, net := h.repos["acme/infra"], h.repos["acme/net"]
		if err := os.Symlink(target, filepath.Join(net.work, "l")); err != nil {
			t.Fatal(err)
		}
		sub := net.commit("l", "refs/heads/main")
		infra.write(map[string]string{"main.tf": "# infra\n"})
		infra.link(map[string]string{"vendor/net": sub}, submodules(map[string]string{"vendor/net": "../net"}))
		sha := infra.committed("refs/heads/main")
		store := checkout.New(t.TempDir(), checkout.Options{})
		_, err := store.Tree(t.Context(), h.source(), nil, sha, filepath.Join(t.TempDir(), "tree"))
		_, fsErr := store.TreeFS(t.Context(), h.source(), nil, sha)
		if says == "" {
			if err != nil || fsErr != nil {
				t.Errorf("%s: %v, %v", target, err, fsErr)
			}
			continue
		}
		wantKind(t, err, errs.Invalid, says)
		wantKind(t, fsErr, errs.Invalid, says)
	}
}

// TestSubmodulesInACircleAreNamed has net contain infra.
func TestSubmodulesInACircleAreNamed(t *testing.T) {
	h := newHost(t, map[string]string{"acme/infra": token, "acme/net": netToken})
	infra, net := h.repos["acme/infra"], h.repos["acme/net"]
	infra.write(map[string]string{"main.tf": "# infra\n"})
	old := infra.commit("infra", "refs/heads/main")
	net.link(map[string]string{"up": old}, submodules(map[string]string{"up": "../infra.git"}))
	sub := net.committed("refs/heads/main")
	infra.link(map[string]string{"net": sub}, submodules(map[string]string{"net": "../net.git"}))
	sha := infra.committed("refs/heads/main")
	_, err := checkout.New(t.TempDir(), checkout.Options{}).Tree(t.Context(), h.source(), nil, sha, filepath.Join(t.TempDir(), "tree"))
	wantKind(t, err, errs.Invalid, "net/.gitmodules:3: The submodule net/up")
	wantKind(t, err, errs.Invalid, fmt.Sprintf("go round: %s/acme/infra.git has %s/acme/net has %s/acme/infra.git.", h.srv.URL, h.srv.URL, h.srv.URL))
}

// TestSubmodulesTooDeepOrTooManyAreRefused.
func TestSubmodulesTooDeepOrTooManyAreRefused(t *testing.T) {
	want := map[string]string{"acme/infra": token}
	for i := range 7 {
		want[fmt.Sprintf("base/d%d", i)] = ""
	}
	h := newHost(t, want)
	below := ""
	for i := 6; i >= 0; i-- {
		o := h.repos[fmt.Sprintf("base/d%d", i)]
		o.write(map[string]string{"f": fmt.Sprint(i)})
		if below != "" {
			o.link(map[string]string{"s": below}, submodules(map[string]string{"s": fmt.Sprintf("../d%d", i+1)}))
		}
		o.git("add", "f")
		below = o.committed("refs/heads/main")
	}
	infra := h.repos["acme/infra"]
	infra.link(map[string]string{"s": below}, submodules(map[string]string{"s": "../../base/d0"}))
	sha := infra.committed("refs/heads/main")
	store := checkout.New(t.TempDir(), checkout.Options{})
	_, err := store.Tree(t.Context(), h.source(), nil, sha, filepath.Join(t.TempDir(), "tree"))
	wantKind(t, err, errs.Invalid, "more than 5 deep")
	links, addresses := map[string]string{}, map[string]string{}
	last := h.repos["base/d6"].git("rev-parse", "HEAD")
	for i := range 101 {
		links[fmt.Sprintf("many/%d", i)], addresses[fmt.Sprintf("many/%d", i)] = last, "../../base/d6"
	}
	infra.git("rm", "-rq", "--cached", "--ignore-unmatch", ".")
	infra.link(links, submodules(addresses))
	sha = infra.committed("refs/heads/main")
	_, err = store.Tree(t.Context(), h.source(), nil, sha, filepath.Join(t.TempDir(), "tree"))
	wantKind(t, err, errs.Invalid, "more than 100 submodules")
}

// TestFault03_DamagedMirrorOfASubmoduleIsFetchedAnew garbles it while others
// read on, and lets the mirrors be swept.
func TestFault03_DamagedMirrorOfASubmoduleIsFetchedAnew(t *testing.T) {
	h, first, second := family(t)
	cache := t.TempDir()
	store := checkout.New(cache, checkout.Options{MaxMemory: 1})
	tree, err := store.TreeFS(t.Context(), h.source(), pullRefs, first)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	packs, err := filepath.Glob(filepath.Join(cache, "*/objects/pack/*.pack"))
	if err != nil || len(packs) < 3 {
		t.Fatal(packs, err)
	}
	for _, p := range packs {
		if !strings.Contains(p, "/1.git/") {
			if err := os.Truncate(p, 40); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := tree.ReadFile("vendor/net/vpc/same.tf"); err == nil {
		t.Error("a garbled mirror is read")
	}
	before := h.repos["acme/infra"].fetches()
	if _, err := store.Tree(t.Context(), h.source(), pullRefs, first, filepath.Join(t.TempDir(), "tree")); err != nil {
		t.Fatal(err)
	}
	if h.repos["acme/infra"].fetches() != before {
		t.Error("the mirror of the repository itself, which was well, was fetched anew")
	}
	for _, name := range []string{"vendor/net/vpc/same.tf", "vendor/net/labels/main.tf"} {
		if _, err := tree.ReadFile(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	swept, err := store.Sweep(time.Now().Add(24*time.Hour), 1, 0)
	if err != nil || swept.Removed != 3 || swept.Kept != 0 {
		t.Errorf("swept %+v, %v", swept, err)
	}
	if _, err := store.Tree(t.Context(), h.source(), pullRefs, second, filepath.Join(t.TempDir(), "tree")); err != nil {
		t.Error(err)
	}
}

// TestSubmoduleServerThatIsDownIsTriedAgain: its error is one that passes.
func TestSubmoduleServerThatIsDownIsTriedAgain(t *testing.T) {
	h, _, second := family(t)
	h.repos["acme/net"].play(func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { w.WriteHeader(http.StatusBadGateway) })
	store := checkout.New(t.TempDir(), checkout.Options{})
	_, err := store.TreeFS(t.Context(), h.source(), pullRefs, second)
	wantKind(t, err, errs.Unavailable, ".gitmodules:3: The submodule vendor/net")
	if _, err := store.Changed(t.Context(), h.source(), second, second); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("Changed passes over it: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.TreeFS(ctx, h.source(), pullRefs, second); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	h.repos["acme/net"].play(nil)
	tree, err := store.TreeFS(t.Context(), h.source(), pullRefs, second)
	if err != nil {
		t.Fatal(err)
	}
	tree.Close()
}
