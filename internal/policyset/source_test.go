package policyset

import (
	"archive/tar"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policy/policytest"
)

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "rules/a.rego", titled("one"))
	write(t, dir, ".git/x.rego", "not read")
	b := newBench(t, PackConfig{Path: dir})
	b.want("at first", "one")
	write(t, dir, "rules/a.rego", titled("two, which is longer"))
	b.want("once it has changed", "two")
	write(t, dir, "rules/a.rego", "package acme\n\ndeny contains")
	b.want("once it does not compile", "error: ")
	b.want("and it says where", "acme/rules/a.rego:3")
	write(t, dir, "rules/a.rego", titled("three"))
	b.want("once it does again", "three")
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	b.want("while it is away", "three")
	b.restart()
	b.want("after a restart", "three")
	b.time.pass(DefaultMaxAge + time.Minute)
	b.want("after too long", "a copy that is older than 24h0m0s must not judge")
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	b.want("once it is back", "three")
}

// A folder as Kubernetes mounts it: files are links to files behind a link.
func TestFolderOfLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "..2026_03_01/a.rego", titled("mounted"))
	for from, to := range map[string]string{"..data": "..2026_03_01", "a.rego": "..data/a.rego"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	newBench(t, PackConfig{Path: dir}).want("through links", "mounted")
}

func TestGit(t *testing.T) {
	g := newGitServer(t)
	g.commit("README.md", "rules\n")
	first := g.commit("tf/a.rego", titled("one"))
	g.git("tag", "-a", "v1", "-m", "the first")
	g.git("push", "-q", "origin", "v1")
	b := newBench(t, PackConfig{Git: g.url, Dir: "tf"})
	b.want("at first", "one")
	if s := b.sets.States(t.Context()); len(s) != 1 || s[0].Revision != first || s[0].Rules != 1 {
		t.Errorf("states %+v", s)
	}
	second := g.commit("tf/a.rego", titled("two"))
	b.want("before it is asked again", "one")
	b.pass()
	b.want("once it was asked again", "two")
	tagged := newBench(t, PackConfig{Git: g.url, Ref: "v1", Dir: "tf"})
	tagged.want("at a tag with a text", "one")
	pinned := newBench(t, PackConfig{Git: g.url, Ref: second, Dir: "tf"})
	pinned.want("at a commit", "two")
	newBench(t, PackConfig{Git: g.url, Ref: "none"}).want("at no ref", "no branch and no tag")
	newBench(t, PackConfig{Git: g.url, Dir: "nothing"}).want("in no folder", "has no folder nothing")
}

func TestBundleOverHTTP(t *testing.T) {
	srv := newServer(t)
	srv.serve(policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("one")}, nil, nil), `"1"`)
	b := newBench(t, PackConfig{URL: srv.URL + "/bundle.tar.gz", Token: "source"})
	b.want("at first", "one")
	if got := srv.headers.Get("Authorization"); got != "Bearer a-token-of-the-source" {
		t.Errorf("asked with %q", got)
	}
	b.pass()
	b.want("what has not changed", "one")
	if srv.asked != 2 || srv.full != 1 {
		t.Errorf("asked %d times, answered in full %d times", srv.asked, srv.full)
	}
	srv.serve(policytest.Bundle(t, "r2", map[string]string{"acme/a.rego": titled("two")}, nil, nil), `"2"`)
	b.want("before it is asked again", "one")
	b.pass()
	b.want("what has", "two")
	if s := b.sets.States(t.Context()); s[0].Version != "r2" || !strings.HasPrefix(s[0].Revision, "sha256:") {
		t.Errorf("states %+v", s)
	}
	srv.fail(http.StatusBadGateway)
	b.pass()
	b.want("while it fails", "two")
	b.restart()
	b.want("after a restart", "two")
	b.time.pass(DefaultMaxAge)
	b.want("after too long", "answers 502")
	srv.serve(policytest.Bundle(t, "r3", map[string]string{"acme/a.rego": titled("three")}, nil, nil), "")
	b.time.pass(retry)
	b.want("once it is back", "three")
	if strings.Contains(b.log.text(), "a-token-of-the-source") {
		t.Error("the token was logged")
	}
	never := newServer(t)
	never.fail(http.StatusNotFound)
	b = newBench(t, PackConfig{URL: never.URL})
	b.want("what was never there", "can't be had: "+strings.TrimPrefix(never.URL, "http://"))
	asked := never.asked
	if b.says(); never.asked != asked {
		t.Error("it is asked again at once")
	}
}

