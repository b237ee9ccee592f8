package tfplan

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// DiffOptions choose how much Diff shows.
type DiffOptions struct {
	Full    bool // also what does not change
	Exclaim bool // mark updates with ! instead of ~: GitHub colours the one and not the other
}

// Diff renders one change in Terraform's familiar form, except that the
// markers stand in the first column, where a ```diff fence colours them. It
// ends in a newline; a no-op gives "".
//
// Sensitive values never show: neither those whose mask says so, nor any other
// text in which a value stands that the plan marks as sensitive elsewhere
// (a terraform_data's output loses the mark of its input). Control characters
// are escaped, so that a value can't leave its line or colour a terminal.
func Diff(c Change, opts DiffOptions) string {
	d := &differ{opts: opts, secrets: c.secrets, tofu: c.tofu, dynamic: c.Type == "terraform_data" || c.Type == "terraform_remote_state"}
	if c.Action == ActionReplace {
		d.replace = c.ReplacePaths
	}
	d.change(c)
	return d.b.String()
}

// DiffOutputs renders the plan's output changes, "" where there are none.
func DiffOutputs(p *Plan, opts DiffOptions) string {
	d := &differ{opts: opts, secrets: p.secrets, tofu: p.tofu, dynamic: true}
	width := 0
	var shown []OutputChange
	for _, o := range p.Outputs {
		if o.Action != ActionNoop || opts.Full {
			shown = append(shown, o)
			width = max(width, len(keyText(o.Name)))
		}
	}
	if len(shown) == 0 {
		return ""
	}
	d.line("", 0, "Changes to Outputs:")
	for _, o := range shown {
		v := value{
			before: o.Before, after: o.After, unknown: o.Unknown, beforeSens: o.BeforeSensitive, afterSens: o.AfterSensitive,
			hasBefore: o.Action != ActionCreate, hasAfter: o.Action != ActionDelete,
		}
		d.emit(v, place{col: 4, prefix: pad(keyText(o.Name), width) + " = ", toNull: true, show: o.Action == ActionNoop})
	}
	return d.b.String()
}

// differ renders one change. It keeps no state between calls of Diff.
type differ struct {
	b       strings.Builder
	opts    DiffOptions
	replace [][]any  // paths that force the replacement
	secrets *secrets // values that must not show; may be nil
	tofu    bool     // lists are written as OpenTofu does
	dynamic bool     // no argument has a declared type: a terraform_data, or outputs
}

// mark is what stands in the first column.
func (d *differ) mark(a Action) string {
	switch a {
	case ActionCreate:
		return "+"
	case ActionDelete:
		return "-"
	case ActionUpdate:
		if d.opts.Exclaim {
			return "!"
		}
		return "~"
	}
	return ""
}

// line writes one line: the mark in the first column, the text at col.
func (d *differ) line(mark string, col int, text string) {
	d.b.WriteString(mark)
	if n := col - len(mark); n > 0 {
		d.b.WriteString(strings.Repeat(" ", n))
	} else if mark != "" {
		d.b.WriteByte(' ')
	}
	d.b.WriteString(text)
	d.b.WriteByte('\n')
}

// heading writes a comment line over a change. What stands in it is the
// code's and the world's, keys of for_each for example, so it is treated as
// any value is.
func (d *differ) heading(text string) {
	d.line("", 2, "# "+Printable(d.secrets.hide(text)))
}

func (d *differ) change(c Change) {
	if c.Action == ActionNoop && !d.opts.Full {
		return
	}
	for _, text := range headings(c) {
		d.heading(text)
	}
	mark, all := "", Action("")
	switch c.Action {
	case ActionCreate:
		mark, all = "+", ActionCreate
	case ActionDelete:
		mark, all = "-", ActionDelete
	case ActionUpdate:
		mark = d.mark(ActionUpdate)
	case ActionReplace:
		mark = "-/+"
		if c.CreateFirst {
			mark = "+/-"
		}
	case ActionRead:
		mark, all = "<=", ActionCreate
	case ActionForget:
		mark = "."
	}
	kind := "resource"
	if c.Mode == "data" || c.Mode == "ephemeral" {
		kind = c.Mode
	}
	d.line(mark, 4, fmt.Sprintf("%s %q %q {", kind, c.Type, c.Name))
	b := body{
		before: c.Before, after: c.After, unknown: c.Unknown, beforeSens: c.BeforeSensitive, afterSens: c.AfterSensitive,
		config: c.config, col: 8, root: true,
	}
	switch {
	case all == ActionCreate:
		b.before = nil
	case all == ActionDelete:
		b.after, b.unknown = nil, nil
		if c.keep != nil { // the rest stands as if nothing had happened to it
			b.after, b.afterSens = map[string]any{}, c.BeforeSensitive
			for k, v := range c.Before {
				if _, shown := c.keep[k]; !shown {
					b.after[k] = v
				}
			}
		}
	case c.Action == ActionForget:
		// Nothing happens to the object: it is shown as it is.
		b.after, b.afterSens, b.unknown = c.Before, c.BeforeSensitive, nil
	}
	b.show = c.Action == ActionImport // nobody has seen it in a plan yet
	d.body(b)
	d.line("", 4, "}")
}

