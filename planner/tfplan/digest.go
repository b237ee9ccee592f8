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
// for every object and output that changes its address, action, values before
// and after, what is unknown, what forces a replacement. It does not depend on
// the order, the time, the version of the tool, the state's serial, or on
// objects that stay as they are. Sensitive values count, so two plans that
// differ in a secret alone differ.
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
		put([]any{
			"resource", c.Address, c.PrevAddress, c.Deposed, c.Mode, c.Provider, c.Action, c.CreateFirst, c.Importing,
			c.Before, c.After, squash(c.Unknown), squash(c.BeforeSensitive), squash(c.AfterSensitive), sortedPaths(c.ReplacePaths),
		})
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
	return hex.EncodeToString(h.Sum(nil))
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
