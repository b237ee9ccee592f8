package policyset

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policy/policytest"
)

// administered is an admin repository behind a real git server.
type administered struct {
	*gitServer
	time *clock
	log  *log
	dir  string
	o    Options
}

func newAdministered(t *testing.T, server Config) *administered {
	t.Helper()
	a := &administered{gitServer: newGitServer(t), time: newClock(), log: &log{}, dir: t.TempDir()}
	src := checkout.Source{Scope: "test", URL: a.url}
	a.o = Options{
		Config: server, Dir: a.dir, Now: a.time.Now, Log: slog.New(slog.NewTextHandler(a.log, nil)),
		Admin: Admin{
			Repo: "acme/policies", Store: checkout.New(filepath.Join(a.dir, "mirror"), checkout.Options{}),
			Source: func(context.Context) (checkout.Source, string, error) { return src, "main", nil },
		},
	}
	return a
}

func TestAdminRepository(t *testing.T) {
	a := newAdministered(t, parse(t, `policy_scope "all" {
  levels   = { "tagging.required" = "mandatory" }
  settings = { "tagging.required" = ["owner"] }
  owners   = ["acme/security"]
}
`))
	a.commit("rules/a.rego", titled("ours"))
	first := a.commit(AdminFile, `policy_pack "acme" { path = "rules" }
environment "production" { dirs = ["live"] }
policy_scope "loosen" {
  levels     = { "tagging.required" = "off", "destruction" = "hard" }
  settings   = { "tagging.required" = ["team"] }
  owners     = ["mallory"]
  pack_owners = { acme = ["acme/platform"] }
}
`)
	s := newSets(t, a.o)
	j := judgingOf(t, s, Target{Repo: "acme/infra", Dir: "live"}, RepoPolicy{})
	if l := j.level(t, "tagging.required"); l.Level != policy.Mandatory || !strings.Contains(l.Origin, "server.hcl") {
		t.Errorf("the admin repository loosens: %+v", l)
	}
	if l := j.level(t, "destruction.stateful"); l.Level != policy.Hard || !strings.Contains(l.Origin, AdminFile) {
		t.Errorf("it does not tighten: %+v", l)
	}
	if v, _ := j.setting("tagging.required"); compact(v) != `["owner"]` {
		t.Errorf("required is %v", v)
	}
	if o := j.Owners; !slices.Equal(o[""].Who, []string{"acme/security"}) || !slices.Equal(o["acme"].Who, []string{"acme/platform"}) {
		t.Errorf("owners %+v", o)
	}
	if j.Environment != "production" || j.level(t, "acme.deny").Pack != "acme" || j.Packs[0].Revision != first {
		t.Errorf("%q, %+v", j.Environment, j.Packs)
	}
	if p := s.ChangesAdmin(t.Context(), []string{"README.md", "rules/b.rego"}); len(p) != 1 || p[0].Path != "rules/b.rego" {
		t.Errorf("a change of its rules: %+v", p)
	}
	if p := s.ChangesAdmin(t.Context(), []string{"README.md"}); len(p) != 0 {
		t.Errorf("a change of nothing: %+v", p)
	}

	loose := a.o
	loose.Admin.MayLoosen = true
	if l := judgingOf(t, newSets(t, loose), Target{Repo: "acme/infra", Dir: "live"}, RepoPolicy{}).level(t, "tagging.required"); l.Level != policy.Off {
		t.Errorf("one that may loosen: %+v", l)
	}

	// What can't be read never takes the place of what could.
	a.commit(AdminFile, "policy_pack \"acme\" {\n  path = \"rules\"\n  nonsense = 1\n}\n")
	a.time.pass(time.Minute)
	j = judgingOf(t, s, Target{Repo: "acme/infra", Dir: "live"}, RepoPolicy{})
	if j.level(t, "destruction.stateful").Level != policy.Hard || len(j.Notes) != 1 || !strings.Contains(j.Notes[0], "policies.hcl:3") {
		t.Errorf("after a broken change: %q", j.Notes)
	}
	if states := s.States(t.Context()); states[0].Name != "admin repository" || !strings.Contains(states[0].Problem, "policies.hcl:3") {
		t.Errorf("states %+v", states)
	}
	a.commit(AdminFile, "policy_pack \"acme\" { path = \"rules\" }\n")
	a.commit("rules/a.rego", titled("newer"))
	s.AskAdmin() // as a push does
	j = judgingOf(t, s, Target{Repo: "acme/infra", Dir: "live"}, RepoPolicy{})
	if i := slices.IndexFunc(j.Engine.Rules(), func(r policy.Rule) bool { return r.Pack == "acme" }); j.Engine.Rules()[i].Title != "newer" || len(j.Notes) != 0 {
		t.Errorf("after a mended one: %+v, %q", j.Engine.Rules()[i], j.Notes)
	}
	a.commit(AdminFile, "policy_scope \"x\" {\n  levels = { \"tagging.requird\" = \"hard\" }\n  settings = { \"tagging.required\" = 5 }\n}\n")
	s.AskAdmin()
	j = judgingOf(t, s, Target{Dir: "."}, RepoPolicy{})
	if len(j.Notes) != 1 || !strings.Contains(j.Notes[0], `no rule "tagging.requird"`) || !strings.Contains(j.Notes[0], "must be a list") {
		t.Errorf("names of nothing: %q", j.Notes)
	}
}

