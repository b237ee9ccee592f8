package planner

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// PolicyConfig is what a repository says of its policies: beside the server's,
// which it can only tighten. Whoever judges decides what of it has an effect.
type PolicyConfig struct {
	Packs    []string                  `json:"packs,omitempty"`    // folders of the repository with rules of its own, clean
	Levels   map[string]string         `json:"levels,omitempty"`   // rule, or the beginning of rules up to a dot → level
	Settings map[string]map[string]any `json:"settings,omitempty"` // pack → setting → value, as JSON has it
}

// IsZero reports whether nothing is said.
func (c PolicyConfig) IsZero() bool { return len(c.Packs)+len(c.Levels)+len(c.Settings) == 0 }

// Holds reports whether a file of the repository is one of its own rules.
func (c PolicyConfig) Holds(file string) bool {
	return slices.ContainsFunc(c.Packs, func(dir string) bool { return dir == "." || strings.HasPrefix(file, dir+"/") })
}

type hclPolicy struct {
	Packs    []string          `hcl:"packs,optional"`
	Levels   map[string]string `hcl:"levels,optional"`
	Settings hcl.Expression    `hcl:"settings,optional"`
	Range    hcl.Range         `hcl:",def_range"`
}

// policyLevels are the levels that rules can have.
var policyLevels = []string{"off", "advisory", "mandatory", "hard"}

// policy reads the block.
func (r *configReader) policy(raw *hclPolicy) PolicyConfig {
	if raw == nil {
		return PolicyConfig{}
	}
	line := raw.Range.Start.Line
	c := PolicyConfig{Levels: raw.Levels}
	for _, dir := range raw.Packs {
		clean, err := InRepo(".", dir)
		if err != nil {
			r.say(line, "The folder of policies %q %s.", short(dir), err)
			continue
		}
		c.Packs = append(c.Packs, clean)
	}
	for _, rule := range slices.Sorted(maps.Keys(raw.Levels)) {
		if level := raw.Levels[rule]; !slices.Contains(policyLevels, level) {
			r.say(line, "The level of %s is %q; it can be %s.%s", short(rule), short(level), orList(policyLevels), r.guess(level, policyLevels))
		}
	}
	c.Settings = r.policySettings(raw.Settings, line)
	return c
}

// policySettings reads { "pack.setting" = value }.
func (r *configReader) policySettings(expr hcl.Expression, line int) map[string]map[string]any {
	if expr == nil {
		return nil
	}
	v, diags := expr.Value(nil)
	if r.diagnostics(diags); diags.HasErrors() || v.IsNull() {
		return nil
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() || !v.IsWhollyKnown() {
		r.say(line, "settings is a map of settings to their values, such as { \"tagging.required\" = [\"owner\"] }.")
		return nil
	}
	flat := map[string]any{}
	raw, err := ctyjson.SimpleJSONValue{Value: v}.MarshalJSON()
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		err = dec.Decode(&flat)
	}
	if err != nil {
		r.say(line, "settings can't be read: %v.", err)
		return nil
	}
	out := map[string]map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		at := strings.LastIndexByte(key, '.')
		if at <= 0 || at == len(key)-1 {
			r.say(line, "settings has %q, which is not a pack and a setting of it, such as \"tagging.required\".", short(key))
			continue
		}
		pack, name := key[:at], key[at+1:]
		if out[pack] == nil {
			out[pack] = map[string]any{}
		}
		out[pack][name] = flat[key]
	}
	return out
}
