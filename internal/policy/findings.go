package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// called reports whether a rule's name is the one given, or without its first
// word: deny_public is "public", and deny itself "".
func (r Rule) called(name string) bool {
	own, _ := r.ref[len(r.ref)-1].Value.(ast.String)
	_, short, _ := strings.Cut(string(own), "_")
	return name == string(own) || name == short
}

// read makes findings of a rule's value: a set or list of texts or objects, as
// conftest takes them, a single text, object or true, or an object of them by
// any keys.
func (r Rule) read(value any, level Level) ([]Finding, error) {
	switch v := value.(type) {
	case []any:
		return r.readAll(v, level)
	case map[string]any:
		if first(v, "msg", "message") != "" || len(v) == 0 {
			break
		}
		// deny[key] := value: what stands at the keys counts, and where that
		// is merely true, the key itself.
		list := make([]any, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch x := v[key].(type) {
			case bool:
				if x {
					list = append(list, key)
				}
			case []any:
				list = append(list, x...)
			default:
				list = append(list, x)
			}
		}
		return r.readAll(list, level)
	}
	return r.readAll([]any{value}, level)
}

func (r Rule) readAll(list []any, level Level) ([]Finding, error) {
	var out []Finding
	for _, v := range list {
		f := Finding{Rule: r.ID, Pack: r.Pack, Title: r.Title, Severity: r.Severity, Level: level, Help: r.Mend}
		switch v := v.(type) {
		case bool:
			if !v {
				continue
			}
			f.Message = r.Title
		case string:
			f.Message = v
		case map[string]any:
			if len(v) == 0 && len(list) == 1 {
				continue // a partial object that holds nothing
			}
			f.Message = first(v, "msg", "message")
			f.Address = first(v, "address", "resource")
			if details, ok := v["details"].(map[string]any); ok && f.Address == "" {
				f.Address = first(details, "address", "resource")
			}
			f.Fingerprint = first(v, "fingerprint")
			if f.Message == "" {
				return nil, errors.New(`gave an object without a "msg"`)
			}
			// A finding may be weaker than its rule, never stronger: levels are
			// the server's.
			if v["level"] == string(Advisory) {
				f.Level = Advisory
			}
		default:
			return nil, fmt.Errorf("gave %s, which is neither a text nor an object with a \"msg\"", compact(v))
		}
		out = append(out, f)
	}
	return out, nil
}

func first(m map[string]any, keys ...string) string {
	for _, k := range keys {
		if s, ok := m[k].(string); ok && strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > 60 {
		return "something"
	}
	return string(raw)
}
