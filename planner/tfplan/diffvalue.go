package tfplan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// value is one value before and after, with its masks.
type value struct {
	before, after         any
	hasBefore, hasAfter   bool // a list's null element is there and null
	unknown               any
	beforeSens, afterSens any
	path                  []any
	inJSON                bool // inside a string that holds JSON
	explicit              bool // a member or element that is null is there: it changes, and is not made
}

// action tells what happens to the value: create, update, delete or noop.
func (v value) action() Action {
	unknown := squash(v.unknown) != nil
	switch {
	case !v.hasBefore && (v.hasAfter || unknown):
		return ActionCreate
	case v.hasBefore && !v.hasAfter && !unknown:
		return ActionDelete
	case unknown:
		if v.before == nil {
			return ActionCreate
		}
		return ActionUpdate
	case same(v.before, v.after):
		if v.hasBefore && v.hasAfter && v.before != nil && !sameMarks(v.beforeSens, v.afterSens) {
			return ActionUpdate
		}
		return ActionNoop
	case v.explicit && v.hasBefore && v.hasAfter:
		return ActionUpdate
	case v.before == nil:
		return ActionCreate
	case v.after == nil:
		return ActionDelete
	}
	return ActionUpdate
}

// sameMarks reports whether two masks cover the same.
func sameMarks(a, b any) bool {
	a, b = squash(a), squash(b)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.DeepEqual(a, b)
}

// place is where and how a value is written.
type place struct {
	col    int
	prefix string // "name = " or ""
	tail   string // "," in lists
	toNull bool   // an argument of a resource or block: its deletion ends in -> null
	show   bool   // what is unchanged inside, too
}

// emit writes a value with all its lines.
func (d *differ) emit(v value, at place) {
	act := v.action()
	mark := d.mark(act)
	force := d.forces(v.path)
	end := at.tail
	if act == ActionDelete && at.toNull {
		end = " -> null" + at.tail
	}
	if v.beforeSens == true || v.afterSens == true {
		d.marking(v, act, at.col, "attribute value")
		d.line(mark, at.col, at.prefix+concealed+end+force)
		return
	}
	if v.unknown == true {
		if act == ActionCreate {
			d.line(mark, at.col, at.prefix+"(known after apply)"+at.tail+force)
			return
		}
		gone := value{before: v.before, hasBefore: true, beforeSens: v.beforeSens}
		if gone.before == "" && at.toNull {
			gone.before = nil // as Terraform writes it here
		}
		d.whole(mark, gone, place{col: at.col, prefix: at.prefix, show: at.show, toNull: at.toNull}, " -> (known after apply)"+at.tail, force)
		return
	}
	if act == ActionUpdate && reformed(v.before, v.after) {
		d.retyped(v, at, mark, force)
		return
	}
	d.whole(mark, v, at, end, force)
}

// marking writes Terraform's warning where a value becomes sensitive, or is
// so no longer.
func (d *differ) marking(v value, act Action, col int, what string) {
	was, is := v.beforeSens == true, v.afterSens == true
	if act != ActionUpdate || was == is {
		return
	}
	first, second := "will be marked as sensitive and will not", "display in UI output after applying this change."
	if was {
		first, second = "will no longer be marked as sensitive", "after applying this change."
	}
	if same(v.before, v.after) && squash(v.unknown) == nil {
		second += " The value is unchanged."
	}
	d.line("", col-2, "# Warning: this "+what+" "+first)
	d.line("", col-2, "# "+second)
}

type kind int

const (
	kindPlain kind = iota
	kindObject
	kindList
)

func kindOf(v any) kind {
	switch v.(type) {
	case map[string]any:
		return kindObject
	case []any:
		return kindList
	}
	return kindPlain
}

// retyped writes a value whose form changes: all of the old one, all of the new.
func (d *differ) retyped(v value, at place, mark, force string) {
	old := value{before: v.before, hasBefore: true, beforeSens: v.beforeSens, inJSON: v.inJSON}
	fresh := value{after: v.after, hasAfter: true, unknown: v.unknown, afterSens: v.afterSens, inJSON: v.inJSON}
	text := strings.TrimSuffix(d.aside(func(d *differ) {
		d.whole("", old, place{col: at.col, prefix: at.prefix}, "", force)
	}), "\n")
	cut := strings.LastIndexByte(text, '\n') + 1
	if cut > 0 { // its lines but the last stand as they are
		d.b.WriteString(mark + strings.TrimPrefix(text[:cut], strings.Repeat(" ", len(mark))))
		mark = ""
	}
	d.whole(mark, fresh, place{col: at.col, prefix: strings.TrimLeft(text[cut:], " ") + " -> "}, at.tail, "")
}

