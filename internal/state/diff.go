package state

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Diff is how two versions of a state differ.
type Diff struct {
	From, To  Version
	Resources []ResourceDiff
	Outputs   []AttributeDiff
}

// The ways in which a resource differs.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// ResourceDiff is one resource that differs.
type ResourceDiff struct {
	Address    string          `json:"address"`
	Action     string          `json:"action"` // Added, Removed or Changed
	Attributes []AttributeDiff `json:"attributes,omitempty"`
}

// AttributeDiff is one value that differs. A sensitive one shows neither side.
type AttributeDiff struct {
	Path      string  `json:"path"`
	Before    *string `json:"before,omitempty"` // JSON, cut where it is long; nil: it was not there
	After     *string `json:"after,omitempty"`
	Sensitive bool    `json:"sensitive,omitempty"`
}

// maxCompared bounds a state that is compared: the comparison holds both.
const maxCompared = 64 << 20

// maxShown is how much of one value a comparison shows, in bytes.
const maxShown = 300

// Compare returns how a version differs from an earlier one. Version 0 is what
// is there before the first: nothing.
func (s *Store) Compare(ctx context.Context, client, name string, from, to int64) (Diff, error) {
	var d Diff
	var sides [2]side
	for i, seq := range []int64{from, to} {
		if seq == 0 {
			continue
		}
		v, content, err := s.ReadVersion(ctx, client, name, seq)
		if err != nil {
			return d, err
		}
		if v.Encrypted || v.Size > maxCompared {
			_ = content.Close()
			if v.Encrypted {
				return d, errs.New(errs.Conflict, "Version %d was encrypted by OpenTofu before it came here; nobody here can look into it.", seq)
			}
			return d, errs.New(errs.TooLarge, "Version %d has %d bytes; versions of up to %d can be compared. Pull both instead.", seq, v.Size, maxCompared)
		}
		sides[i], err = readSide(content)
		_ = content.Close()
		if err != nil {
			return d, fmt.Errorf("compare versions of %s: version %d: %w", name, seq, err)
		}
		if i == 0 {
			d.From = v
		} else {
			d.To = v
		}
	}
	before, after := sides[0], sides[1]
	secret := NewSecrets()
	for _, one := range sides {
		one.tell(secret)
	}
	secret.Close()
	for _, address := range keysOf(before.resources, after.resources) {
		was, had := before.resources[address]
		is, has := after.resources[address]
		r := ResourceDiff{Address: address, Action: Changed, Attributes: compare(was, is, secret)}
		switch {
		case !had:
			r.Action, r.Attributes = Added, nil
		case !has:
			r.Action, r.Attributes = Removed, nil
		case len(r.Attributes) == 0:
			continue
		}
		d.Resources = append(d.Resources, r)
	}
	d.Outputs = compare(before.outputs, after.outputs, secret)
	return d, nil
}

// side is one version, flat.
type side struct {
	resources map[string]values // by address
	outputs   values
}

// tell adds what is sensitive to what is secret wherever else it stands.
func (s side) tell(secret *Secrets) {
	for _, l := range s.outputs {
		secret.addLeaf(l, true)
	}
	for _, r := range s.resources {
		for _, l := range r {
			secret.addLeaf(l, l.marked)
		}
	}
}

// values are the leaves of something, by path.
type values map[string]leaf

type leaf struct {
	text      string // JSON
	sensitive bool
	marked    bool // by the state; only a comparison asks
	path      []string
}

// file is a state of format 4, as far as it is compared.
type file struct {
	Version int
	Outputs map[string]struct {
		Value     any
		Sensitive bool
	}
	Resources []struct {
		Module, Mode, Type, Name, Each string
		Instances                      []struct {
			IndexKey   any `json:"index_key"`
			Status     string
			Deposed    string
			Attributes map[string]any
			Flat       map[string]any    `json:"attributes_flat"`
			Sensitive  []json.RawMessage `json:"sensitive_attributes"`
		}
	}
}

