package policyset

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
)

// Origin says where something that judges comes from: a place in a file, or a
// setting.
type Origin = string

// The origins that are no place in a file.
const (
	OriginRule     Origin = "the rule itself"
	OriginDefaults Origin = "policy.levels"
	OriginSettings Origin = "the server's settings"
	OriginOwners   Origin = "policy.owners"
)

// Level is the level of a rule for a project.
type Level struct {
	Rule   string       `json:"rule"`
	Pack   string       `json:"pack,omitempty"`
	Level  policy.Level `json:"level"`
	Origin Origin       `json:"origin"`
}

// Setting is the value of a setting for a project.
type Setting struct {
	Name   string `json:"name"` // "tagging.required"
	Value  any    `json:"value"`
	Origin Origin `json:"origin"`
}

// chain is what speaks of a target, the weakest first.
type chain struct {
	base     Options
	scopes   []Scope
	caps     map[string]PackConfig // by pack: those that cap their own rules' levels
	defaults policy.Settings
}

// level returns the level of a rule: what the strongest scope says that speaks
// of it, by the longest key that it has for the rule; else the server's
// defaults; else what the rule says itself, as far as its pack may.
func (c chain) level(r policy.Rule) (policy.Level, Origin) {
	for _, s := range slices.Backward(c.scopes) {
		if key, ok := longest(s.Levels, r); ok {
			return s.Levels[key], s.origin()
		}
	}
	if key, ok := longest(c.base.Overrides.Levels, r); ok {
		return c.base.Overrides.Levels[key], OriginDefaults
	}
	if c.base.Disabled && r.Pack == "" {
		return policy.Off, "policy.disabled"
	}
	if p, ok := c.caps[r.Pack]; ok && p.Level != "" && r.Level.Stricter(p.Level) {
		return p.Level, p.Place.String()
	}
	return r.Level, OriginRule
}

func (s Scope) origin() Origin { return fmt.Sprintf("policy_scope %q, %s", s.Name, s.Place) }

// longest returns the longest key of levels that speaks of the rule: its ID or
// the beginning of it up to a dot, with its pack's name and a slash before it
// or without.
func longest(levels map[string]policy.Level, r policy.Rule) (found string, ok bool) {
	for _, key := range []string{r.Key(), r.ID} {
		for {
			if _, there := levels[key]; there {
				if !ok || len(key) > len(found) {
					found = key
				}
				ok = true
				break
			}
			at := strings.LastIndexByte(key, '.')
			if at < 0 {
				break
			}
			key = key[:at]
		}
	}
	return found, ok
}

// LevelIn returns what levels say of a rule, by the longest key that speaks of
// it.
func LevelIn(levels map[string]policy.Level, r policy.Rule) (policy.Level, bool) {
	key, ok := longest(levels, r)
	return levels[key], ok
}

// setting returns the value of a setting, and whether anybody set it.
func (c chain) setting(pack, name string) (value any, origin Origin, set bool) {
	for _, s := range slices.Backward(c.scopes) {
		if v, ok := s.Settings[pack][name]; ok {
			return v, s.origin(), true
		}
	}
	if v, ok := c.base.Overrides.Settings[pack][name]; ok {
		return v, OriginSettings, true
	}
	return c.defaults[pack][name], OriginRule, false
}

// settings are the names of all settings that somebody set.
func (c chain) settings() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	add := func(s policy.Settings) {
		for pack, values := range s {
			for name := range values {
				if out[pack] == nil {
					out[pack] = map[string]bool{}
				}
				out[pack][name] = true
			}
		}
	}
	add(c.base.Overrides.Settings)
	for _, s := range c.scopes {
		add(s.Settings)
	}
	return out
}

// owners returns who may accept findings of the pack, "" for all others: what
// the strongest scope says. set tells whether anybody says something of that
// pack itself.
func (c chain) owners(pack string) (out policy.Owners, origin Origin, set bool) {
	out, origin = c.base.Owners, OriginOwners
	for _, s := range c.scopes {
		if s.Owners != nil {
			out.Who, origin = s.Owners, s.origin()
		}
		if s.OwnerCount > 0 {
			out.Count = s.OwnerCount
		}
	}
	if pack == "" {
		return out, origin, len(out.Who) > 0 || out.Count > 0
	}
	for _, s := range c.scopes {
		if who, ok := s.PackOwners[pack]; ok {
			out.Who, origin, set = who, s.origin(), true
		}
	}
	return out, origin, set
}

// resolving is the question of what judges a target, once its packs are known.
type resolving struct {
	target      Target
	environment string
	floor       *chain // what the admin repository can't loosen; nil where it may
	chain       chain
	rules       []policy.Rule
	repo        RepoPolicy
	// tighter reports whether a setting's value is at least as strict as
	// another; known is false where the setting does not say what that means.
	tighter func(pack, name string, than, value any) (ok, known bool)
}

// resolved is the answer.
type resolved struct {
	levels   []Level // of every rule, in the order of the rules
	settings []Setting
	owners   map[string]policy.Owners
	ownersOf map[string]Origin
	notes    []string
}

// resolve decides. It is a pure function.
func (r resolving) resolve() resolved {
	out := resolved{owners: map[string]policy.Owners{}, ownersOf: map[string]Origin{}}
	for _, rule := range r.rules {
		l, origin := r.chain.level(rule)
		if r.floor != nil {
			if least, from := r.floor.level(rule); least.Stricter(l) {
				l, origin = least, from
			}
		}
		out.levels = append(out.levels, Level{Rule: rule.ID, Pack: rule.Pack, Level: l, Origin: origin})
	}
	r.repoLevels(&out)
	r.settings(&out)
	packs := []string{""}
	for _, s := range r.chain.scopes {
		packs = append(packs, sorted(s.PackOwners)...)
	}
	for _, pack := range packs {
		owners, origin, set := r.chain.owners(pack)
		if r.floor != nil {
			owners, origin = r.floorOwners(pack, owners, origin)
		}
		if pack == "" || set {
			out.owners[pack], out.ownersOf[pack] = owners, origin
		}
	}
	return out
}