// reformed reports whether two values are written in forms that can't be
// shown as one: an object and a list, JSON and other text, lines and a number.
func reformed(before, after any) bool {
	if kindOf(before) != kindOf(after) {
		return true
	}
	if kindOf(before) != kindPlain {
		return false
	}
	b, bok := before.(string)
	a, aok := after.(string)
	if bok && aok {
		if len(b) > maxString || len(a) > maxString {
			return false
		}
		_, bj := decodeJSON(b)
		_, aj := decodeJSON(a)
		return bj != aj
	}
	one := b + a // one of them, at most
	_, inJSON := decodeJSON(one)
	return strings.Contains(one, "\n") || inJSON
}

// whole writes a value that is of one type before and after. end follows it
// on its last line, force on its first.
func (d *differ) whole(mark string, v value, at place, end, force string) {
	some := v.before
	if !v.hasBefore || v.before == nil {
		some = v.after
	}
	if some == nil && squash(v.unknown) != nil {
		// Only a mask is left of it: its form is the mask's.
		some = v.unknown
	}
	switch kindOf(some) {
	case kindObject:
		d.object(mark, v, at, end, force)
	case kindList:
		d.list(mark, v, at, end, force)
	default:
		d.plain(mark, v, at, end, force)
	}
}

func (d *differ) object(mark string, v value, at place, end, force string) {
	before, _ := v.before.(map[string]any)
	after, _ := v.after.(map[string]any)
	keys := keysOf(before, after, squash(v.unknown))
	if !d.dynamic && !v.inJSON {
		// An object that a provider's schema describes has all its
		// attributes, set or not.
		keys = slices.DeleteFunc(keys, func(k string) bool {
			return before[k] == nil && after[k] == nil && squash(MaskMember(v.unknown, k)) == nil
		})
	}
	if len(keys) == 0 {
		d.line(mark, at.col, at.prefix+"{}"+end+force)
		return
	}
	d.line(mark, at.col, at.prefix+"{"+force)
	width, hidden := 0, 0
	quoted := at.toNull && !d.dynamic && stringMap(before) && stringMap(after) && squash(v.unknown) == nil
	name := func(key string) string {
		switch {
		case d.secrets.in(key):
			return concealed
		case len(key) > maxName:
			return cutString(key)
		case d.secrets.key(key) && d.holdsSecret(before[key], after[key]):
			return concealed // a copy of a sensitive map that lost its mark
		case quoted:
			return quote(key)
		}
		return keyText(key)
	}
	for _, key := range keys {
		width = max(width, len(name(key)))
	}
	for _, key := range keys {
		m := value{
			unknown: MaskMember(v.unknown, key), beforeSens: MaskMember(v.beforeSens, key), afterSens: MaskMember(v.afterSens, key),
			path: step(v.path, key), inJSON: v.inJSON, explicit: d.dynamic || v.inJSON,
		}
		m.before, m.hasBefore = before[key]
		m.after, m.hasAfter = after[key]
		act := m.action()
		if act == ActionNoop && !at.show && !d.opts.Full {
			hidden++
			continue
		}
		d.emit(m, place{col: at.col + 4, prefix: pad(name(key), width) + " = ", show: at.show || act == ActionNoop})
	}
	if hidden > 0 {
		one, many := "unchanged attribute", "unchanged attributes"
		if quoted {
			one, many = "unchanged element", "unchanged elements"
		}
		d.line("", at.col+4, "# ("+count(hidden, one, many)+" hidden)")
	}
	d.line("", at.col, "}"+end)
}

// sorted reports whether a list holds texts in their order, each once. So do
// all sets of texts, which a plan's JSON does not tell from lists; and what is
// read as a set though it was a list has nothing to lose by it.
func sorted(list []any) bool {
	last := ""
	for i, e := range list {
		s, ok := e.(string)
		if !ok || i > 0 && s <= last {
			return false
		}
		last = s
	}
	return true
}

