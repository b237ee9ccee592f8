package policyset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

// world makes random scopes about few names, so that many of them meet.
type world struct{ *rand.Rand }

func (w world) some(of ...string) []string {
	var out []string
	for _, v := range of {
		if w.IntN(3) == 0 {
			out = append(out, v)
		}
	}
	return out
}

func (w world) level() policy.Level {
	return []policy.Level{policy.Off, policy.Advisory, policy.Mandatory, policy.Hard}[w.IntN(4)]
}

func (w world) levels() map[string]policy.Level {
	out := map[string]policy.Level{}
	for _, key := range []string{"a", "a.b", "a.b.one", "a.c", "a.c.two", "d", "d.three"} {
		if w.IntN(4) == 0 {
			out[key] = w.level()
		}
	}
	return out
}

func (w world) scopes(n int, from string) []Scope {
	var out []Scope
	for i := range n {
		out = append(out, Scope{
			Name: fmt.Sprint(from, i), Levels: w.levels(), Place: Place{File: from, Line: i + 1},
			Match: Match{Clients: w.some("acme", "other"), Repos: w.some("acme/x", "acme/*"), Environments: w.some("prod", "dev"), Dirs: w.some("live/**", "live")},
		})
	}
	return out
}

var propertyRules = []policy.Rule{
	{ID: "a.b.one", Level: policy.Advisory}, {ID: "a.c.two", Level: policy.Mandatory}, {ID: "d.three", Level: policy.Hard}, {ID: "e.four", Level: policy.Advisory},
}

var propertyTarget = Target{Client: "acme", Repo: "acme/x", Dir: "live", Project: "live"}

// strongest says by the rule of precedence, written down once more and in
// another way, which scope decides on a rule: of those that match and speak of
// it, the one that names the smallest thing; of those the one that names the
// most kinds of things; of those the last.
func strongest(scopes []Scope, t Target, environment string, r policy.Rule) *Scope {
	var found *Scope
	rank := func(s Scope) [2]int {
		kinds := 0
		for _, l := range [][]string{s.Match.Clients, s.Match.Repos, s.Match.Environments, s.Match.Projects, s.Match.Dirs, s.Match.Workspaces} {
			if len(l) > 0 {
				kinds++
			}
		}
		switch {
		case len(s.Match.Dirs)+len(s.Match.Projects)+len(s.Match.Workspaces) > 0:
			return [2]int{4, kinds}
		case len(s.Match.Environments) > 0:
			return [2]int{3, kinds}
		case len(s.Match.Repos) > 0:
			return [2]int{2, kinds}
		case len(s.Match.Clients) > 0:
			return [2]int{1, kinds}
		}
		return [2]int{0, 0}
	}
	for i := range scopes {
		s := &scopes[i]
		speaks := false
		for key := range s.Levels {
			speaks = speaks || r.ID == key || strings.HasPrefix(r.ID, key+".")
		}
		if !speaks || !s.fits(t, environment) {
			continue
		}
		if found == nil {
			found = s
			continue
		}
		a, b := rank(*s), rank(*found)
		if a[0] > b[0] || a[0] == b[0] && a[1] >= b[1] {
			found = s
		}
	}
	return found
}

