package tfplan

import (
	"encoding/json"
	"strings"
)

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
	remark := force
	act := inner.action()
	if act == ActionNoop && v.before != v.after {
		remark += " # whitespace changes"
	}
	innerMark := ""
	if act == ActionUpdate {
		innerMark = d.mark(act)
	}
	if short := emptyJSON(inner); short != "" {
		d.line(mark, at.col, at.prefix+"jsonencode("+short+")"+strings.TrimPrefix(end, " -> null")+remark)
		return true
	}
	d.line(mark, at.col, at.prefix+"jsonencode("+remark)
	if act == ActionUpdate && reformed(inner.before, inner.after) {
		d.retyped(inner, place{col: at.col + 4}, innerMark, "")
	} else {
		d.whole(innerMark, inner, place{col: at.col + 4, show: at.show || act == ActionNoop}, "", "")
	}
	d.line("", at.col, ")"+end)
	return true
}

// emptyJSON is the text of a value that is empty, before and after as far as
// it is there; "" for any other.
func emptyJSON(v value) string {
	text := ""
	for _, one := range []struct {
		v   any
		has bool
	}{{v.before, v.hasBefore}, {v.after, v.hasAfter}} {
		if !one.has {
			continue
		}
		form := ""
		switch x := one.v.(type) {
		case map[string]any:
			if len(x) == 0 {
				form = "{}"
			}
		case []any:
			if len(x) == 0 {
				form = "[]"
			}
		}
		if form == "" || text != "" && text != form {
			return ""
		}
		text = form
	}
	return text
}

// aside returns what render writes, without writing it.
func (d *differ) aside(render func(*differ)) string {
	inner := differ{opts: d.opts, secrets: d.secrets, tofu: d.tofu, dynamic: d.dynamic}
	render(&inner)
	return inner.b.String()
}

// decodeJSON decodes text that is one JSON object or array.
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
	switch v.(type) {
	case map[string]any, []any:
		return v, true
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