// A bundle that was tampered with, or is not signed by the one key, never
// judges: not in the place of an earlier one, and not where there is none.
func TestThreat_OnlyRightlySignedBundlesJudge(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "HS256"} {
		t.Run(algorithm, func(t *testing.T) {
			key, other := policytest.NewSigner(t, algorithm, "house"), policytest.NewSigner(t, algorithm, "house")
			if algorithm == "HS256" {
				other.Private = "another secret altogether"
			}
			keyFile := filepath.Join(t.TempDir(), "key.pem")
			write(t, filepath.Dir(keyFile), "key.pem", key.Public+"\n")
			modules := func(word string) map[string]string { return map[string]string{"acme/a.rego": titled(word)} }
			good := policytest.Bundle(t, "r1", modules("good"), nil, &key)
			files, err := policy.OpenBundle(strings.NewReader(string(good)), policy.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			tampered := func(change func(map[string][]byte)) []byte {
				var entries []tar.Header
				all := map[string][]byte{}
				for name, text := range files.Files {
					all[name] = text
				}
				change(all)
				for _, name := range sorted(all) {
					entries = append(entries, file("/"+name, string(all[name])))
				}
				return archive(t, entries...)
			}
			pack := PackConfig{KeyFile: keyFile, Algorithm: algorithm, RequireSignature: true}
			for name, bad := range map[string][]byte{
				"unsigned":           policytest.Bundle(t, "r2", modules("bad"), nil, nil),
				"signed by another":  policytest.Bundle(t, "r2", modules("bad"), nil, &other),
				"a rule changed":     tampered(func(f map[string][]byte) { f["acme/a.rego"] = []byte(titled("bad")) }),
				"a rule taken away":  tampered(func(f map[string][]byte) { delete(f, "acme/a.rego") }),
				"a rule put in":      tampered(func(f map[string][]byte) { f["acme/b.rego"] = []byte(titled("bad")) }),
				"no JWT":             tampered(func(f map[string][]byte) { f[".signatures.json"] = []byte(`{"signatures":[]}`) }),
				"a torn JWT":         tampered(func(f map[string][]byte) { f[".signatures.json"] = []byte(`{"signatures":["a.b"]}`) }),
				"a plugin's":         tampered(func(f map[string][]byte) { f[".signatures.json"] = []byte(`{"signatures":["a.b.c"],"plugin":"x"}`) }),
				"no archive":         []byte("hello"),
				"cut off":            good[:len(good)/2],
				"an archive of none": archive(t),
			} {
				srv := newServer(t)
				srv.serve(bad, "")
				pack.URL = srv.URL
				b := newBench(t, pack)
				b.want(name+" at first", "are refused: ")
				srv.serve(good, "")
				b.time.pass(retry)
				b.want("the good one", "good")
				srv.serve(bad, "")
				b.pass()
				b.want(name+" later", "goodThe newest policies of the pack")
				if s := b.sets.States(t.Context()); s[0].Problem == "" || s[0].Signature != "checked" {
					t.Errorf("%s: states %+v", name, s)
				}
				if !strings.Contains(b.log.text(), "level=ERROR msg=\"policies refused") {
					t.Errorf("%s: nothing is logged:\n%s", name, b.log.text())
				}
				b.restart()
				b.want(name+" after a restart", "good")
				b.time.pass(DefaultMaxAge + time.Hour)
				b.want(name+" after too long", "must not judge")
			}
			srv := newServer(t)
			srv.serve(good, "")
			pack.URL, pack.KeyID = srv.URL, "others"
			newBench(t, pack).want("the name of another key", "are refused: ")
			pack.KeyID, pack.KeyScope = "", "write"
			newBench(t, pack).want("another scope", "scope mismatch")
		})
	}
}