func (d *differ) list(mark string, v value, at place, end, force string) {
	before, _ := v.before.([]any)
	after, _ := v.after.([]any)
	set := !d.dynamic && !v.inJSON && squash(v.unknown) == nil && (len(before) > 1 || len(after) > 1) && sorted(before) && sorted(after)
	pairs := pair(before, after, v.unknown, v.beforeSens, v.afterSens, !d.tofu && !set)
	if len(pairs) == 0 {
		d.line(mark, at.col, at.prefix+"[]"+end+force)
		return
	}
	d.line(mark, at.col, at.prefix+"["+force)
	// What is unchanged is hidden but for one element before and one after
	// each change.
	var held []value
	next := at.show || d.opts.Full
	put := func(e value, unchanged bool) {
		d.emit(e, place{col: at.col + 4, tail: ",", show: at.show || unchanged})
	}
	for _, p := range pairs {
		p.path, p.inJSON, p.explicit = step(v.path, p.index), v.inJSON, d.dynamic || v.inJSON
		e := p.value
		if e.action() == ActionNoop && !next {
			held = append(held, e)
			continue
		}
		if n := len(held); n > 0 && !set {
			if n > 1 {
				d.line("", at.col+4, "# ("+count(n-1, "unchanged element", "unchanged elements")+" hidden)")
			}
			put(held[n-1], true)
			held = nil
		}
		noop := e.action() == ActionNoop
		put(e, noop)
		next = !noop && !set || at.show || d.opts.Full
	}
	if len(held) > 0 {
		d.line("", at.col+4, "# ("+count(len(held), "unchanged element", "unchanged elements")+" hidden)")
	}
	d.line("", at.col, "]"+end)
}

func (d *differ) plain(mark string, v value, at place, end, force string) {
	act := v.action()
	bs, bIsStr := v.before.(string)
	as, aIsStr := v.after.(string)
	if (bIsStr || !v.hasBefore || v.before == nil) && (aIsStr || !v.hasAfter || v.after == nil) {
		if len(bs) > maxString || len(as) > maxString {
			d.huge(mark, v, at, end, force)
			return
		}
		if d.secrets.spans(bs) || d.secrets.spans(as) {
			d.line(mark, at.col, at.prefix+concealed+end+force)
			return
		}
		if d.json(mark, v, at, end, force) {
			return
		}
		if strings.Contains(bs, "\n") || strings.Contains(as, "\n") {
			d.heredoc(mark, v, at, end, force)
			return
		}
	}
	text := ""
	switch act {
	case ActionUpdate:
		text = d.literal(v.before) + " -> " + d.literal(v.after)
	case ActionCreate:
		text = d.literal(v.after)
	case ActionDelete:
		text = d.literal(v.before)
	default:
		text = d.literal(firstOf(v.after, v.before))
	}
	d.line(mark, at.col, at.prefix+text+end+force)
}

// literal writes a value that is neither object nor list.
func (d *differ) literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if d.secrets.in(v) {
			return concealed
		}
		if len(v) > maxString {
			return cutString(v)
		}
		return quote(v)
	case json.Number:
		return d.secrets.hide(v.String())
	case bool:
		return strconv.FormatBool(v)
	}
	return fmt.Sprint(v) // an object or list that replaces a plain value never comes here
}

// text is literal for a line of a heredoc.
func (d *differ) text(line string) string {
	if d.secrets.in(line) {
		return concealed
	}
	return Printable(line)
}

// quote writes a string as Terraform does, with everything escaped that does
// not print.
func quote(s string) string { return strconv.Quote(s) }

// Printable escapes what does not print, tabs apart: escape sequences and the
// marks that turn the direction of writing.
func Printable(s string) string {
	clean := true
	for _, r := range s {
		if r != '\t' && !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == '\t' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRune(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// keyText writes a name as it stands before an equals sign.
func keyText(key string) string {
	for i, r := range key {
		letter := r == '_' || unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && !unicode.IsDigit(r)) {
			return quote(key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// stringMap tells whether an argument of a resource or block is a map of
// strings, whose keys Terraform quotes, rather than an object, whose names it
// does not. The plan's JSON does not say; providers hardly ever have arguments
// that are objects of strings alone.
func stringMap(m map[string]any) bool {
	for _, v := range m {
		if _, ok := v.(string); !ok {
			return false
		}
	}
	return true
}

// same compares decoded JSON. Numbers are equal when they are written alike:
// Terraform writes a number in one way.
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	case json.Number:
		y, ok := b.(json.Number)
		return ok && x == y
	}
	return a == b
}
