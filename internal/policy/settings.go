package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Tighter says in which direction a setting's value is the stricter one.
type Tighter string

// The directions. Whoever may only tighten can't touch a setting of none.
const (
	Lower  Tighter = "lower"  // a smaller number
	Higher Tighter = "higher" // a greater number; true, where the setting is a boolean
	More   Tighter = "more"   // a list that holds all the other does
	Fewer  Tighter = "fewer"  // a list that holds nothing beyond the other
)

var directions = []Tighter{Lower, Higher, More, Fewer}

// Setting is one thing that a pack lets the server choose, as the pack's
// annotations describe it.
type Setting struct {
	Pack        string  `json:"pack"`
	Name        string  `json:"name"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Default     any     `json:"default"` // as JSON has it, numbers as json.Number
	Tighter     Tighter `json:"tighter,omitempty"`
	File        string  `json:"file"`
	Line        int     `json:"line"`
}

// SettingsReference returns every setting of the engine's packs, by pack and in
// the order of the names.
func (e *Engine) SettingsReference() []Setting { return slices.Clone(e.settings) }

// AsTight reports whether value is at least as strict as than. known is false
// where nobody can say: the setting names no direction, or a value is not of
// its kind. In a list where fewer is stricter, a star stands for any letters.
func (s Setting) AsTight(than, value any) (ok, known bool) {
	a, aerr := plain(than)
	b, berr := plain(value)
	standard, err := plain(s.Default)
	if aerr != nil || berr != nil || err != nil || sameKind(a, standard) != nil || sameKind(b, standard) != nil {
		return false, false
	}
	if reflect.DeepEqual(a, b) {
		return true, true
	}
	switch s.Tighter {
	case Lower, Higher:
		x, y := amount(a), amount(b)
		if x == nil || y == nil {
			return false, false
		}
		if s.Tighter == Lower {
			x, y = y, x
		}
		return x.Cmp(y) <= 0, true
	case More, Fewer:
		x, xok := a.([]any)
		y, yok := b.([]any)
		if !xok || !yok {
			return false, false
		}
		if s.Tighter == More {
			return within(x, y, reflect.DeepEqual), true
		}
		return within(y, x, stands), true
	}
	return false, false
}

// amount is a number's value, or 0 and 1 for a boolean.
func amount(v any) *big.Float {
	switch v := v.(type) {
	case json.Number:
		f, _, err := big.ParseFloat(v.String(), 10, 64, big.ToNearestEven)
		if err != nil {
			return nil
		}
		return f
	case bool:
		if v {
			return big.NewFloat(1)
		}
		return big.NewFloat(0)
	}
	return nil
}

// within reports whether each member of part is like one of whole.
func within(part, whole []any, like func(a, b any) bool) bool {
	for _, a := range part {
		if !slices.ContainsFunc(whole, func(b any) bool { return like(a, b) }) {
			return false
		}
	}
	return true
}

// stands reports whether a pattern takes in all that a value, which may be a
// pattern itself, does.
func stands(value, pattern any) bool {
	v, vok := value.(string)
	p, pok := pattern.(string)
	if !vok || !pok || !strings.Contains(p, "*") {
		return reflect.DeepEqual(value, pattern)
	}
	words := strings.Split(p, "*")
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(words, ".*") + `$`).MatchString(v)
}

// settingsOf describes the settings whose defaults were read.
func settingsOf(compiler *ast.Compiler, defaults Settings) ([]Setting, []Problem) {
	var out []Setting
	var problems []Problem
	for _, m := range compiler.Modules {
		pack, ok := settingsPack(m)
		if !ok {
			continue
		}
		for _, r := range m.Rules {
			if !r.Default {
				continue
			}
			name := string(r.Head.Name)
			s := Setting{Pack: pack, Name: name, Default: defaults[pack][name], File: r.Location.File, Line: r.Location.Row}
			for _, a := range r.Annotations {
				s.Title, s.Description = cmp.Or(a.Title, s.Title), cmp.Or(a.Description, s.Description)
				if v, ok := a.Custom["tighter"]; ok {
					s.Tighter = Tighter(fmt.Sprint(v))
					if !slices.Contains(directions, s.Tighter) {
						problems = append(problems, Problem{File: s.File, Line: s.Line, Message: fmt.Sprintf("tighter %q is none of lower, higher, more, fewer", v)})
					}
				}
			}
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Setting) int { return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Name, b.Name)) })
	return out, problems
}

// settingsPack gives the pack that a module holds the settings of.
func settingsPack(m *ast.Module) (pack string, ok bool) {
	words := strings.Split(idOf(m.Package.Path.Append(ast.StringTerm(""))), ".")
	if !m.Package.Path[1].Equal(ast.StringTerm(bundledRoot)) || words[len(words)-1] != "settings" {
		return "", false
	}
	return strings.Join(words[:len(words)-1], "."), true
}
