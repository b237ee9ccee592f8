package tfplan

import "encoding/json"

// Drift returns what the world has and the state has not: the objects that
// were changed or deleted outside of Terraform since it last looked, in
// Terraform's order. Before is what the state says, After what is there. Diff
// renders them. It is all the drift that Terraform saw; Text shows what of it
// the plan has to do with, which of one with Options.RefreshOnly is all.
func (p *Plan) Drift() []Change {
	var out []Change
	for _, c := range p.drift {
		// An object that only the code moved stands in Terraform's list, too.
		if c.Action != ActionNoop && c.Action != ActionMove {
			out = append(out, c)
		}
	}
	return out
}

// DriftSummary counts the drift: Update is what changed, Delete what is gone,
// Outputs the outputs that have other values because of it.
func (p *Plan) DriftSummary() Summary {
	s := Summary{Outputs: p.Summary().Outputs}
	for _, c := range p.Drift() {
		if c.Action == ActionDelete {
			s.Delete++
		} else {
			s.Update++
		}
	}
	return s
}

// driftThatMatters returns the drift as Text shows it, and how many more
// objects drifted in nothing that the plan builds on. Like Terraform it leaves
// out of an object what the plan does not refer to, since much changes in the
// world with each look at it. A plan with no changes at all, one that only
// refreshes, is about nothing but drift.
func (p *Plan) driftThatMatters() (shown []Change, more int) {
	all := p.Drift()
	if len(p.Changes)+len(p.Deferred) == 0 {
		return all, 0
	}
	for _, c := range all {
		paths := append(p.relevant[c.Address], p.relevant[""]...)
		if len(paths) == 0 {
			more++
			continue
		}
		before := members(c.Before)
		if c.Action == ActionDelete {
			c.keep, _ = only(before, paths).(map[string]any)
			shown = append(shown, c)
			continue
		}
		after, _ := narrow(before, members(c.After), paths).(map[string]any)
		if same(before, members(after)) {
			more++
			continue
		}
		c.After = after
		shown = append(shown, c)
	}
	return shown, more
}

// narrow returns after with everything that lies on none of the paths as it
// was before.
func narrow(before, after any, paths [][]any) any {
	if whole(paths) || len(paths) == 0 {
		if len(paths) == 0 {
			return before
		}
		return after
	}
	switch a := after.(type) {
	case map[string]any:
		b, ok := before.(map[string]any)
		if !ok {
			return after
		}
		out := map[string]any{}
		for _, k := range keysOf(a, b, nil) {
			bv, had := b[k]
			av, has := a[k]
			deeper := below(paths, k)
			switch {
			case len(deeper) == 0 && had:
				out[k] = bv
			case len(deeper) == 0:
			case had && has:
				out[k] = narrow(bv, av, deeper)
			case has:
				out[k] = av
			}
		}
		return out
	case []any:
		b, ok := before.([]any)
		if !ok || len(a) != len(b) {
			return after // the places are no longer the same
		}
		out := make([]any, len(a))
		for i := range a {
			out[i] = narrow(b[i], a[i], below(paths, i))
		}
		return out
	}
	return after
}

// only returns the members of an object on which the paths lie.
func only(v any, paths [][]any) any {
	m, ok := v.(map[string]any)
	if !ok || whole(paths) {
		return v
	}
	out := map[string]any{}
	for k := range m {
		if len(below(paths, k)) > 0 {
			out[k] = m[k]
		}
	}
	return out
}

// whole reports whether one of the paths ends here.
func whole(paths [][]any) bool {
	for _, p := range paths {
		if len(p) == 0 {
			return true
		}
	}
	return false
}

// below returns the paths that go on through a member, without their first
// step. An index that is not known stands as null and means every member.
func below(paths [][]any, member any) [][]any {
	var out [][]any
	for _, p := range paths {
		if len(p) > 0 && (p[0] == nil || samePath(p[:1], []any{member})) {
			out = append(out, p[1:])
		}
	}
	return out
}

func relevantOf(in []wireRelevant) map[string][][]any {
	out := map[string][][]any{}
	for _, r := range in {
		path := r.Attribute
		for i, s := range path {
			if _, ok := s.(string); ok {
				continue
			}
			if _, ok := s.(json.Number); !ok && s != nil {
				path = path[:i] // a step that nobody knows: everything below counts
				break
			}
		}
		out[r.Resource] = append(out[r.Resource], path)
	}
	return out
}
