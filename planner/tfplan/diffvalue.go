package tfplan

import (
	"encoding/json"
	"fmt"
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
		return ActionNoop
	case v.before == nil:
		return ActionCreate
	case v.after == nil:
		return ActionDelete
	}
	return ActionUpdate
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
		d.line(mark, at.col, at.prefix+concealed+end+force)
		return
	}
	if v.unknown == true {
		if act == ActionCreate {
			d.line(mark, at.col, at.prefix+"(known after apply)"+at.tail+force)
			return
		}
		gone := value{before: v.before, hasBefore: true, beforeSens: v.beforeSens}
		d.whole(mark, gone, place{col: at.col, prefix: at.prefix, show: at.show, toNull: at.toNull}, " -> (known after apply)"+at.tail, force)
		return
	}
	if act == ActionUpdate && kindOf(v.before) != kindOf(v.after) {
		d.retyped(v, at, mark, force)
		return
	}
	d.whole(mark, v, at, end, force)
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

// retyped writes a value whose type changes: all of the old one, all of the new.
func (d *differ) retyped(v value, at place, mark, force string) {
	prefix := at.prefix
	old := value{before: v.before, hasBefore: true, beforeSens: v.beforeSens}
	fresh := value{after: v.after, hasAfter: true, unknown: v.unknown, afterSens: v.afterSens}
	if kindOf(v.before) == kindPlain {
		prefix += d.literal(v.before) + " -> "
	} else {
		var inner differ
		inner.opts, inner.secrets = d.opts, d.secrets
		inner.whole(mark, old, place{col: at.col, prefix: prefix}, "", force)
		text := strings.TrimSuffix(inner.b.String(), "\n")
		cut := strings.LastIndexByte(text, '\n') + 1
		d.b.WriteString(text[:cut])
		prefix = strings.TrimLeft(text[cut:], " ") + " -> "
		if cut > 0 {
			mark = ""
		} else { // an empty list or object, on one line
			prefix = strings.TrimLeft(strings.TrimPrefix(text, mark), " ") + " -> "
		}
		force = ""
	}
	d.whole(mark, fresh, place{col: at.col, prefix: prefix}, at.tail, force)
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
			return before[k] == nil && after[k] == nil && squash(member(v.unknown, k)) == nil
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
			unknown: member(v.unknown, key), beforeSens: member(v.beforeSens, key), afterSens: member(v.afterSens, key),
			path: step(v.path, key), inJSON: v.inJSON,
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

func (d *differ) list(mark string, v value, at place, end, force string) {
	before, _ := v.before.([]any)
	after, _ := v.after.([]any)
	pairs := pair(before, after, v.unknown, v.beforeSens, v.afterSens, true)
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
		p.path, p.inJSON = step(v.path, p.index), v.inJSON
		e := p.value
		if e.action() == ActionNoop && !next {
			held = append(held, e)
			continue
		}
		if n := len(held); n > 0 {
			if n > 1 {
				d.line("", at.col+4, "# ("+count(n-1, "unchanged element", "unchanged elements")+" hidden)")
			}
			put(held[n-1], true)
			held = nil
		}
		noop := e.action() == ActionNoop
		put(e, noop)
		next = !noop || at.show || d.opts.Full
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

// json writes strings that hold a JSON object or array as Terraform does: as
// the jsonencode call that would make them. It reports false where they don't.
func (d *differ) json(mark string, v value, at place, end, force string) bool {
	inner := value{inJSON: true, hasBefore: v.hasBefore && v.before != nil, hasAfter: v.hasAfter && v.after != nil}
	var ok bool
	if inner.hasBefore {
		if inner.before, ok = decodeJSON(v.before.(string)); !ok {
			return false
		}
	}
	if inner.hasAfter {
		if inner.after, ok = decodeJSON(v.after.(string)); !ok {
			return false
		}
	}
	if !inner.hasBefore && !inner.hasAfter {
		return false
	}
	if inner.hasBefore && inner.hasAfter && kindOf(inner.before) != kindOf(inner.after) {
		return false
	}
	remark := force
	act := inner.action()
	if act == ActionNoop && v.before != v.after {
		remark += " # whitespace changes"
	}
	d.line(mark, at.col, at.prefix+"jsonencode("+remark)
	innerMark := ""
	if act == ActionUpdate {
		innerMark = d.mark(act)
	}
	d.whole(innerMark, inner, place{col: at.col + 4, show: at.show || act == ActionNoop}, "", "")
	d.line("", at.col, ")"+end)
	return true
}

// decodeJSON decodes text that is one JSON object or array with something in it.
func decodeJSON(text string) (any, bool) {
	t := strings.TrimSpace(text)
	if t == "" || t[0] != '{' && t[0] != '[' {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(t))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return nil, false
	}
	switch c := v.(type) {
	case map[string]any:
		return v, len(c) > 0
	case []any:
		return v, len(c) > 0
	}
	return nil, false
}

// heredoc writes text of several lines, line by line.
func (d *differ) heredoc(mark string, v value, at place, end, force string) {
	before, _ := v.before.(string)
	after, _ := v.after.(string)
	d.line(mark, at.col, at.prefix+"<<-EOT"+force)
	if v.action() != ActionUpdate {
		for _, l := range textLines(firstString(after, before)) {
			d.line("", at.col+4, d.text(l))
		}
		d.line("", at.col, "EOT"+end)
		return
	}
	for _, e := range compare(anys(textLines(before)), anys(textLines(after)), same) {
		switch {
		case e.before >= 0 && e.after >= 0:
			d.line("", at.col+4, d.text(e.line))
		case e.before >= 0:
			d.line("-", at.col+4, d.text(e.line))
		default:
			d.line("+", at.col+4, d.text(e.line))
		}
	}
	d.line("", at.col, "EOT"+end)
}

func firstString(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func textLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

func anys(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
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
