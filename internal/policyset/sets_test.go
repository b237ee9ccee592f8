package policyset

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func newSets(t *testing.T, o Options) *Sets {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func judgingOf(t *testing.T, s *Sets, target Target, repo RepoPolicy) Judging {
	t.Helper()
	j, err := s.For(t.Context(), target, repo)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (j Judging) level(t *testing.T, rule string) Level {
	t.Helper()
	i := slices.IndexFunc(j.Levels, func(l Level) bool { return l.Rule == rule })
	if i < 0 {
		t.Fatalf("no rule %s judges", rule)
	}
	return j.Levels[i]
}

func (j Judging) setting(name string) (any, Origin) {
	for _, s := range j.Settings {
		if s.Name == name {
			return s.Value, s.Origin
		}
	}
	return nil, ""
}

// parse reads blocks as the server's file has them.
func parse(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse([]byte(text), "server.hcl", Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestForWithoutScopes(t *testing.T) {
	s := newSets(t, Options{Overrides: policy.Overrides{Levels: map[string]policy.Level{"tagging": policy.Hard}}, Owners: policy.Owners{Who: []string{"alice"}}})
	j := judgingOf(t, s, Target{Repo: "acme/infra", Dir: "."}, RepoPolicy{})
	if l := j.level(t, "tagging.required"); l.Level != policy.Hard || l.Origin != OriginDefaults {
		t.Errorf("tagging.required is %+v", l)
	}
	if who := j.Owners[""].Who; len(who) != 1 || who[0] != "alice" {
		t.Errorf("owners %v", j.Owners)
	}
	for name, o := range map[string]policy.Overrides{
		"a level of no rule":         {Levels: map[string]policy.Level{"no.such": policy.Hard}},
		"an unknown level":           {Levels: map[string]policy.Level{"tagging": "fatal"}},
		"a setting of no pack":       {Settings: policy.Settings{"nothing": {"a": 1}}},
		"a setting of a wrong kind":  {Settings: policy.Settings{"tagging": {"required": "owner"}}},
		"a rule of a bundled family": {Levels: map[string]policy.Level{"tagging.requird": policy.Hard}},
	} {
		if _, err := New(Options{Overrides: o}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	off := judgingOf(t, newSets(t, Options{Disabled: true}), Target{Dir: "."}, RepoPolicy{})
	for _, l := range off.Levels {
		if l.Level != policy.Off {
			t.Errorf("%s is %s where policies are disabled", l.Rule, l.Level)
		}
	}
}

func TestScopesAndEnvironments(t *testing.T) {
	s := newSets(t, Options{
		Overrides: policy.Overrides{Levels: map[string]policy.Level{"tagging": policy.Advisory}}, Owners: policy.Owners{Who: []string{"everyone"}},
		Config: parse(t, `
environment "production" {
  dirs       = ["live/prod/**"]
}
environment "sandbox" {
  repos = ["acme/play-*"]
}
policy_scope "production" {
  environments = ["production"]
  levels       = { tagging = "mandatory", "tagging.required" = "hard" }
  settings     = { "tagging.required" = ["owner", "team"] }
  owners       = ["acme/platform"]
  owner_count  = 2
}
policy_scope "one-project" {
  projects = ["live/prod/shop"]
  levels   = { "tagging.required" = "mandatory" }
}
policy_scope "all" {
  levels = { "tagging.required" = "off" }
}
`)})
	prod := judgingOf(t, s, Target{Repo: "acme/infra", Dir: "live/prod", Project: "live/prod"}, RepoPolicy{})
	if prod.Environment != "production" || prod.level(t, "tagging.required").Level != policy.Hard {
		t.Errorf("%q, %+v", prod.Environment, prod.level(t, "tagging.required"))
	}
	if o := prod.Owners[""]; o.Count != 2 || !slices.Equal(o.Who, []string{"acme/platform"}) {
		t.Errorf("owners %+v", o)
	}
	if v, origin := prod.setting("tagging.required"); !strings.Contains(origin, `policy_scope "production", server.hcl:8`) || len(v.([]any)) != 2 {
		t.Errorf("setting %v of %s", v, origin)
	}
	shop := judgingOf(t, s, Target{Repo: "acme/infra", Dir: "live/prod/shop", Project: "live/prod/shop"}, RepoPolicy{})
	if l := shop.level(t, "tagging.required"); l.Level != policy.Mandatory || !strings.Contains(l.Origin, "one-project") {
		t.Errorf("the project's own scope is weaker than its environment's: %+v", l)
	}
	play := judgingOf(t, s, Target{Repo: "Acme/Play-1", Dir: "x"}, RepoPolicy{})
	if play.Environment != "sandbox" || play.level(t, "tagging.required").Level != policy.Off || play.Owners[""].Who[0] != "everyone" {
		t.Errorf("%q, %+v, %v", play.Environment, play.level(t, "tagging.required"), play.Owners)
	}
	if prod.Version() == play.Version() {
		t.Error("two ways to judge have one version")
	}
}

const ownRule = "package infra\n\nimport rego.v1\n\ndeny contains \"no\" if input.project.dir == \"live\"\n"

func TestRepositoryOnlyTightens(t *testing.T) {
	s := newSets(t, Options{
		Overrides: policy.Overrides{
			Levels:   map[string]policy.Level{"tagging": policy.Mandatory, "destruction": policy.Advisory},
			Settings: policy.Settings{"tagging": {"required": []any{"owner"}}},
		},
	})
	packs, err := ReadRepoPacks(fstest.MapFS{"policy/a/own.rego": {Data: []byte(ownRule)}, "else/x.rego": {Data: []byte("nonsense")}}, []string{"policy"})
	if err != nil {
		t.Fatal(err)
	}
	j := judgingOf(t, s, Target{Repo: "acme/infra", Dir: "."}, RepoPolicy{
		Packs: packs,
		Levels: map[string]policy.Level{
			"tagging": policy.Advisory, "destruction.stateful": policy.Hard, "infra.deny": policy.Advisory, "no.such": policy.Hard,
		},
		Settings: policy.Settings{"tagging": {"required": []any{"owner", "team"}, "nothing": 1}, "destruction": {"none": 1}},
	})
	for rule, want := range map[string]policy.Level{"tagging.required": policy.Mandatory, "destruction.stateful": policy.Hard, "infra.deny": policy.Advisory} {
		if l := j.level(t, rule); l.Level != want {
			t.Errorf("%s is %+v, want %s", rule, l, want)
		}
	}
	if v, origin := j.setting("tagging.required"); compact(v) != `["owner","team"]` || origin != "tidelock.hcl" {
		t.Errorf("required is %v of %s", v, origin)
	}
	for _, want := range []string{`levels asks for tagging = "advisory"`, `levels names "no.such"`, `settings names "tagging.nothing"`, `settings names "destruction.none"`} {
		if !slices.ContainsFunc(j.Notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("nothing is said of %s: %q", want, j.Notes)
		}
	}
	if len(j.Notes) != 4 {
		t.Errorf("notes %q", j.Notes)
	}
	loose := judgingOf(t, s, Target{Dir: "."}, RepoPolicy{Settings: policy.Settings{"tagging": {"required": []any{"team"}}}})
	if v, _ := loose.setting("tagging.required"); compact(v) != `["owner"]` || len(loose.Notes) != 1 {
		t.Errorf("a tag less: %v, %q", v, loose.Notes)
	}
	i := slices.IndexFunc(j.Packs, func(p PackState) bool { return p.Name == RepositoryPack })
	if i < 0 || j.Packs[i].Rules != 1 {
		t.Errorf("packs %+v", j.Packs)
	}
}

// A repository's own rules see no other pack, even where they have the same
// package: they can neither add exceptions to its rules nor set their levels.
func TestThreat_RepositoryRulesDoNotReachIntoOthers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "acme.rego", "package acme.lib\n\nimport rego.v1\n\nexempt contains \"a\"\n")
	write(t, dir, "deny.rego", "package acme.rules\n\nimport rego.v1\n\n# METADATA\n# custom:\n#   level: hard\ndeny contains \"b\" if not \"b\" in data.acme.lib.exempt\n")
	s := newSets(t, Options{Config: Config{Packs: []PackConfig{{Name: "acme", Path: dir, MaxAge: DefaultMaxAge}}}})
	packs, err := ReadRepoPacks(fstest.MapFS{"p/x.rego": {Data: []byte("package acme.lib\n\nimport rego.v1\n\nexempt contains \"b\"\n")},
		"p/y.rego": {Data: []byte("package acme.rules\n\nimport rego.v1\n\n# METADATA\n# custom:\n#   level: advisory\ndeny contains \"c\"\n")}}, []string{"p"})
	if err != nil {
		t.Fatal(err)
	}
	j := judgingOf(t, s, Target{Dir: "."}, RepoPolicy{Packs: packs, Levels: map[string]policy.Level{"acme.rules.deny": policy.Advisory}})
	plan, err := tfplan.ParsePlan(strings.NewReader(`{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{}},"resource_changes":[],"configuration":{"root_module":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	report, err := j.Engine.Judge(t.Context(), policy.Input{Plan: plan, Overrides: j.Overrides})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]policy.Level{}
	for _, f := range report.Findings {
		got[f.Pack+": "+f.Message] = f.Level
	}
	if len(got) != 2 || got["acme: b"] != policy.Hard || got["repository: c"] != policy.Advisory {
		t.Errorf("found %v", got)
	}
	if len(j.Notes) != 1 || !strings.Contains(j.Notes[0], "less strict") {
		t.Errorf("notes %q", j.Notes)
	}
}
