package policyset

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Match says which projects something is about: those that fit a pattern of
// every list that is not empty. An empty Match is about all.
type Match struct {
	Clients      []string // their names
	Repos        []string // "owner/name"
	Environments []string // see Environment
	Projects     []string // their names
	Dirs         []string // within the repository
	Workspaces   []string
}

// fits reports whether the target, whose environment is given, is meant.
func (m Match) fits(t Target, environment string) bool {
	return one(m.Clients, t.Client, true) && one(m.Repos, t.Repo, true) && one(m.Environments, environment, false) &&
		one(m.Projects, t.Project, false) && one(m.Dirs, t.Dir, false) && one(m.Workspaces, t.Workspace, false)
}

// one reports whether a value fits one of the patterns; an empty list takes
// all. GitHub does not tell upper case from lower, so clients and repositories
// are compared without it.
func one(patterns []string, value string, fold bool) bool {
	if fold {
		value = strings.ToLower(value)
	}
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		if fold {
			p = strings.ToLower(p)
		}
		ok, err := doublestar.Match(p, value)
		return ok && err == nil
	})
}

// How narrow the lists of a Match are: a client has repositories, those hold
// environments, and those hold projects.
const (
	ofAll = iota
	ofClient
	ofRepo
	ofEnvironment
	ofProject
)

// narrowness orders what matches by how closely it says what it is about: by
// the smallest thing that it names, and then by how many kinds of things.
func (m Match) narrowness() (smallest, kinds int) {
	for _, l := range []struct {
		list []string
		of   int
	}{{m.Clients, ofClient}, {m.Repos, ofRepo}, {m.Environments, ofEnvironment}, {m.Projects, ofProject}, {m.Dirs, ofProject}, {m.Workspaces, ofProject}} {
		if len(l.list) > 0 {
			smallest, kinds = max(smallest, l.of), kinds+1
		}
	}
	return smallest, kinds
}

// byNarrowness compares: the narrower comes later.
func byNarrowness(a, b Match) int {
	as, ak := a.narrowness()
	bs, bk := b.narrowness()
	return cmp.Or(cmp.Compare(as, bs), cmp.Compare(ak, bk))
}

// environmentOf returns the name of the target's environment: of the blocks
// that match, the narrowest's, and of equally narrow ones the last's.
func environmentOf(blocks []Environment, t Target) (name, origin string) {
	var found *Environment
	for i := range blocks {
		if e := &blocks[i]; e.fits(t, "") && (found == nil || byNarrowness(e.Match, found.Match) >= 0) {
			found = e
		}
	}
	if found == nil {
		return "", ""
	}
	return found.Name, found.Place.String()
}

// scopesOf returns the scopes that match the target, the strongest last: the
// narrower one is stronger, and of equally narrow ones the later.
func scopesOf(scopes []Scope, t Target, environment string) []Scope {
	var out []Scope
	for _, s := range scopes {
		if s.fits(t, environment) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Scope) int { return byNarrowness(a.Match, b.Match) })
	return out
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
