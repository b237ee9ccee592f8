package policydoc

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
)

// Reference is all that there is to say of rules.
type Reference struct {
	Packs []Pack `json:"packs"` // by name
}

// Pack is the rules of one pack, with what the server can choose of it.
type Pack struct {
	Name     string           `json:"name"` // "security"
	Title    string           `json:"title"`
	About    string           `json:"about"`
	Rules    []policy.Rule    `json:"rules"` // by ID
	Settings []policy.Setting `json:"settings"`
}

// abouts are what each pack is about, for those who look for the right one.
var abouts = map[string][2]string{
	"cost":        {"Cost", "What a plan costs, and what is larger or more than it needs to be."},
	"destruction": {"Destruction", "What a plan would destroy, and what takes the protection from it."},
	"naming":      {"Naming", "What resources are called. Most of it is off until settings say how names are to look."},
	"security":    {"Security", "What is open, readable or unwatched that should not be, on AWS, Azure and Google Cloud."},
	"tagging":     {"Tagging", "Tags and labels: which must be there, and how they are written."},
	"terraform":   {"Terraform", "The code itself: what it runs, where it comes from, and what it gives away."},
}

// New gathers the rules and settings of an engine. Of other packs than the
// bundled ones it takes the rules, under the pack's name.
func New(e *policy.Engine) Reference {
	packs := map[string]*Pack{}
	at := func(name string) *Pack {
		if packs[name] == nil {
			about := abouts[name]
			packs[name] = &Pack{Name: name, Title: cmp.Or(about[0], name), About: about[1], Settings: []policy.Setting{}}
		}
		return packs[name]
	}
	for _, r := range e.Rules() {
		name := r.Pack
		if name == "" {
			name, _, _ = strings.Cut(r.ID, ".")
		}
		at(name).Rules = append(at(name).Rules, r)
	}
	for _, s := range e.SettingsReference() {
		name, _, _ := strings.Cut(s.Pack, ".")
		at(name).Settings = append(at(name).Settings, s)
	}
	var ref Reference
	for _, name := range slices.Sorted(maps.Keys(packs)) {
		if len(packs[name].Rules) > 0 {
			ref.Packs = append(ref.Packs, *packs[name])
		}
	}
	return ref
}

// Only keeps the rules whose ID begins with one of the prefixes, up to a dot;
// without any it keeps all. Packs without a rule left go.
func (r Reference) Only(prefixes ...string) Reference {
	if len(prefixes) == 0 {
		return r
	}
	var out Reference
	for _, p := range r.Packs {
		p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(rule policy.Rule) bool {
			return !slices.ContainsFunc(prefixes, func(prefix string) bool {
				return rule.ID == prefix || strings.HasPrefix(rule.ID, prefix+".") || rule.Pack != "" && rule.Pack == prefix
			})
		})
		if len(p.Rules) > 0 {
			out.Packs = append(out.Packs, p)
		}
	}
	return out
}

// Anchor is the fragment that a rule's heading gets on GitHub.
func Anchor(id string) string { return strings.ReplaceAll(strings.ToLower(id), ".", "") }

// ExampleText is an example as people read it: what is there now first, where
// the rule compares.
func ExampleText(e policy.Example) string {
	if e.Before == "" {
		return e.HCL
	}
	return "# As it is now:\n" + e.Before + "\n\n# As the pull request has it:\n" + e.HCL
}

// Circumstances says what else the example is judged by, "" where there is
// nothing to say.
func Circumstances(e policy.Example) string {
	var parts []string
	if e.Before == "" && e.Action != "" && e.Action != "create" {
		parts = append(parts, "on "+e.Action)
	}
	if e.Count > 1 {
		parts = append(parts, fmt.Sprintf("%d of each", e.Count))
	}
	if len(e.Labels) > 0 {
		parts = append(parts, "with the label "+strings.Join(e.Labels, ", "))
	}
	if e.Environment != "" {
		parts = append(parts, "in the environment "+e.Environment)
	}
	for _, pack := range slices.Sorted(maps.Keys(e.Settings)) {
		for _, name := range slices.Sorted(maps.Keys(e.Settings[pack])) {
			parts = append(parts, fmt.Sprintf("with %s.%s = %s", pack, name, Value(e.Settings[pack][name])))
		}
	}
	if e.Cost != nil {
		known := ""
		if !e.Cost.Known {
			known = ", not all of it known"
		}
		parts = append(parts, fmt.Sprintf("at a monthly cost of %s %s before and %s after%s", e.Cost.Before, e.Cost.Currency, e.Cost.After, known))
	}
	return strings.Join(parts, ", ")
}

// Value shows a setting's value as it is written in HCL.
func Value(v any) string {
	if list, ok := v.([]any); ok && len(list) > 0 {
		words := make([]string, len(list))
		for i, item := range list {
			words[i] = Value(item)
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

// Stricter says which values of a setting are the stricter ones.
func Stricter(s policy.Setting) string {
	switch s.Tighter {
	case policy.Lower:
		return "lower"
	case policy.Higher:
		if _, ok := s.Default.(bool); ok {
			return "true"
		}
		return "higher"
	case policy.More:
		return "more of them"
	case policy.Fewer:
		return "fewer of them"
	}
	return "only the server's"
}

// Framework is the short name of a framework, for lists.
func Framework(id string) string {
	switch id {
	case "cis_aws_3.0":
		return "CIS AWS 3.0"
	case "cis_azure_3.0":
		return "CIS Azure 3.0"
	case "cis_gcp_3.0":
		return "CIS Google Cloud 3.0"
	case "soc2":
		return "SOC 2"
	case "iso27001_2022":
		return "ISO 27001:2022"
	}
	return id
}

// evidence is what a rule gives evidence for, in a fixed order.
func evidence(r policy.Rule) (out []framed) {
	for _, id := range slices.Sorted(maps.Keys(r.Controls)) {
		numbers := slices.Clone(r.Controls[id])
		slices.SortFunc(numbers, policy.CompareControls)
		f := framed{Name: Framework(id)}
		for _, n := range numbers {
			f.Controls = append(f.Controls, policy.Control{ID: n, Title: policy.ControlTitle(id, n)})
		}
		out = append(out, f)
	}
	return out
}

type framed struct {
	Name     string
	Controls []policy.Control
}
