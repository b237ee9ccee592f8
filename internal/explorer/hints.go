package explorer

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/planner"
)

// hintResources bounds how many resources are looked at for a near name.
const hintResources = 20_000

// Hints says, of a query that found nothing, which of its words are not known
// at all and what may have been meant, in sentences.
func (x *Index) Hints(ctx context.Context, q Query) ([]string, error) {
	var hints []string
	k, err := x.sources(ctx, q.Client)
	if err != nil {
		return nil, err
	}
	if q.Type != "" {
		counts, err := x.Counts(ctx, q.Client)
		if err != nil {
			return nil, err
		}
		types := slices.Sorted(maps.Keys(counts))
		if !anyLike(q.Type, types) {
			hints = append(hints, "There is no resource of the type "+quote(q.Type)+"."+planner.DidYouMean(q.Type, types))
		}
	}
	if q.Project != "" {
		var names []string
		for _, s := range k.byID {
			names = append(names, s.name)
		}
		slices.Sort(names)
		if !anyLike(q.Project, names) {
			hints = append(hints, "There is no project "+quote(q.Project)+"."+planner.DidYouMean(q.Project, names))
		}
	}
	for _, w := range []struct {
		kind string
		Wanted
	}{{Module, q.Module}, {Provider, q.Provider}} {
		if !w.Empty() {
			hints = append(hints, w.hint(w.kind, k)...)
		}
	}
	more, err := x.hintNames(ctx, q)
	return append(hints, more...), err
}

func (w Wanted) hint(kind string, k *knowledge) []string {
	var names, versions []string
	for _, u := range k.uses {
		if u.Kind != kind {
			continue
		}
		name := lastParts(u.Name, 1+strings.Count(w.Name, "/"))
		names = append(names, name)
		if w.names(u.Name) {
			versions = append(versions, u.Version)
		}
	}
	if len(versions) == 0 {
		slices.Sort(names)
		return []string{"No plan used a " + kind + " " + quote(w.Name) + "." + planner.DidYouMean(w.Name, slices.Compact(names))}
	}
	if w.Version == "" || slices.ContainsFunc(versions, w.versions) {
		return nil
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	return []string{"The " + kind + " " + quote(w.Name) + " is used, in other versions: " + strings.Join(versions[:min(len(versions), 10)], ", ") + "."}
}

// hintNames looks for near addresses, and for near names of attributes.
func (x *Index) hintNames(ctx context.Context, q Query) ([]string, error) {
	literal := q.Address != "" && !wild(q.Address)
	if !literal && len(q.Attributes) == 0 {
		return nil, nil
	}
	var addresses []string
	paths := map[string]bool{}
	n := 0
	look := Query{Client: q.Client, Project: q.Project, Type: q.Type, Full: len(q.Attributes) > 0}
	_, err := x.search(ctx, look, func(r Resource) bool {
		if literal {
			addresses = append(addresses, r.Address)
		}
		for _, a := range r.Attributes {
			paths[a.Path] = true
		}
		n++
		return n < hintResources
	})
	if err != nil {
		return nil, err
	}
	var hints []string
	if literal && !slices.Contains(addresses, q.Address) {
		hints = append(hints, "There is no resource "+quote(q.Address)+"."+planner.DidYouMean(q.Address, addresses))
	}
	known := slices.Sorted(maps.Keys(paths))
	for _, m := range q.Attributes {
		if !anyLike(m.Path, known) {
			hints = append(hints, "No resource that was looked at has an attribute "+quote(m.Path)+" that may be shown."+planner.DidYouMean(m.Path, known))
		}
	}
	return hints, nil
}

// lastParts are the last n parts of a path.
func lastParts(path string, n int) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[max(0, len(parts)-n):], "/")
}

func anyLike(pattern string, all []string) bool {
	return slices.ContainsFunc(all, func(s string) bool { return matches(pattern, s) })
}

func quote(s string) string { return "\"" + s + "\"" }