// floorOwners keeps the owners whom the server names, and as many as it asks
// for at least: the admin repository adds to it where the server says nothing.
func (r resolving) floorOwners(pack string, o policy.Owners, origin Origin) (policy.Owners, Origin) {
	least, from, _ := r.floor.owners(pack)
	if len(least.Who) > 0 && !r.adminPack(pack) {
		o.Who, origin = least.Who, from
	}
	o.Count = max(o.Count, least.Count)
	return o, origin
}

// adminPack reports whether a pack is the admin repository's own.
func (r resolving) adminPack(pack string) bool {
	_, own := r.chain.caps[pack]
	_, servers := r.floor.caps[pack]
	return own && !servers
}

// repoLevels raises levels as the repository asks, and says what it can't.
func (r resolving) repoLevels(out *resolved) {
	for _, key := range sorted(r.repo.Levels) {
		wish, known := r.repo.Levels[key], false
		var weaker []string
		for i, l := range out.levels {
			if _, ok := longest(map[string]policy.Level{key: ""}, r.rules[i]); !ok {
				continue
			}
			known = true
			if by, _ := longest(r.repo.Levels, r.rules[i]); by != key {
				continue
			}
			switch {
			case r.repo.owns(l.Pack) || wish.Stricter(l.Level):
				out.levels[i].Level, out.levels[i].Origin = wish, r.repo.origin()
			case l.Level.Stricter(wish):
				weaker = append(weaker, fmt.Sprintf("%s is %s", l.Rule, l.Level))
			}
		}
		switch {
		case !known:
			out.notes = append(out.notes, fmt.Sprintf("levels names %q, and no policy that judges this repository is called that. It has no effect.", key))
		case len(weaker) > 0:
			out.notes = append(out.notes, fmt.Sprintf("levels asks for %s = %q, which is less strict than what judges this repository: %s. A repository can raise levels only, so this has no effect there.", key, wish, listed(weaker)))
		}
	}
}

// listed names the first few of many.
func listed(all []string) string {
	const shown = 3
	if len(all) > shown {
		return strings.Join(all[:shown], ", ") + fmt.Sprintf(" and %d more", len(all)-shown)
	}
	return strings.Join(all, ", ")
}

// settings gives every setting that somebody set its value.
func (r resolving) settings(out *resolved) {
	names := r.chain.settings()
	for pack, values := range r.repo.Settings {
		for name := range values {
			if names[pack] == nil {
				names[pack] = map[string]bool{}
			}
			names[pack][name] = true
		}
	}
	for _, pack := range sorted(names) {
		for _, name := range sorted(names[pack]) {
			value, origin, set := r.chain.setting(pack, name)
			if r.floor != nil {
				least, from, _ := r.floor.setting(pack, name)
				if ok, known := r.tighter(pack, name, least, value); !ok || !known {
					value, origin = least, from
				}
			}
			if wish, ok := r.repo.Settings[pack][name]; ok {
				var note string
				if value, origin, note = r.repoSetting(pack, name, wish, value, origin); note != "" {
					out.notes = append(out.notes, note)
				}
				set = set || origin == r.repo.origin()
			}
			if set {
				out.settings = append(out.settings, Setting{Name: pack + "." + name, Value: value, Origin: origin})
			}
		}
	}
}

// repoSetting takes the repository's value where it is tighter.
func (r resolving) repoSetting(pack, name string, wish, value any, origin Origin) (any, Origin, string) {
	full := pack + "." + name
	if _, ok := r.chain.defaults[pack][name]; !ok {
		return value, origin, fmt.Sprintf("settings names %q, and no policy that judges this repository has such a setting. It has no effect.", full)
	}
	if same(wish, value) {
		return value, origin, ""
	}
	ok, known := r.tighter(pack, name, value, wish)
	switch {
	case !known:
		return value, origin, fmt.Sprintf("settings sets %s, which only the server can: nothing says which of its values are the stricter ones. It has no effect.", full)
	case !ok:
		return value, origin, fmt.Sprintf("settings sets %s to %s, which is less strict than the %s that judges this repository. A repository can only tighten, so this has no effect.", full, compact(wish), compact(value))
	}
	return wish, r.repo.origin(), ""
}

func same(a, b any) bool {
	x, xerr := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return xerr == nil && yerr == nil && reflect.DeepEqual(x, y)
}

func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "something"
	}
	if text := string(raw); len(text) <= 80 {
		return text
	}
	return string(raw[:79]) + "…"
}

// overrides are the levels and settings in the engine's form: of levels only
// those that differ from the rule's own.
func (r resolved) overrides(rules []policy.Rule) policy.Overrides {
	o := policy.Overrides{Levels: map[string]policy.Level{}, Settings: policy.Settings{}}
	for i, l := range r.levels {
		if l.Level != rules[i].Level {
			o.Levels[rules[i].Key()] = l.Level
		}
	}
	for i, l := range r.levels { // a rule's name may be another's, or the beginning of it
		if _, ok := longest(o.Levels, rules[i]); ok {
			o.Levels[rules[i].Key()] = l.Level
		}
	}
	for _, s := range r.settings {
		at := strings.LastIndexByte(s.Name, '.')
		if o.Settings[s.Name[:at]] == nil {
			o.Settings[s.Name[:at]] = map[string]any{}
		}
		o.Settings[s.Name[:at]][s.Name[at+1:]] = s.Value
	}
	return o
}
