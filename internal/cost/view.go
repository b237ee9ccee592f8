package cost

import (
	"encoding/json"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// state says what a plan knows of an attribute.
type state int

const (
	absent  state = iota // not set, or null
	unknown              // known after the apply only, or of a type that pricing can't read
	known
)

// view is an object or block in a resource's values, with the masks that
// Terraform lays beside it.
type view struct {
	value     map[string]any
	unknown   any // true, or a mask of the same shape
	sensitive any
	side      *side // who notes that something sensitive was read
	// of and path say whose values these are, where the configuration can tell
	// what the plan does not; of is nil in all but the first of several blocks.
	of   *tfplan.Change
	path []string
}

// sideView returns the values of one side of a change. After an apply only
// what is planned is known; the masks of the other side do not apply.
func sideView(ch *tfplan.Change, after bool) view {
	if after {
		return view{value: ch.After, unknown: ch.Unknown, sensitive: ch.AfterSensitive, of: ch}
	}
	return view{value: ch.Before, sensitive: ch.BeforeSensitive, of: ch}
}

// get returns an attribute's value. What is both unknown and there (a list
// with unknown elements) counts as there.
func (v view) get(key string) (any, state) {
	mask := tfplan.MaskMember(v.unknown, key)
	if t, ok := mask.(bool); ok && t {
		if x, ok := v.told(key); ok {
			return x, known
		}
		return nil, unknown
	}
	x, ok := v.value[key]
	if !ok || x == nil {
		return nil, absent
	}
	if v.side != nil && tfplan.MaskCovers(tfplan.MaskMember(v.sensitive, key)) {
		v.side.bill.sensitive = true
	}
	return x, known
}

// str returns a text attribute; an empty text is absent.
func (v view) str(key string) (string, state) {
	x, st := v.get(key)
	if st != known {
		return "", st
	}
	s, ok := x.(string)
	switch {
	case !ok:
		return "", unknown
	case s == "":
		return "", absent
	}
	return s, known
}

// is reports whether a text attribute is known and one of the words, in any
// case.
func (v view) is(key string, words ...string) bool {
	s, _ := v.str(key)
	for _, w := range words {
		if s != "" && strings.EqualFold(s, w) {
			return true
		}
	}
	return false
}

// truth reports whether a boolean attribute is known to be true.
func (v view) truth(key string) bool {
	x, st := v.get(key)
	b, ok := x.(bool)
	return st == known && ok && b
}

// maxQuantity is beyond what anybody orders of anything here. It keeps a
// hostile plan from making numbers whose digits fill the memory; the decimal
// package itself bounds exponents.
var maxQuantity = decimal.New(1, 12)

// num returns a number attribute, written as a number or as text. Negative
// and absurd numbers are unknown.
func (v view) num(key string) (decimal.Decimal, state) {
	x, st := v.get(key)
	if st != known {
		return decimal.Zero, st
	}
	var text string
	switch n := x.(type) {
	case json.Number:
		text = n.String()
	case string:
		if n == "" {
			return decimal.Zero, absent
		}
		text = n
	default:
		return decimal.Zero, unknown
	}
	if len(text) > 24 {
		return decimal.Zero, unknown
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() < -24 || d.IsNegative() || d.GreaterThan(maxQuantity) {
		return decimal.Zero, unknown
	}
	return d, known
}

// blocks returns the nested blocks of a name. They are unknown as a whole
// where the plan does not say how many there will be.
func (v view) blocks(key string) ([]view, state) {
	x, st := v.get(key)
	if st != known {
		return nil, st
	}
	if m, ok := x.(map[string]any); ok { // a single nested object
		return []view{{m, tfplan.MaskMember(v.unknown, key), tfplan.MaskMember(v.sensitive, key), v.side, v.of, v.under(key)}}, known
	}
	list, ok := x.([]any)
	if !ok {
		return nil, unknown
	}
	if len(list) == 0 {
		return nil, absent
	}
	out := make([]view, 0, len(list))
	um, sm := tfplan.MaskMember(v.unknown, key), tfplan.MaskMember(v.sensitive, key)
	for i, e := range list {
		m, _ := e.(map[string]any)
		b := view{m, tfplan.MaskElement(um, i), tfplan.MaskElement(sm, i), v.side, nil, nil}
		if i == 0 {
			b.of, b.path = v.of, v.under(key)
		}
		out = append(out, b)
	}
	return out, known
}

func (v view) under(key string) []string {
	return append(append(make([]string, 0, len(v.path)+1), v.path...), key)
}

// block returns the first block of a name, an empty one where there is none.
func (v view) block(key string) (view, state) {
	bs, st := v.blocks(key)
	if st != known {
		return view{side: v.side}, st
	}
	return bs[0], known
}

// length returns how many elements a list or set has, though some of them may
// be unknown.
func (v view) length(key string) (int, state) {
	x, st := v.get(key)
	if st != known {
		return 0, st
	}
	list, ok := x.([]any)
	if !ok {
		return 0, unknown
	}
	return len(list), known
}

// text returns the first element of a list of texts.
func (v view) first(key string) (string, int, state) {
	x, st := v.get(key)
	if st != known {
		return "", 0, st
	}
	list, ok := x.([]any)
	if !ok {
		return "", 0, unknown
	}
	if len(list) == 0 {
		return "", 0, absent
	}
	s, ok := list[0].(string)
	if !ok || s == "" {
		return "", len(list), unknown
	}
	return s, len(list), known
}

// need returns a text attribute that pricing can't do without, and notes when
// it isn't known.
func (s *side) need(v view, key string) (string, bool) {
	x, st := v.str(key)
	if st != known {
		s.notKnown(key)
	}
	return x, st == known
}

// needNum is need for numbers.
func (s *side) needNum(v view, key string) (decimal.Decimal, bool) {
	x, st := v.num(key)
	if st != known {
		s.notKnown(key)
	}
	return x, st == known
}