// body is the inside of a resource or of a nested block.
type body struct {
	before, after         map[string]any // nil where there is none
	unknown               any
	beforeSens, afterSens any
	config                any   // the configuration's expressions, for telling blocks from attributes
	path                  []any // from the resource
	col                   int   // of the attributes
	root                  bool
	show                  bool // what is unchanged, too
}

// writeOnly ends the names of attributes that reach the provider and are kept
// nowhere: a plan has null for them. Its JSON does not tell them from others
// that are null, but providers name them all so.
const writeOnly = "_wo"

// important attributes are shown though they are unchanged: they tell which
// object it is.
var important = map[string]bool{"id": true, "name": true, "tags": true}

func (d *differ) body(b body) {
	show := b.show || d.opts.Full
	var attrs, blocks []string
	width := 0
	for _, key := range keysOf(b.before, b.after, b.unknown) {
		bv, av := d.unset(b.before[key]), d.unset(b.after[key])
		um := MaskMember(b.unknown, key)
		if bv == nil && av == nil && squash(um) == nil {
			if _, declared := b.after[key]; declared && b.before == nil && strings.HasSuffix(key, writeOnly) {
				attrs = append(attrs, key)
				width = max(width, len(keyText(key)))
			}
			continue // null before and after says nothing
		}
		if !d.dynamic && isBlock(config(b.config, key), bv, av, um) {
			blocks = append(blocks, key)
			continue
		}
		attrs = append(attrs, key)
		width = max(width, len(keyText(key)))
	}
	hidden, printed := 0, false
	for _, key := range attrs {
		v := value{
			before: d.unset(b.before[key]), after: d.unset(b.after[key]), unknown: MaskMember(b.unknown, key),
			beforeSens: MaskMember(b.beforeSens, key), afterSens: MaskMember(b.afterSens, key),
			path: step(b.path, key),
		}
		v.hasBefore, v.hasAfter = v.before != nil, v.after != nil
		if !v.hasBefore && !v.hasAfter && squash(v.unknown) == nil {
			printed = true
			d.line(d.mark(ActionCreate), b.col, pad(keyText(key), width)+" = (write-only attribute)")
			continue
		}
		if v.action() == ActionNoop && !show && !important[key] {
			hidden++
			continue
		}
		printed = true
		d.emit(v, place{col: b.col, prefix: pad(keyText(key), width) + " = ", toNull: true, show: show || important[key] || v.action() == ActionNoop})
	}
	if hidden > 0 {
		printed = true
		d.line("", b.col, "# ("+count(hidden, "unchanged attribute", "unchanged attributes")+" hidden)")
	}
	hidden = 0
	for _, key := range blocks {
		hidden += d.blocks(b, key, show, &printed)
	}
	if hidden > 0 {
		if printed {
			d.b.WriteByte('\n')
		}
		d.line("", b.col, "# ("+count(hidden, "unchanged block", "unchanged blocks")+" hidden)")
	}
}

// unset makes null of the empty string of an argument, as Terraform does:
// many providers mean the same by both.
func (d *differ) unset(v any) any {
	if v == "" && (!d.dynamic || d.tofu) {
		return nil
	}
	return v
}