// TestPrecedence holds the levels that come out against the rule of precedence,
// over many configurations.
func TestPrecedence(t *testing.T) {
	for seed := range uint64(3000) {
		w := world{rand.New(rand.NewPCG(seed, 5))}
		scopes := w.scopes(w.IntN(7), "server.hcl")
		base := Options{Overrides: policy.Overrides{Levels: w.levels()}}
		environment := []string{"", "prod", "dev"}[w.IntN(3)]
		out := resolving{
			target: propertyTarget, environment: environment, rules: propertyRules,
			chain: chain{base: base, scopes: scopesOf(scopes, propertyTarget, environment)},
		}.resolve()
		for i, r := range propertyRules {
			want := r.Level
			if key, ok := longest(base.Overrides.Levels, r); ok {
				want = base.Overrides.Levels[key]
			}
			if s := strongest(scopes, propertyTarget, environment, r); s != nil {
				length := -1
				for key, l := range s.Levels {
					if (r.ID == key || strings.HasPrefix(r.ID, key+".")) && len(key) > length {
						want, length = l, len(key)
					}
				}
			}
			if got := out.levels[i].Level; got != want {
				t.Fatalf("seed %d: %s is %s, want %s; scopes %+v", seed, r.ID, got, want, scopes)
			}
		}
		// What the engine is told comes to the same.
		o := out.overrides(propertyRules)
		for i, r := range propertyRules {
			got := r.Level
			if key, ok := longest(o.Levels, r); ok {
				got = o.Levels[key]
			}
			if got != out.levels[i].Level {
				t.Fatalf("seed %d: the engine has %s for %s, want %s", seed, got, r.ID, out.levels[i].Level)
			}
		}
	}
}

// TestThreat_TighteningIsAllThatIsTaken: whatever an admin repository says that
// may not loosen, and whatever a repository says, no rule is less strict than
// the server's file has it, no setting looser, and nobody else may accept.
func TestThreat_TighteningIsAllThatIsTaken(t *testing.T) {
	number := func(v any) int { n, _ := v.(int); return n }
	higher := func(_, name string, than, value any) (ok, known bool) {
		return number(value) >= number(than), name == "up"
	}
	for seed := range uint64(3000) {
		w := world{rand.New(rand.NewPCG(seed, 7))}
		server, admin := w.scopes(w.IntN(5), "server.hcl"), w.scopes(w.IntN(5), "policies.hcl")
		for _, list := range [][]Scope{server, admin} {
			for i := range list {
				list[i].Settings = policy.Settings{"a": {"up": w.IntN(9), "free": w.IntN(9)}}
				list[i].Owners, list[i].OwnerCount = w.some("ada", "bob"), w.IntN(3)
			}
		}
		base := Options{Overrides: policy.Overrides{Levels: w.levels()}, Owners: policy.Owners{Who: w.some("root")}}
		environment, serverEnvironment := []string{"", "prod", "dev"}[w.IntN(3)], ""
		defaults := policy.Settings{"a": {"up": 0, "free": 0}}
		floor := chain{base: base, scopes: scopesOf(server, propertyTarget, serverEnvironment), defaults: defaults}
		least := resolving{target: propertyTarget, rules: propertyRules, chain: floor, tighter: higher}.resolve()
		both := resolving{
			target: propertyTarget, environment: environment, rules: propertyRules, floor: &floor, tighter: higher,
			chain: chain{base: base, scopes: scopesOf(slices.Concat(server, admin), propertyTarget, environment), defaults: defaults},
			repo:  RepoPolicy{Levels: w.levels(), Settings: policy.Settings{"a": {"up": w.IntN(9), "free": w.IntN(9)}}},
		}.resolve()
		for i := range propertyRules {
			if least.levels[i].Level.Stricter(both.levels[i].Level) {
				t.Fatalf("seed %d: %s is %s (%s), and the server has %s", seed, propertyRules[i].ID, both.levels[i].Level, both.levels[i].Origin, least.levels[i].Level)
			}
		}
		for _, name := range []string{"up", "free"} {
			min, _, _ := floor.setting("a", name)
			got := min
			for _, s := range both.settings {
				if s.Name == "a."+name {
					got = s.Value
				}
			}
			if name == "up" && number(got) < number(min) || name == "free" && got != min {
				t.Fatalf("seed %d: %s is %v, and the server has %v", seed, name, got, min)
			}
		}
		if want := least.owners[""]; len(want.Who) > 0 && !slices.Equal(both.owners[""].Who, want.Who) || both.owners[""].Count < want.Count {
			t.Fatalf("seed %d: owners %+v, and the server has %+v", seed, both.owners[""], want)
		}
	}
}
