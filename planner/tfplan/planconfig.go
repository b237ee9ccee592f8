package tfplan

import (
	"strings"

	"github.com/tidelock/tidelock/internal/redact"
)

// wireModule is a module in the plan's configuration, as far as it is read.
type wireModule struct {
	Resources []struct {
		Mode        string         `json:"mode"`
		Type        string         `json:"type"`
		Name        string         `json:"name"`
		Expressions map[string]any `json:"expressions"`
	} `json:"resources"`
	Calls map[string]struct {
		Module wireModule `json:"module"`
	} `json:"module_calls"`
	Variables map[string]struct {
		Sensitive bool `json:"sensitive"`
	} `json:"variables"`
}

// collect gathers every resource's expressions under configKey's names.
func (m *wireModule) collect(path string, into map[string]any) {
	for _, r := range m.Resources {
		if r.Expressions != nil {
			into[path+"\x00"+r.Mode+"\x00"+r.Type+"\x00"+r.Name] = r.Expressions
		}
	}
	for name, call := range m.Calls {
		call.Module.collect(path+"."+name, into)
	}
}

// configKey names a resource's configuration: the module's address without
// instance keys, which all instances share.
func configKey(module, mode, typ, name string) string {
	var path strings.Builder
	// module.a["x.y"].module.b → .a.b
	for rest := module; rest != ""; {
		rest = strings.TrimPrefix(rest, "module.")
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		path.WriteString("." + rest[:end])
		rest = rest[end:]
		if strings.HasPrefix(rest, "[") {
			rest = rest[indexEnd(rest):]
		}
		next := strings.TrimPrefix(rest, ".")
		if next == rest && rest != "" {
			break // not an address; what was read so far finds nothing
		}
		rest = next
	}
	return path.String() + "\x00" + mode + "\x00" + typ + "\x00" + name
}

// indexEnd returns the length of the instance key that s begins with.
func indexEnd(s string) int {
	quoted, escaped := false, false
	for i := 0; i < len(s); i++ {
		switch {
		case escaped:
			escaped = false
		case quoted && s[i] == '\\':
			escaped = true
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			return i + 1
		}
	}
	return len(s)
}

// secrets are the values that a plan marks as sensitive anywhere.
type secrets struct {
	values []string
	masker *redact.Masker
}

// in reports whether text holds one of them. A nil *secrets holds none.
func (s *secrets) in(text string) bool {
	return s != nil && len(s.values) > 0 && s.masker.String(text) != text
}

// SensitiveValues returns the strings that the plan marks as sensitive
// anywhere: in an object, an output or a variable. Whoever shows any text that
// came of the run masks them in it (redact.NewMasker), since Terraform itself
// loses marks on the way through providers. They are secrets.
func (p *Plan) SensitiveValues() []string {
	if p.secrets == nil {
		return nil
	}
	return p.secrets.values
}

func secretsOf(w *wirePlan) *secrets {
	s := &secrets{}
	seen := map[string]bool{}
	add := func(v, mask any) {
		eachMasked(v, mask, func(text string) {
			if !seen[text] {
				seen[text] = true
				s.values = append(s.values, text)
			}
		})
	}
	values := func(v wireValues) {
		add(v.Before, v.BeforeSensitive)
		add(v.After, v.AfterSensitive)
	}
	for _, list := range [][]wireChange{w.ResourceChanges, w.ResourceDrift} {
		for _, c := range list {
			values(c.Change)
		}
	}
	for _, o := range w.OutputChanges {
		values(o)
	}
	for name, v := range w.Variables {
		if w.Configuration.RootModule.Variables[name].Sensitive {
			add(v.Value, true)
		}
	}
	if len(s.values) > 0 {
		s.masker = redact.NewMasker(s.values...)
	}
	return s
}

// eachMasked calls f for every string in v that mask covers.
func eachMasked(v, mask any, f func(string)) {
	if squash(mask) == nil {
		return
	}
	switch v := v.(type) {
	case string:
		if mask == true && v != "" {
			f(v)
		}
	case map[string]any:
		for k, m := range v {
			eachMasked(m, member(mask, k), f)
		}
	case []any:
		for i, m := range v {
			eachMasked(m, element(mask, i), f)
		}
	}
}
