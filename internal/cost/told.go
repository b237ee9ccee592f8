package cost

import (
	"encoding/json"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// told finds an argument that the plan does not know yet in what the
// configuration says: a constant, a variable, or the known argument of another
// resource that it refers to. It says whence in the resource's assumptions.
func (v view) told(key string) (any, bool) {
	s := v.side
	if s == nil || !s.after || v.of == nil {
		return nil, false
	}
	r, m := s.x.cfg.resource(v.of)
	raw := expressionAt(r, append(append([]string{}, v.path...), key))
	if len(raw) == 0 {
		return nil, false
	}
	if x, ok := s.x.cfg.resolve(raw, m, 0); ok {
		s.assume(key + " as the configuration sets it")
		return x, true
	}
	var e expression
	if json.Unmarshal(raw, &e) != nil {
		return nil, false
	}
	ref, ok := single(e.References)
	if !ok {
		return nil, false
	}
	st := steps(ref)
	if len(st) != 3 || st[2].key != "" {
		return nil, false
	}
	c := pick(s.x.everything().by[indexKey(v.of.ModuleAddress, st[0].name, st[1].name)], st[1].key, v.of)
	if c == nil || c == v.of {
		return nil, false
	}
	other := sideView(c, s.after)
	if mask, ok := tfplan.MaskMember(other.unknown, st[2].name).(bool); ok && mask {
		return nil, false
	}
	x := other.value[st[2].name]
	if x == nil {
		return nil, false
	}
	if tfplan.MaskCovers(tfplan.MaskMember(other.sensitive, st[2].name)) {
		s.bill.sensitive = true
	}
	s.bill.joined = append(s.bill.joined, x)
	s.assume(key + " as that of " + c.Address)
	return x, true
}

// expressionAt returns the expression of an argument, under names of blocks;
// of several blocks of a name it takes the first.
func expressionAt(r *configResource, path []string) json.RawMessage {
	if r == nil {
		return nil
	}
	raw := r.Expressions[path[0]]
	for _, p := range path[1:] {
		var blocks []map[string]json.RawMessage
		var block map[string]json.RawMessage
		switch {
		case len(raw) > 0 && raw[0] == '[':
			if json.Unmarshal(raw, &blocks) != nil || len(blocks) == 0 {
				return nil
			}
			block = blocks[0]
		case len(raw) == 0 || json.Unmarshal(raw, &block) != nil:
			return nil
		}
		raw = block[p]
	}
	return raw
}

// everything is an index of all resources. Few plans need it.
func (x *estimation) everything() *changeIndex {
	if x.all == nil {
		x.all = indexChanges(x.changes, func(*tfplan.Change) bool { return true })
	}
	return x.all
}
