package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Settings are what the server chooses of a pack: pack → name → value, where a
// value is a string, a number, a boolean or a list of them. What is not set has
// the default that stands in the pack.
type Settings map[string]map[string]any

// Overrides change how plans are judged. They come from the server's
// configuration, never from the repository that is judged.
type Overrides struct {
	// Levels sets levels by rule ID, or by the beginning of IDs up to a dot:
	// "security.aws" is every rule of that folder. A pack's name and a slash
	// may stand before it, which speaks of that pack's rules alone: two packs
	// may have rules of one ID. The longest that fits counts.
	Levels   map[string]Level
	Settings Settings
}

// tuning is overrides that have been checked, over the engine's own.
type tuning struct {
	levels   map[string]Level // of every rule, by its key
	settings Settings
	version  string
}

// Check reports all that is wrong with overrides, as one errs.Invalid error: an
// unknown rule, level, pack or setting, or a value of the wrong kind.
func (e *Engine) Check(o Overrides) error {
	_, err := e.tune(o)
	return err
}

// Levels returns the level that each rule has with the overrides, by its key
// and by its ID: of several with the same ID the strictest. Wrong overrides are
// errs.Invalid.
func (e *Engine) Levels(o Overrides) (map[string]Level, error) {
	t, err := e.tune(o)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(t.levels)
	for _, r := range e.rules {
		if l, ok := out[r.ID]; r.Key() != r.ID && (!ok || t.levels[r.Key()].Stricter(l)) {
			out[r.ID] = t.levels[r.Key()]
		}
	}
	return out, nil
}

// Version is a hash of the rules, levels and settings that judge where there
// are no overrides.
func (e *Engine) Version() string { return e.base.version }

func (e *Engine) tune(o Overrides) (tuning, error) {
	if len(o.Levels) == 0 && len(o.Settings) == 0 && e.base.levels != nil {
		return e.base, nil
	}
	t := tuning{levels: map[string]Level{}, settings: Settings{}}
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(o.Levels)) {
		if !slices.ContainsFunc(e.rules, func(r Rule) bool { return r.covered(key) }) {
			wrong = append(wrong, fmt.Sprintf("there is no rule %q", key))
		}
		if l := o.Levels[key]; !slices.Contains(levels, l) {
			wrong = append(wrong, fmt.Sprintf("the level of %s is %q, which is none of off, advisory, mandatory, hard", key, l))
		}
	}
	for _, r := range e.rules {
		level, longest := r.Level, -1
		for key, l := range o.Levels {
			if r.covered(key) && len(key) > longest {
				level, longest = l, len(key)
			}
		}
		t.levels[r.Key()] = level
	}
	for pack, values := range e.base.settings {
		t.settings[pack] = maps.Clone(values)
	}
	for _, pack := range slices.Sorted(maps.Keys(o.Settings)) {
		defaults, ok := e.defaults[pack]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("there is no pack %q with settings", pack))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(o.Settings[pack])) {
			standard, ok := defaults[name]
			if !ok {
				wrong = append(wrong, fmt.Sprintf("pack %s has no setting %q, only %s", pack, name, strings.Join(slices.Sorted(maps.Keys(defaults)), ", ")))
				continue
			}
			value, err := plain(o.Settings[pack][name])
			if err == nil {
				err = sameKind(value, standard)
			}
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("setting %s.%s %v", pack, name, err))
				continue
			}
			if t.settings[pack] == nil {
				t.settings[pack] = map[string]any{}
			}
			t.settings[pack][name] = value
		}
	}
	if len(wrong) > 0 {
		return tuning{}, errs.New(errs.Invalid, "The policy settings are wrong: %s.", strings.Join(wrong, "; "))
	}
	t.version = e.version(t)
	return t, nil
}

// Key tells a rule from all others of its engine: its ID, before which of a
// pack's rule the pack's name and a slash stand.
func (r Rule) Key() string {
	if r.Pack == "" {
		return r.ID
	}
	return r.Pack + "/" + r.ID
}

// covered reports whether a key of Overrides.Levels speaks of the rule.
func (r Rule) covered(key string) bool {
	for _, id := range []string{r.ID, r.Key()} {
		if key == id || strings.HasPrefix(id, key+".") {
			return true
		}
	}
	return false
}

// plain brings a value into the form that JSON gives, so that kinds compare.
func plain(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("is no value that JSON knows: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out any
	return out, dec.Decode(&out)
}

// sameKind reports how value differs in kind from the default. The elements of
// a list are like those of the default, texts where it is empty.
func sameKind(value, standard any) error {
	list, ok := standard.([]any)
	if !ok {
		if kind(value) != kind(standard) {
			return fmt.Errorf("is a %s and must be a %s", kind(value), kind(standard))
		}
		return nil
	}
	values, ok := value.([]any)
	if !ok {
		return fmt.Errorf("is a %s and must be a list", kind(value))
	}
	want := "text"
	if len(list) > 0 {
		want = kind(list[0])
	}
	for _, v := range values {
		if kind(v) != want {
			return fmt.Errorf("holds a %s and must be a list of %ss", kind(v), want)
		}
	}
	return nil
}

func kind(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "list"
	case nil:
		return "null"
	}
	return "block"
}