// A new key has a bundle that did not change looked at anew.
func TestNewKeyChecksAnew(t *testing.T) {
	key, other := policytest.NewSigner(t, "ES256", "house"), policytest.NewSigner(t, "ES256", "house")
	dir := t.TempDir()
	write(t, dir, "key.pem", key.Public)
	srv := newServer(t)
	srv.serve(policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("good")}, nil, &key), `"1"`)
	b := newBench(t, PackConfig{URL: srv.URL, KeyFile: filepath.Join(dir, "key.pem"), Algorithm: "ES256", RequireSignature: true})
	b.want("at first", "good")
	write(t, dir, "key.pem", other.Public)
	b.pass()
	b.want("with another key", "The newest policies")
	write(t, dir, "key.pem", "")
	b.pass()
	b.want("with no key at all", "good")
	if s := b.sets.States(t.Context()); !strings.Contains(s[0].Problem, "is empty") {
		t.Errorf("states %+v", s)
	}
}

// A hash that is asked for is that of the archive, and no other is taken.
func TestThreat_PinnedHash(t *testing.T) {
	srv := newServer(t)
	good := policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("good")}, nil, nil)
	srv.serve(good, "")
	any := newBench(t, PackConfig{URL: srv.URL})
	any.want("without a hash", "good")
	hash := strings.TrimPrefix(any.sets.States(t.Context())[0].Revision, "sha256:")
	b := newBench(t, PackConfig{URL: srv.URL, SHA256: hash})
	b.want("with its hash", "good")
	srv.serve(policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("bad")}, nil, nil), "")
	b.pass()
	b.want("another", "good")
	b.want("and it is told", "the configuration asks for sha256:"+hash)
}

// Archives that lead out of their folder, or are made to fill memory, are
// refused before anything of them is used.
func TestThreat_HostileBundles(t *testing.T) {
	fine := file("acme/a.rego", titled("good"))
	many := make([]tar.Header, 0, 6000)
	for i := range 6000 {
		many = append(many, file(strings.Repeat("d/", i%7)+"f"+strings.Repeat("x", i/40)+string(rune('a'+i%26)), "x"))
	}
	for name, tc := range map[string]struct {
		body []byte
		want string
	}{
		"zip slip":             {archive(t, fine, file("../../etc/x.rego", "x")), "would not stay"},
		"zip slip by a detour": {archive(t, fine, file("a/../../x.rego", "x")), "would not stay"},
		"a back slash":         {archive(t, fine, file(`..\x.rego`, "x")), "would not stay"},
		"a link":               {archive(t, fine, tar.Header{Name: "x.rego", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "neither a file nor a folder"},
		"a hard link":          {archive(t, fine, tar.Header{Name: "x.rego", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}), "neither a file nor a folder"},
		"a device":             {archive(t, fine, tar.Header{Name: "x.rego", Typeflag: tar.TypeChar}), "neither a file nor a folder"},
		"a file twice":         {archive(t, fine, fine), "is there twice"},
		"a bomb":               {archive(t, fine, tar.Header{Name: "bomb.rego", Size: 64 << 20}), "times its size"},
		"too many":             {archive(t, many...), "files"},
		"too large":            {make([]byte, policy.MaxBundle+1), "larger than 16 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			srv.serve(tc.body, "")
			b := newBench(t, PackConfig{URL: srv.URL})
			b.want(name, tc.want)
		})
	}
}

// What the server's file names may have any address; a pack that the admin
// repository names may not.
func TestThreat_AdminRepositorysSourcesArePublic(t *testing.T) {
	srv := newServer(t)
	srv.serve(policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("good")}, nil, nil), "")
	g := newGitServer(t)
	g.commit("a.rego", titled("good"))
	for kind, text := range map[string]string{
		"bundle": `policy_pack "acme" { url = "` + srv.URL + `" }`,
		"git":    `policy_pack "acme" { git = "` + g.url + `" }`,
		"oci":    `policy_pack "acme" { oci = "` + strings.TrimPrefix(srv.URL, "http://") + `/acme/policies:1" }`,
	} {
		dir := t.TempDir()
		write(t, dir, AdminFile, text)
		asked := srv.asked
		s := newSets(t, Options{Admin: Admin{Repo: "acme/policies", Folder: dir}, Dir: t.TempDir()})
		_, err := s.For(t.Context(), Target{Dir: "."}, RepoPolicy{})
		if err == nil || srv.asked != asked {
			t.Errorf("%s: a private address was asked: %v", kind, err)
		}
		if kind != "git" && !strings.Contains(err.Error(), "not a public one") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