// A key in the admin repository is the one of the commit that its rules are of.
func TestAdminKeys(t *testing.T) {
	key := policytest.NewSigner(t, "ES256", "house")
	a := newAdministered(t, Config{})
	a.commit("key.pem", key.Public)
	files, err := policy.OpenBundle(strings.NewReader(string(policytest.Bundle(t, "r", map[string]string{"a.rego": titled("signed")}, nil, &key))), policy.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files.Files {
		write(t, a.work, filepath.Join("rules", name), string(text))
	}
	a.commit(AdminFile, "policy_pack \"acme\" {\n  path = \"rules\"\n  public_key_file = \"key.pem\"\n  algorithm = \"ES256\"\n}\n")
	s := newSets(t, a.o)
	if j := judgingOf(t, s, Target{Dir: "."}, RepoPolicy{}); j.Packs[0].Signature != "checked" {
		t.Errorf("%+v", j.Packs)
	}
	a.commit("rules/a.rego", titled("tampered"))
	s.AskAdmin()
	j := judgingOf(t, s, Target{Dir: "."}, RepoPolicy{})
	if i := slices.IndexFunc(j.Engine.Rules(), func(r policy.Rule) bool { return r.Pack == "acme" }); j.Engine.Rules()[i].Title != "signed" || len(j.Notes) != 1 {
		t.Errorf("%+v, %q", j.Engine.Rules()[i], j.Notes)
	}
}

// Packs judge where scopes have them; the admin repository takes none away.
func TestWhichPacksJudge(t *testing.T) {
	dir, rules := t.TempDir(), t.TempDir()
	write(t, rules, "a.rego", titled("x"))
	write(t, dir, AdminFile, "policy_scope \"s\" {\n  repos = [\"acme/other\"]\n  packs = [\"free\", \"scoped\"]\n}\n")
	o := Options{
		Config: parse(t, `policy_pack "free" { path = "rules" }
policy_pack "scoped" { path = "rules" }
policy_scope "here" {
  repos = ["acme/infra"]
  packs = ["scoped"]
}
`), Admin: Admin{Repo: "acme/policies", Folder: dir}}
	for i := range o.Config.Packs {
		o.Config.Packs[i].Path = rules
	}
	names := func(o Options, repo string) (out []string) {
		for _, p := range judgingOf(t, newSets(t, o), Target{Repo: repo, Dir: "."}, RepoPolicy{}).Packs {
			out = append(out, p.Name)
		}
		return out
	}
	loose := o
	loose.Admin.MayLoosen = true
	for _, tc := range []struct {
		o    Options
		repo string
		want []string
	}{
		{o, "acme/infra", []string{"free", "scoped"}}, {o, "acme/other", []string{"free", "scoped"}}, {o, "acme/third", []string{"free"}},
		{loose, "acme/third", nil}, {loose, "acme/infra", []string{"scoped"}},
	} {
		if got := names(tc.o, tc.repo); !slices.Equal(got, tc.want) {
			t.Errorf("%s, loosening %v: %q, want %q", tc.repo, tc.o.Admin.MayLoosen, got, tc.want)
		}
	}
}

// Many who ask at once cost one request and one compilation, and a watch asks
// in the background.
func TestAskedOnceForMany(t *testing.T) {
	srv := newServer(t)
	srv.serve(policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("one")}, nil, nil), "")
	b := newBench(t, PackConfig{URL: srv.URL})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := b.sets.For(t.Context(), Target{Dir: "."}, RepoPolicy{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if srv.asked != 1 || len(b.sets.engines.kept) != 1 {
		t.Errorf("asked %d times, compiled %d times", srv.asked, len(b.sets.engines.kept))
	}
	b.sets.setWatching(true)
	srv.serve(policytest.Bundle(t, "r2", map[string]string{"acme/a.rego": titled("two")}, nil, nil), "")
	b.pass()
	b.want("while somebody watches, nobody waits", "one")
	b.sets.look(t.Context())
	b.want("once it was looked", "two")
}

// Watch ends with its context.
func TestWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSets(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { s.Watch(ctx); close(ended) }()
		time.Sleep(3 * watchEvery)
		cancel()
		<-ended
	})
}

// A copy that a crash damaged is none, and what no source needs is swept away.
func TestCopiesOnDisk(t *testing.T) {
	srv := newServer(t)
	srv.serve(policytest.Bundle(t, "r1", map[string]string{"acme/a.rego": titled("one")}, nil, nil), "")
	b := newBench(t, PackConfig{URL: srv.URL})
	b.want("at first", "one")
	srv.serve(policytest.Bundle(t, "r2", map[string]string{"acme/a.rego": titled("two")}, nil, nil), "")
	b.pass()
	b.want("then", "two")
	contents := func() []string {
		all, err := filepath.Glob(filepath.Join(b.dir, "copies", "contents", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if n := len(contents()); n != 2 {
		t.Fatalf("%d contents", n)
	}
	b.sets.sweep(t.Context())
	kept := contents()
	if len(kept) != 1 {
		t.Fatalf("%d contents after a sweep", len(kept))
	}
	srv.fail(500)
	b.restart()
	b.want("what was kept", "two")
	if err := os.WriteFile(kept[0], []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.want("what was damaged", "can't be had")
	b.pack.URL += "/elsewhere"
	b.restart()
	b.sets.sweep(t.Context())
	if n := len(contents()); n != 0 {
		t.Errorf("%d contents that nobody needs", n)
	}
	if _, err := b.sets.For(t.Context(), Target{Dir: "."}, RepoPolicy{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("%v", err)
	}
}
