package tfplan

import (
	"encoding/json"
	"reflect"
)

// Within reports whether every change of p was among those of a plan that was
// reviewed: p is what is left of it, for instance after an apply that failed
// half way. An empty p always is; one whose planning failed never.
//
// A change was among them where its address, provider, action and every value
// are the same. These differences are no new changes, because the reviewers
// agreed to them:
//
//   - A value that was not known then is known now: whatever it would come
//     to was agreed to. The opposite is a difference.
//
//   - Half of a change is done already. An object that was to be moved or
//     imported, and updated, was moved or imported, and the same update is
//     left. Of a replacement the old object is gone, and the same new one is
//     still to be made; or the new one is there, and the old one, with the
//     values that were to be destroyed, is still to go.
//
//   - A check holds now that failed, or it is not known yet whether it will.
//
//   - Less is deferred, or fewer actions are left to be invoked.
//
// All else is a difference, however small: the replacement of an object that
// came out tainted too, though only its creation failed, since that destroys
// what nobody looked at; a check that fails and did not; a change that was
// deferred and is planned now, since nobody has seen what it would do; and
// anything in a section of the plan that this version can't read.
func (p *Plan) Within(reviewed *Plan) bool {
	if p.Errored {
		return false
	}
	if reviewed == nil {
		reviewed = &Plan{}
	}
	type key struct{ address, deposed string }
	agreed := map[key]*Change{}
	for i := range reviewed.Changes {
		if c := &reviewed.Changes[i]; c.Action != ActionNoop {
			agreed[key{c.Address, c.Deposed}] = c
		}
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action == ActionNoop {
			continue
		}
		r := agreed[key{c.Address, c.Deposed}]
		if r == nil && c.Deposed != "" {
			r = agreed[key{c.Address, ""}] // the key was given when the new object was made
		}
		if r == nil || !c.within(r) {
			return false
		}
	}
	outputs := map[string]*OutputChange{}
	for i := range reviewed.Outputs {
		outputs[reviewed.Outputs[i].Name] = &reviewed.Outputs[i]
	}
	for i := range p.Outputs {
		if o := &p.Outputs[i]; o.Action != ActionNoop && !o.within(outputs[o.Name]) {
			return false
		}
	}
	return subset(p.asides(), reviewed.asides())
}

// asides are a plan's deferred changes, actions, failing checks and unread
// sections, each as one text that is the same where it is the same.
func (p *Plan) asides() map[string]int {
	out := map[string]int{}
	put := func(v ...any) {
		b, err := json.Marshal(v)
		if err != nil { // it was decoded from JSON
			panic("planner: " + err.Error())
		}
		out[string(b)]++
	}
	p.eachAside(put)
	return out
}

// subset reports whether b has all that a has.
func subset(a, b map[string]int) bool {
	for k, n := range a {
		if b[k] < n {
			return false
		}
	}
	return true
}

// within reports whether the change is all of r, or what is left of it.
func (c *Change) within(r *Change) bool {
	if c.Mode != r.Mode || c.Provider != r.Provider || c.PrevAddress != "" && c.PrevAddress != r.PrevAddress || c.Importing != "" && c.Importing != r.Importing {
		return false
	}
	sameBefore := reflect.DeepEqual(c.Before, r.Before) && reflect.DeepEqual(squash(c.BeforeSensitive), squash(r.BeforeSensitive))
	sameAfter := settles(members(c.After), c.Unknown, members(r.After), r.Unknown) && sameMask(c.AfterSensitive, r.AfterSensitive, r.Unknown)
	switch {
	case c.Deposed != r.Deposed: // the old object of a replacement
		return c.Action == ActionDelete && r.Action == ActionReplace && r.CreateFirst && !r.KeepOld && sameBefore
	case c.Action == ActionCreate && r.Action == ActionReplace: // the new one
		return c.Before == nil && sameAfter
	case c.Action != r.Action || c.CreateFirst != r.CreateFirst || c.KeepOld != r.KeepOld:
		return false
	}
	return sameBefore && sameAfter && reflect.DeepEqual(sortedPaths(c.ReplacePaths), sortedPaths(r.ReplacePaths))
}

func (o *OutputChange) within(r *OutputChange) bool {
	return r != nil && o.Action == r.Action && reflect.DeepEqual(o.Before, r.Before) &&
		reflect.DeepEqual(squash(o.BeforeSensitive), squash(r.BeforeSensitive)) &&
		settles(o.After, o.Unknown, r.After, r.Unknown) && sameMask(o.AfterSensitive, r.AfterSensitive, r.Unknown)
}

// members is m as a value, nil where there is no object at all.
func members(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

// settles reports whether a value, with the mask of what is unknown in it, is
// the agreed one but for what was unknown there.
func settles(v, unknown, agreed, agreedUnknown any) bool {
	if agreedUnknown == true {
		return true
	}
	if unknown == true {
		return false
	}
	unknown, agreedUnknown = squash(unknown), squash(agreedUnknown)
	if unknown == nil && agreedUnknown == nil {
		return reflect.DeepEqual(v, agreed)
	}
	// Something in it is unknown, here or there. What is unknown is left out
	// of an object, and null in a list.
	switch masks := agreedUnknown.(type) {
	case nil:
		return false // known throughout when it was agreed to
	case []any:
		now, okNow := v.([]any)
		then, okThen := agreed.([]any)
		if !okNow || !okThen || len(now) != len(then) {
			return false
		}
		for i := range now {
			if !settles(now[i], MaskElement(unknown, i), then[i], MaskElement(masks, i)) {
				return false
			}
		}
		return true
	}
	now, okNow := v.(map[string]any)
	then, okThen := agreed.(map[string]any)
	if !okNow || !okThen {
		return false
	}
	for _, k := range append(keysOf(now, then, unknown), keysOf(nil, nil, agreedUnknown)...) {
		a, has := now[k]
		b, had := then[k]
		um, am := MaskMember(unknown, k), MaskMember(agreedUnknown, k)
		if has != had && squash(am) == nil {
			return false // what is left out is not null
		}
		if !settles(a, um, b, am) {
			return false
		}
	}
	return true
}

// sameMask reports whether two masks are equal but for what was unknown: the
// marks of a value come with it.
func sameMask(a, b, unknown any) bool {
	return reflect.DeepEqual(squash(without(a, unknown)), squash(without(b, unknown)))
}

// without takes out of a mask what another one covers.
func without(mask, cover any) any {
	cover = squash(cover)
	if cover == true {
		return nil
	}
	if cover == nil {
		return mask
	}
	switch m := mask.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range m {
			out[k] = without(v, MaskMember(cover, k))
		}
		return out
	case []any:
		out := make([]any, len(m))
		for i, v := range m {
			out[i] = without(v, MaskElement(cover, i))
		}
		return out
	}
	return mask
}
