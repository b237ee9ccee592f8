package tfplan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sort"
)

// digestVersion is part of what is hashed: a change in how a plan is
// normalised must never make two different plans look equal.
const digestVersion = "tidelock plan digest 1"

// Digest returns the hash, 64 hex digits, of everything the plan would do:
// for every object and output that changes its address, provider, action,
// values before and after, what is unknown or sensitive, what forces a
// replacement, where it moves from and what it is imported by; for changes
// that are deferred the same and why; for actions what they are given and when
// they are invoked; and whatever stands in sections that this version can't
// read. Sensitive values count, so two plans that differ in a secret alone
// differ. So does a check that fails now, by its address: a plan was reviewed
// with those that failed then.
//
// It does not depend on the order, the time, the version of the tool, the
// state's serial, on objects that stay as they are, on checks that hold or are
// not known yet, on the wording of those that fail (it often tells what the
// world is like this minute), nor on drift: what that makes the plan do stands
// in the changes.
func (p *Plan) Digest() string {
	h := sha256.New()
	enc := json.NewEncoder(h) // maps are written with sorted keys
	put := func(v any) {
		// What was decoded from JSON can always be encoded again.
		if err := enc.Encode(v); err != nil {
			panic("planner: " + err.Error())
		}
	}
	put(digestVersion)
	changes := make([]Change, 0, len(p.Changes))
	for _, c := range p.Changes {
		if c.Action != ActionNoop {
			changes = append(changes, c)
		}
	}
	sort.SliceStable(changes, func(i, j int) bool {
		if changes[i].Address != changes[j].Address {
			return changes[i].Address < changes[j].Address
		}
		return changes[i].Deposed < changes[j].Deposed
	})
	for _, c := range changes {
		if c.KeepOld {
			put("the old object is kept")
		}
		put(c.digested())
	}
	outputs := make([]OutputChange, 0, len(p.Outputs))
	for _, o := range p.Outputs {
		if o.Action != ActionNoop {
			outputs = append(outputs, o)
		}
	}
	sort.SliceStable(outputs, func(i, j int) bool { return outputs[i].Name < outputs[j].Name })
	for _, o := range outputs {
		put([]any{"output", o.Name, o.Action, o.Before, o.After, squash(o.Unknown), squash(o.BeforeSensitive), squash(o.AfterSensitive)})
	}
	// What follows is in few plans: others keep the digest that they have
	// always had.
	p.eachAside(func(v ...any) { put(v) })
	return hex.EncodeToString(h.Sum(nil))
}

// eachAside calls put with what the digest counts beside changes and outputs.
func (p *Plan) eachAside(put func(...any)) {
	for _, d := range p.Deferred {
		put("deferred", d.Reason, d.Change.digested(), d.Change.KeepOld)
	}
	for _, i := range p.Invocations {
		put("action", i.Address, i.Type, i.Provider, i.Config, squash(i.Unknown), squash(i.Sensitive), i.Resource, i.Event, i.order, i.Deferred, i.Reason)
	}
	for _, c := range p.Checks {
		if c.Bad() {
			put("check", c.Kind, c.Address, c.Status)
		}
	}
	for _, name := range p.Unread() {
		put("unread", name, p.unread[name])
	}
}

// digested is what of a change counts in the digest.
func (c *Change) digested() []any {
	return []any{
		"resource", c.Address, c.PrevAddress, c.Deposed, c.Mode, c.Provider, c.Action, c.CreateFirst, c.Importing,
		c.Before, c.After, squash(c.Unknown), squash(c.BeforeSensitive), squash(c.AfterSensitive), sortedPaths(c.ReplacePaths),
	}
}

// squash removes from a mask what says nothing: false, and objects and lists
// with no true in them. Terraform writes these in more than one way.
func squash(mask any) any {
	switch m := mask.(type) {
	case bool:
		if m {
			return true
		}
	case map[string]any:
		out := map[string]any{}
		for k, v := range m {
			if s := squash(v); s != nil {
				out[k] = s
			}
		}
		if len(out) > 0 {
			return out
		}
	case []any:
		out := make([]any, len(m))
		some := false
		for i, v := range m {
			out[i] = squash(v)
			some = some || out[i] != nil
		}
		if some {
			return out
		}
	}
	return nil
}

func sortedPaths(paths [][]any) []string {
	out := make([]string, 0, len(paths))
	for _, p := range paths {
		b, err := json.Marshal(p)
		if err != nil {
			panic("planner: " + err.Error())
		}
		out = append(out, string(b))
	}
	sort.Strings(out)
	return out
}
