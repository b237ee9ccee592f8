package planner

import (
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Layers returns the layer of each project, by its key: 0 for one that
// depends on none of the others, else one more than the highest of those that
// it depends on. A project is planned after what it depends on is applied.
// depends_on names that are not among the projects are passed over: a change
// that doesn't touch them leaves nothing to wait for. The error is
// errs.Invalid and names a circle.
func Layers(projects []Project) (map[string]int, error) {
	byName := map[string]Project{}
	for _, p := range projects {
		byName[p.Name] = p
	}
	layers := map[string]int{}
	const visiting = -1
	var visit func(p Project, path []string) (int, error)
	visit = func(p Project, path []string) (int, error) {
		path = append(path, p.Name)
		if l, ok := layers[p.Key()]; ok {
			if l == visiting {
				return 0, errs.New(errs.Invalid, "The projects depend on each other in a circle: %s.", strings.Join(circle(path), " → "))
			}
			return l, nil
		}
		layers[p.Key()] = visiting
		layer := 0
		for _, name := range p.DependsOn {
			on, ok := byName[name]
			if !ok {
				continue
			}
			l, err := visit(on, path)
			if err != nil {
				return 0, err
			}
			layer = max(layer, l+1)
		}
		layers[p.Key()] = layer
		return layer, nil
	}
	for _, p := range projects {
		if _, err := visit(p, nil); err != nil {
			return nil, err
		}
	}
	return layers, nil
}

// circle cuts a path to the circle that it ends in.
func circle(path []string) []string {
	last := path[len(path)-1]
	for i, name := range path {
		if name == last {
			return path[i:]
		}
	}
	return path
}

// After reports whether a is applied after b where both are: it depends on b,
// or its order group is higher. transitive holds, by project name, all that
// each project depends on; see DependenciesOf.
func After(a, b Project, transitive map[string]map[string]bool) bool {
	return transitive[a.Name][b.Name] || a.Order > b.Order
}

// DependenciesOf returns by name all that each project depends on, at any
// depth. The projects must form no circle; see Layers.
func DependenciesOf(projects []Project) map[string]map[string]bool {
	byName := map[string]Project{}
	for _, p := range projects {
		byName[p.Name] = p
	}
	out := map[string]map[string]bool{}
	var of func(name string) map[string]bool
	of = func(name string) map[string]bool {
		if known, ok := out[name]; ok {
			return known
		}
		all := map[string]bool{}
		out[name] = all
		for _, on := range byName[name].DependsOn {
			all[on] = true
			for deeper := range of(on) {
				all[deeper] = true
			}
		}
		return all
	}
	for _, p := range projects {
		of(p.Name)
	}
	return out
}
