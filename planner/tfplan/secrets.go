package tfplan

import (
	"encoding/json"
	"strings"

	"github.com/tidelock/tidelock/internal/redact"
)

// concealed stands in place of what must not show.
const concealed = "(sensitive value)"

// secrets are the values that a plan marks as sensitive anywhere.
type secrets struct {
	values []string
	lines  []string        // those of several lines
	keys   map[string]bool // names in maps that are sensitive as a whole
	masker *redact.Masker
}

// in reports whether text holds one of them. A nil *secrets holds none.
func (s *secrets) in(text string) bool {
	return s != nil && len(s.values) > 0 && s.masker.String(text) != text
}

// spans reports whether text holds a secret of several lines, which nobody
// would find in any one line of it.
func (s *secrets) spans(text string) bool {
	if s == nil {
		return false
	}
	for _, v := range s.lines {
		if strings.Contains(text, v) {
			return true
		}
	}
	return false
}

// hide replaces the secrets in text.
func (s *secrets) hide(text string) string {
	if s == nil || len(s.values) == 0 {
		return text
	}
	return strings.ReplaceAll(s.masker.String(text), redact.Mask, concealed)
}

// key reports whether a name stands in a map that is sensitive as a whole.
func (s *secrets) key(name string) bool { return s != nil && s.keys[name] }

// SensitiveValues returns the strings that the plan marks as sensitive
// anywhere: in an object, an output, a variable, or in a data source that was
// read while planning. Whoever shows any text that
// came of the run masks them in it (redact.NewMasker), since Terraform itself
// loses marks on the way through providers. They are secrets.
func (p *Plan) SensitiveValues() []string {
	if p.secrets == nil {
		return nil
	}
	return p.secrets.values
}

func secretsOf(w *wirePlan) *secrets {
	s := &secrets{keys: map[string]bool{}}
	seen := map[string]bool{}
	value := func(text string) {
		if text != "" && !seen[text] {
			seen[text] = true
			s.values = append(s.values, text)
			if strings.Contains(strings.TrimSpace(text), "\n") {
				s.lines = append(s.lines, text)
			}
		}
	}
	key := func(name string) {
		s.keys[name] = true
		if !plainWord(name) {
			value(name)
		}
	}
	add := func(v, mask any) { eachMasked(v, mask, value, key) }
	values := func(v wireValues) {
		add(v.Before, v.BeforeSensitive)
		add(v.After, v.AfterSensitive)
	}
	for _, list := range [][]wireChange{w.changes, w.drift} {
		for _, c := range list {
			values(c.Change)
		}
	}
	for _, d := range w.deferred {
		values(d.Change.Change)
	}
	for _, i := range w.invocations {
		add(i.Config, i.Sensitive)
	}
	for _, d := range w.deferredInvocations {
		add(d.Invocation.Config, d.Invocation.Sensitive)
	}
	for _, o := range w.outputs {
		values(o)
	}
	for _, o := range w.prior.Values.Outputs {
		if o.Sensitive {
			add(o.Value, true)
		}
	}
	w.prior.Values.RootModule.each(add)
	for name, v := range w.variables {
		if w.configuration.RootModule.Variables[name].Sensitive {
			add(v.Value, true)
		}
	}
	if len(s.values) > 0 {
		s.masker = redact.NewMasker(s.values...)
	}
	return s
}

// plainWord tells a name that code uses, "username", from one that may itself
// be the secret: "ada@example.com", "AKIA42". To mask the former wherever it
// stands would make the text unreadable.
func plainWord(name string) bool {
	for _, r := range name {
		if (r|0x20 < 'a' || r|0x20 > 'z') && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

// eachMasked calls value for every string and number in v that mask covers,
// and key for every name in it that stands in an object covered as a whole.
func eachMasked(v, mask any, value, key func(string)) {
	if squash(mask) == nil {
		return
	}
	switch v := v.(type) {
	case string:
		if mask == true {
			value(v)
		}
	case json.Number:
		if mask == true {
			value(v.String())
		}
	case map[string]any:
		for k, m := range v {
			if mask == true {
				key(k)
			}
			eachMasked(m, MaskMember(mask, k), value, key)
		}
	case []any:
		for i, m := range v {
			eachMasked(m, MaskElement(mask, i), value, key)
		}
	}
}
