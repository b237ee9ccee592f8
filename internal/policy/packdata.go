package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

// manifestFile is the manifest of an OPA bundle, at its root.
const manifestFile = ".manifest"

// manifest is what is read of it.
type manifest struct {
	Roots []string `json:"roots"` // paths below data that the bundle owns; nil is all
}

// isData reports whether a file of a pack is data, and places are the pack's
// Data.
func isData(name string, places []string) bool {
	switch path.Ext(name) {
	case ".json", ".yaml", ".yml":
	default:
		return false
	}
	if strings.TrimSuffix(path.Base(name), path.Ext(name)) == "data" {
		return true
	}
	_, ok := placeOf(name, places)
	return ok
}

// placeOf gives the place that a file is in: the longest.
func placeOf(name string, places []string) (place string, ok bool) {
	if len(places) == 0 {
		places = []string{"data"}
	}
	for _, p := range places {
		if p = path.Clean(p); p == "." || name == p || strings.HasPrefix(name, p+"/") {
			if !ok || len(p) > len(place) {
				place, ok = p, true
			}
		}
	}
	return place, ok
}

// readData puts a file's JSON or YAML into the pack's data: under the names of
// the folders that it is in, within the place it was found in.
func (s *source) readData(name string, src []byte) {
	file := path.Join(s.Name, name)
	wrong := func(format string, args ...any) {
		s.problems = append(s.problems, Problem{File: file, Message: fmt.Sprintf(format, args...)})
	}
	var value any
	if err := util.Unmarshal(src, &value); err != nil {
		wrong("the data can't be read: %v", err)
		return
	}
	if value == nil {
		return // an empty file
	}
	doc, ok := value.(map[string]any)
	if !ok {
		wrong("data is an object of names and values, and this is none")
		return
	}
	dir := path.Dir(name)
	switch place, ok := placeOf(name, s.Data); {
	case ok && place == name:
		dir = "."
	case ok && place != ".":
		dir = strings.TrimPrefix(strings.TrimPrefix(dir, place), "/")
	}
	at := s.data
	if dir != "." && dir != "" {
		for step := range strings.SplitSeq(dir, "/") {
			next, ok := at[step].(map[string]any)
			if !ok {
				if at[step] != nil {
					wrong("data.%s is given twice", strings.ReplaceAll(dir, "/", "."))
					return
				}
				next = map[string]any{}
				at[step] = next
			}
			at = next
		}
	}
	if key := merge(at, doc); key != "" {
		wrong("%s of the data is given by another file too", key)
	}
	if _, taken := s.data[bundledRoot]; taken {
		delete(s.data, bundledRoot)
		wrong("data.%s belongs to the bundled policies; choose another name", bundledRoot)
	}
}

// merge adds doc to at and gives the first key that both have a value of.
func merge(at, doc map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		a, both := at[key].(map[string]any)
		b, objects := doc[key].(map[string]any)
		switch _, there := at[key]; {
		case !there:
			at[key] = doc[key]
		case !both || !objects:
			return key
		default:
			if k := merge(a, b); k != "" {
				return key + "." + k
			}
		}
	}
	return ""
}

func (s *source) readManifest(src []byte) {
	if err := json.Unmarshal(src, &s.manifest); err != nil {
		s.problems = append(s.problems, Problem{File: path.Join(s.Name, manifestFile), Message: fmt.Sprintf("the bundle's manifest can't be read: %v", err)})
	}
}

// template tells of Gatekeeper's templates, whose Rego is inside of YAML and
// made for what Kubernetes admits.
func (s *source) template(name string, src []byte) {
	var head struct {
		Kind string `json:"kind"`
	}
	if util.Unmarshal(src, &head) == nil && head.Kind == "ConstraintTemplate" {
		s.problems = append(s.problems, Problem{File: path.Join(s.Name, name), Message: "a Gatekeeper ConstraintTemplate is not read: put its Rego into a .rego file, and let it read input.resource_changes in place of input.review"})
	}
}

// checkRoots holds a bundle to what its manifest says that it owns.
func (s *source) checkRoots() {
	if s.manifest.Roots == nil {
		return
	}
	owned := func(p string) bool {
		return slices.ContainsFunc(s.manifest.Roots, func(root string) bool {
			root = strings.Trim(root, "/")
			return root == "" || p == root || strings.HasPrefix(p, root+"/")
		})
	}
	for file, m := range s.modules {
		if p := pathOf(m.Package.Path); !owned(p) {
			s.problems = append(s.problems, Problem{File: file, Line: m.Package.Location.Row, Message: fmt.Sprintf("package %s is outside of the roots that the bundle's manifest names: %s", strings.ReplaceAll(p, "/", "."), strings.Join(s.manifest.Roots, ", "))})
		}
	}
	var look func(at map[string]any, prefix string)
	look = func(at map[string]any, prefix string) {
		for _, key := range slices.Sorted(maps.Keys(at)) {
			p := prefix + key
			if owned(p) {
				continue
			}
			if below, ok := at[key].(map[string]any); ok {
				look(below, p+"/")
				continue
			}
			s.problems = append(s.problems, Problem{File: path.Join(s.Name, manifestFile), Message: fmt.Sprintf("data.%s is outside of the roots that the manifest names: %s", strings.ReplaceAll(p, "/", "."), strings.Join(s.manifest.Roots, ", "))})
		}
	}
	look(s.data, "")
}

// pathOf is a package's path without data, with slashes.
func pathOf(ref ast.Ref) string {
	words := make([]string, 0, len(ref))
	for _, t := range ref[1:] {
		word, _ := t.Value.(ast.String)
		words = append(words, string(word))
	}
	return strings.Join(words, "/")
}