// blocks renders the nested blocks of one type and returns how many
// unchanged ones it left out.
func (d *differ) blocks(b body, key string, show bool, printed *bool) (hidden int) {
	path := step(b.path, key)
	um, bs, as := MaskMember(b.unknown, key), MaskMember(b.beforeSens, key), MaskMember(b.afterSens, key)
	cfg := config(b.config, key)
	first := true
	gap := func() {
		if first && *printed {
			d.b.WriteByte('\n')
		}
		first, *printed = false, true
	}
	olds, news := listOf(b.before[key]), listOf(b.after[key])
	if um == true { // nothing is known, not even how many there will be
		gap()
		if len(olds) == 0 {
			d.line("+", b.col, keyText(key)+" (known after apply)"+d.forces(path))
			return 0
		}
		d.line(d.mark(ActionUpdate), b.col, keyText(key)+" (known after apply)"+d.forces(path))
	}
	if bs == true || as == true {
		act := value{before: b.before[key], after: b.after[key], unknown: um, beforeSens: bs, afterSens: as, hasBefore: len(olds) > 0, hasAfter: len(news) > 0}.action()
		if act == ActionNoop && !show {
			return max(len(olds), 1)
		}
		gap()
		d.marking(value{before: b.before[key], after: b.after[key], unknown: um, beforeSens: bs, afterSens: as}, act, b.col, "block")
		d.line(d.mark(act), b.col, keyText(key)+" {"+d.forces(path))
		d.line("", b.col+4, "# At least one attribute in this block is (or was) sensitive,")
		d.line("", b.col+4, "# so its contents will not be displayed.")
		d.line("", b.col, "}")
		return 0
	}
	for _, p := range pair(olds, news, um, bs, as, false) {
		v := value{
			before: p.before, after: p.after, unknown: p.unknown, beforeSens: p.beforeSens, afterSens: p.afterSens,
			hasBefore: p.hasBefore, hasAfter: p.hasAfter || squash(p.unknown) != nil,
		}
		act := v.action()
		if act == ActionNoop && !show {
			hidden++
			continue
		}
		at := path
		if _, list := firstOf(b.before[key], b.after[key]).([]any); list {
			at = step(path, p.index)
		}
		gap()
		d.line(d.mark(act), b.col, keyText(key)+" {"+d.forces(path, at))
		before, _ := p.before.(map[string]any)
		after, _ := p.after.(map[string]any)
		d.body(body{
			before: before, after: after, unknown: p.unknown, beforeSens: p.beforeSens, afterSens: p.afterSens,
			config: config(cfg, ""), path: at, col: b.col + 4, show: show,
		})
		d.line("", b.col, "}")
	}
	return hidden
}

// forces returns Terraform's remark where one of the paths forces the
// replacement.
func (d *differ) forces(paths ...[]any) string {
	for _, path := range paths {
		for _, r := range d.replace {
			if samePath(path, r) {
				return " # forces replacement"
			}
		}
	}
	return ""
}

func samePath(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if fmt.Sprint(a[i]) != fmt.Sprint(b[i]) {
			return false
		}
	}
	return true
}

// step returns path with one more step, never sharing memory with it.
func step(path []any, s any) []any {
	return append(append(make([]any, 0, len(path)+1), path...), s)
}

// config returns the configuration of one argument of a resource or block, or
// with key "" the arguments of a block, the first of its type.
func config(c any, key string) any {
	switch c := c.(type) {
	case map[string]any:
		if key == "" {
			return c
		}
		return c[key]
	case []any:
		// The arguments of all blocks of the type together: each may set others.
		merged := map[string]any{}
		for _, one := range c {
			if m, ok := one.(map[string]any); ok {
				for k, v := range m {
					merged[k] = v
				}
			}
		}
		return config(merged, key)
	}
	return nil
}

// isBlock tells whether an argument is a nested block. A plan's JSON does not
// say, but its configuration does: an attribute is an expression, an object
// with constant_value or references; blocks are objects or lists of them.
// Where the configuration does not speak of it, a list of objects is taken
// for blocks, which is how most providers do it.
func isBlock(cfg any, before, after, unknown any) bool {
	switch c := cfg.(type) {
	case []any:
		return true
	case map[string]any:
		_, constant := c["constant_value"]
		_, refs := c["references"]
		return !constant && !refs && len(c) > 0
	}
	objects := false
	for _, v := range []any{before, after} {
		list, ok := v.([]any)
		if v != nil && !ok {
			return false
		}
		for _, e := range list {
			if _, ok := e.(map[string]any); !ok {
				return false
			}
			objects = true
		}
	}
	if unknown == true {
		return false // a computed attribute
	}
	return objects || before != nil || after != nil // an empty list: no blocks
}

// listOf returns a block argument as a list: one block may stand alone.
func listOf(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		return []any{v}
	}
	return nil
}

func firstOf(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

// keysOf returns the sorted names of all members.
func keysOf(a, b map[string]any, mask any) []string {
	seen := map[string]bool{}
	for k := range a {
		seen[k] = true
	}
	for k := range b {
		seen[k] = true
	}
	if m, ok := mask.(map[string]any); ok {
		for k := range m {
			seen[k] = true
		}
	}
	keys := make([]string, 0, len(seen))
	for k := range seen {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// pad pads a name to a width. Terraform reckons the width in bytes and the
// name in runes; so does this, to look alike.
func pad(s string, width int) string {
	if n := width - utf8.RuneCountInString(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}