func readSide(r io.Reader) (side, error) {
	dec := json.NewDecoder(r)
	dec.UseNumber()
	var f file
	if err := dec.Decode(&f); err != nil {
		return side{}, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // the true end of what is stored
		return side{}, err
	}
	if f.Version != 4 {
		return side{}, errs.New(errs.Conflict, "States of format %d can't be compared, only those of format 4.", f.Version)
	}
	out := side{map[string]values{}, values{}}
	for name, o := range f.Outputs {
		flatten(out.outputs, []string{name}, o.Value, func([]string) bool { return o.Sensitive || secretName(name) })
	}
	for _, r := range f.Resources {
		for _, in := range r.Instances {
			address := addressOf(r.Module, r.Mode, r.Type, r.Name, in.IndexKey, in.Deposed)
			marked := sensitivePaths(r.Type, in.Sensitive)
			hidden := func(path []string) bool { return secretPath(r.Type, path) || underAny(path, marked) }
			v := values{}
			if in.Status != "" {
				v["(status)"] = leaf{text: strconv.Quote(in.Status)}
			}
			for name, value := range in.Attributes {
				flatten(v, []string{name}, value, hidden)
			}
			for name, value := range in.Flat {
				flatten(v, []string{name}, value, hidden)
			}
			for path, l := range v {
				if l.sensitive && underAny(l.path, marked) {
					l.marked = true
					v[path] = l
				}
			}
			out.resources[address] = v
		}
	}
	return out, nil
}

func flatten(into values, path []string, v any, hidden func([]string) bool) {
	switch v := v.(type) {
	case map[string]any:
		if namesSecret(v) {
			all := hidden
			hidden = func(p []string) bool { return all(p) || len(p) > len(path) && carries[p[len(path)]] }
		}
		for name, inner := range v {
			flatten(into, append(slices.Clip(path), name), inner, hidden)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i, inner := range v {
			flatten(into, append(slices.Clip(path), strconv.Itoa(i)), inner, hidden)
		}
		if len(v) > 0 {
			return
		}
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // people read it
	if err := enc.Encode(v); err != nil {
		text.WriteString(`"?"`) // nothing that was read from JSON
	}
	into[strings.Join(path, ".")] = leaf{text: strings.TrimSuffix(text.String(), "\n"), sensitive: hidden(path), path: path}
}

// carries are the names under which a pair has its value: {name = "DB_PASSWORD",
// value = "…"}, as environments of containers have it.
var carries = map[string]bool{"value": true, "values": true, "string_value": true, "default": true, "default_value": true}

// namesSecret reports whether an object is a pair whose name is like a secret's.
func namesSecret(v map[string]any) bool {
	for _, key := range [...]string{"name", "key", "variable", "parameter_name"} {
		if s, ok := v[key].(string); ok && secretName(s) {
			return true
		}
	}
	return false
}

// sensitivePaths reads sensitive_attributes: lists of steps, each the name of
// an attribute or an index. One that can't be read hides the whole resource.
func sensitivePaths(resource string, raw []json.RawMessage) [][]string {
	var all [][]string
	for _, r := range raw {
		var steps []struct {
			Type  string
			Value any
		}
		if err := json.Unmarshal(r, &steps); err != nil {
			return [][]string{{}}
		}
		path := []string{}
		for _, s := range steps {
			value := s.Value
			if m, ok := value.(map[string]any); ok {
				value = m["value"]
			}
			path = append(path, fmt.Sprint(value))
		}
		all = append(all, path)
		if resource == "terraform_data" && len(path) > 0 && path[0] == "input" { // which comes out again, unmarked
			all = append(all, append([]string{"output"}, path[1:]...))
		}
	}
	return all
}

// underAny reports whether the path leads to something marked, or into it. A
// value whose type the provider's schema leaves open stands in the state as
// {"value": …, "type": …}, and marks don't have that step.
func underAny(path []string, marked [][]string) bool {
	under := func(path []string) bool {
		return slices.ContainsFunc(marked, func(m []string) bool {
			return len(path) >= len(m) && slices.Equal(path[:len(m)], m)
		})
	}
	if len(marked) == 0 || under(path) {
		return len(marked) > 0
	}
	for i := 1; i < len(path); i++ {
		if path[i] == "value" && under(slices.Delete(slices.Clone(path), i, i+1)) {
			return true
		}
	}
	return false
}

func compare(before, after values, secret *Secrets) []AttributeDiff {
	var all []AttributeDiff
	for _, path := range keysOf(before, after) {
		was, had := before[path]
		is, has := after[path]
		if had == has && was.text == is.text {
			continue
		}
		d := AttributeDiff{Path: path, Sensitive: was.sensitive || is.sensitive || secret.hidesLeaf(was) || secret.hidesLeaf(is)}
		if !d.Sensitive {
			if had {
				d.Before = shown(was.text)
			}
			if has {
				d.After = shown(is.text)
			}
		}
		all = append(all, d)
	}
	return all
}

func shown(text string) *string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return &text
}

func keysOf[V any](a, b map[string]V) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return slices.Sorted(maps.Keys(all))
}
