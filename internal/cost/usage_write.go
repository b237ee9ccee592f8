package cost

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// YAML writes what is expected of each resource of a plan as a usage file, for
// programs that read one: what lies over what is settled by then. It returns
// nil where nothing is expected of any.
func (u *Usage) YAML(plan *tfplan.Plan) ([]byte, error) {
	resources := map[string]any{}
	for i := range plan.Changes {
		ch := &plan.Changes[i]
		if ch.Mode != "managed" {
			continue
		}
		e := u.of(ch.Address, ch.Type)
		if e == nil && ch.PrevAddress != "" {
			e = u.of(ch.PrevAddress, ch.Type)
		}
		if e == nil || len(e.values) == 0 {
			continue
		}
		values := map[string]any{}
		for _, path := range slices.Sorted(maps.Keys(e.values)) {
			v := e.values[path]
			leaf := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: v.number.String()}
			if v.text != "" {
				leaf = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v.text}
			} else if v.number.IsInteger() {
				leaf.Tag = "!!int"
			}
			put(values, strings.Split(path, "."), leaf)
		}
		resources[ch.Address] = values
	}
	if len(resources) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	err := enc.Encode(map[string]any{"version": "0.1", "resource_usage": resources})
	return out.Bytes(), err
}

// put sets a value under names that lie in each other. Where a name has both a
// value and names below it, as in files over each other, the first stays.
func put(m map[string]any, path []string, leaf *yaml.Node) {
	for _, name := range path[:len(path)-1] {
		next, ok := m[name].(map[string]any)
		if !ok {
			if m[name] != nil {
				return
			}
			next = map[string]any{}
			m[name] = next
		}
		m = next
	}
	if last := path[len(path)-1]; m[last] == nil {
		m[last] = leaf
	}
}
