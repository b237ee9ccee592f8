package tfplan

import (
	"encoding/json"
	"slices"
)

// paired is one element of a list before and after, with its masks.
type paired struct {
	value
	index int // in the list after, or before for one that goes
}

// pair matches the elements of a list before and after. With inPlace, and
// where the list keeps its length and loses an element, what stands in a place
// is changed in its place. Otherwise those that are the same are matched, the longest common
// sequence of them; of what is left between two of these, objects become
// updates of each other in their order, and other values stay deletions and
// creations.
func pair(before, after []any, unknown, beforeSens, afterSens any, inPlace bool) []paired {
	n := len(after)
	if m, ok := unknown.([]any); ok && len(m) > n {
		n = len(m) // unknown elements at the end leave no trace in after
	}
	news := make([]any, n)
	copy(news, after)
	one := func(i, j int) paired {
		var p paired
		if i >= 0 {
			p.before, p.hasBefore, p.beforeSens, p.index = before[i], true, MaskElement(beforeSens, i), i
		}
		if j >= 0 {
			p.after, p.hasAfter, p.unknown, p.afterSens, p.index = news[j], true, MaskElement(unknown, j), MaskElement(afterSens, j), j
		}
		return p
	}
	var out []paired
	if inPlace && len(before) == n && !kept(before, news) {
		for i := range before {
			out = append(out, one(i, i))
		}
		return out
	}
	type slot struct {
		v       any
		unknown any
	}
	olds := make([]any, len(before))
	for i, v := range before {
		olds[i] = slot{v: v}
	}
	slots := make([]any, n)
	for i, v := range news {
		slots[i] = slot{v, squash(MaskElement(unknown, i))}
	}
	edits := compare(olds, slots, func(a, b any) bool {
		x, y := a.(slot), b.(slot)
		return x.unknown == nil && y.unknown == nil && same(x.v, y.v)
	})
	for k := 0; k < len(edits); {
		if edits[k].before >= 0 && edits[k].after >= 0 {
			out = append(out, one(edits[k].before, edits[k].after))
			k++
			continue
		}
		var gone, come []int
		for k < len(edits) && (edits[k].before < 0 || edits[k].after < 0) {
			if edits[k].before >= 0 {
				gone = append(gone, edits[k].before)
			} else {
				come = append(come, edits[k].after)
			}
			k++
		}
		for _, i := range gone {
			if len(come) > 0 {
				j := come[0]
				objects := kindOf(before[i]) == kindObject && (kindOf(news[j]) == kindObject || kindOf(squash(MaskElement(unknown, j))) == kindObject)
				if objects {
					out, come = append(out, one(i, j)), come[1:]
					continue
				}
			}
			out = append(out, one(i, -1))
		}
		for _, j := range come {
			out = append(out, one(-1, j))
		}
	}
	return out
}

// kept reports whether every element of a stands in b as well.
func kept(a, b []any) bool {
	key := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil { // it was decoded from JSON
			panic("planner: " + err.Error())
		}
		return string(text)
	}
	there := map[string]bool{}
	for _, v := range b {
		there[key(v)] = true
	}
	for _, v := range a {
		if !there[key(v)] {
			return false
		}
	}
	return true
}

// edit is one step from one list to another: an element of both, or of one,
// the other's index being -1.
type edit struct {
	before, after int
	line          string // the element, where it is a string
}

// maxCompare bounds the work of compare, in comparisons. Past it what lies
// between the common beginning and end counts as wholly changed.
const maxCompare = 4_000_000

// compare returns the steps from a to b by their longest common subsequence,
// what goes before what comes.
func compare(a, b []any, equal func(x, y any) bool) []edit {
	text := func(v any) string { s, _ := v.(string); return s }
	lo := 0
	for lo < len(a) && lo < len(b) && equal(a[lo], b[lo]) {
		lo++
	}
	ha, hb := len(a), len(b)
	for ha > lo && hb > lo && equal(a[ha-1], b[hb-1]) {
		ha, hb = ha-1, hb-1
	}
	shared := make([]int, 0, len(a)+1) // of both, as places in a
	for i := range lo {
		shared = append(shared, i)
	}
	if (ha-lo)*(hb-lo) <= maxCompare {
		for _, i := range subsequence(a[lo:ha], b[lo:hb], equal) {
			shared = append(shared, lo+i)
		}
	}
	for i := ha; i < len(a); i++ {
		shared = append(shared, i)
	}
	var out []edit
	i, j := 0, 0
	for _, s := range append(shared, -1) {
		// What both have is met at its first place in each, as Terraform meets
		// it, though the longest sequence may have had another in mind.
		for ; i < len(a) && (s < 0 || !equal(a[s], a[i])); i++ {
			out = append(out, edit{i, -1, text(a[i])})
		}
		for ; j < len(b) && (s < 0 || !equal(a[s], b[j])); j++ {
			out = append(out, edit{-1, j, text(b[j])})
		}
		if s >= 0 {
			out = append(out, edit{i, j, text(a[i])})
			i, j = i+1, j+1
		}
	}
	return out
}

// subsequence returns the longest common subsequence of a and b, as places in
// a. Of several that are as long it is the one that Terraform finds, which
// looks for it from the end.
func subsequence(a, b []any, equal func(x, y any) bool) []int {
	// lengths[i][j] is that of the longest common run of a[:i] and b[:j].
	lengths := make([][]int32, len(a)+1)
	for i := range lengths {
		lengths[i] = make([]int32, len(b)+1)
	}
	for i := range a {
		for j := range b {
			if equal(a[i], b[j]) {
				lengths[i+1][j+1] = lengths[i][j] + 1
			} else {
				lengths[i+1][j+1] = max(lengths[i][j+1], lengths[i+1][j])
			}
		}
	}
	var out []int
	for i, j := len(a), len(b); i > 0 && j > 0; {
		switch {
		case equal(a[i-1], b[j-1]):
			out = append(out, i-1)
			i, j = i-1, j-1
		case i > 1 && (j == 1 || lengths[i-1][j] > lengths[i][j-1]):
			i--
		default:
			j--
		}
	}
	slices.Reverse(out)
	return out
}
