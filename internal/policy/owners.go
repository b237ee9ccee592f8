package policy

import "slices"

// Owners are those who may accept a pack's findings, and how many of them must.
type Owners struct {
	Who   []string `json:"who,omitempty"`   // logins, or teams as "organization/team"; empty is whoever has the role maintain
	Count int      `json:"count,omitempty"` // how many different ones; 0 is one
}

// Needed is how many owners must accept a finding, at least one.
func (o Owners) Needed() int { return max(o.Count, 1) }

// OwnersOf returns the owners of a pack's findings: those of the pack, and
// where it has none of its own, those of all packs that are not named.
func (r Report) OwnersOf(pack string) Owners {
	if o, ok := r.Owners[pack]; ok {
		return o
	}
	return r.Owners[""]
}

// Valid reports whether l is a level.
func (l Level) Valid() bool { return slices.Contains(levels, l) }
