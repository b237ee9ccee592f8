package tfplan

import (
	"fmt"
	"strings"
)

// TextOptions choose what Text shows.
type TextOptions struct {
	DiffOptions
	Limit int  // of the text, in bytes, at least 4 kB; 0 for none
	Reads bool // also the data sources that are read during the apply
}

// Text renders the whole plan as a reviewer reads it, "" where there is
// nothing to be read: first what one has to know before all else (planning
// failed, checks that don't hold, what is put off, what this version can't
// read), then every change, the deferred ones, the actions, the outputs, and
// apart from all that what changed outside of Terraform.
//
// It never gets longer than the limit. A change that does not fit is there
// with its heading alone, and where those don't fit either the last line tells
// how many are left out. It shows no sensitive value, and no line begins with
// a marker but those of what changes: see Diff.
func Text(p *Plan, o TextOptions) string {
	t := &text{limit: o.Limit}
	fresh := func() *differ { return &differ{opts: o.DiffOptions, secrets: p.secrets, tofu: p.tofu} }
	sections := []section{{what: "change"}, {
		title: "  Deferred until this plan is applied:", what: "deferred change",
	}, {what: "action to invoke"}, {what: "change to outputs"}, {
		title: "  Changed outside of Terraform, which this plan builds on:", what: "object that changed outside of Terraform",
	}}
	put := func(s int, whole, short func() string) {
		sections[s].parts = append(sections[s].parts, part{whole, short})
	}
	for _, c := range p.Changes {
		if c.Action == ActionNoop && !o.Full || c.Action == ActionRead && !o.Reads {
			continue
		}
		put(0, func() string { return Diff(c, o.DiffOptions) }, func() string { return fresh().headings(c) })
	}
	for _, c := range p.Deferred {
		put(1, func() string { return fresh().deferred(c, true) }, func() string { return fresh().deferred(c, false) })
	}
	for _, i := range p.Invocations {
		put(2, func() string { return fresh().invocation(i, true) }, func() string { return fresh().invocation(i, false) })
	}
	if outputs := DiffOutputs(p, o.DiffOptions); outputs != "" {
		put(3, func() string { return outputs }, func() string { return "" })
	}
	refreshOnly := len(p.Changes)+len(p.Deferred) == 0
	var more int
	if refreshOnly || !p.Summary().Empty() {
		var drift []Change
		drift, more = p.driftThatMatters()
		for _, c := range drift {
			put(4, func() string { return Diff(c, o.DiffOptions) }, func() string { return fresh().headings(c) })
		}
	}
	if refreshOnly {
		sections[4].title = "" // there is nothing to be told apart from
	}
	left := 0
	for i := range sections {
		if len(sections[i].parts) > 0 {
			left++
		}
	}
	t.head(p, fresh(), left)
	for _, s := range sections {
		if len(s.parts) > 0 {
			t.section(s, left)
			left--
		}
	}
	if more > 0 {
		t.line("  # " + count(more, "more object has", "more objects have") + " changed outside of Terraform, in what this plan does not build on")
	}
	return strings.TrimRight(t.b.String(), "\n")
}

// section is a part of the text with a title of its own.
type section struct {
	title string // "" for none
	what  string // one of its parts is
	parts []part
}

// part is one change, whole and by its heading alone.
type part struct{ whole, short func() string }

// text gathers sections up to a limit.
type text struct {
	b     strings.Builder
	limit int
}

// lastLine is what the line that tells what is left out may take, in bytes.
const lastLine = 160

// room tells how much may be written while so many sections are to come.
func (t *text) room(sections int) int {
	if t.limit <= 0 {
		return 1 << 40
	}
	return t.limit - t.b.Len() - (sections+1)*lastLine
}

// section writes a section; sections are those still to come, with it.
func (t *text) section(s section, sections int) {
	title := s.title
	for i, p := range s.parts {
		whole := strings.TrimRight(p.whole(), "\n")
		fits := func(text string) bool { return text != "" && len(title)+len(text)+4 <= t.room(sections) }
		if !fits(whole) {
			if short := strings.TrimRight(p.short(), "\n"); fits(short+" ") && short != "" {
				whole = short
			} else {
				n := len(s.parts) - i
				t.line(fmt.Sprintf("  # … and %s, too long to show here", count(n, "more "+s.what, "more "+plural(s.what))))
				t.b.WriteByte('\n')
				return
			}
		}
		if title != "" {
			t.b.WriteString(title + "\n\n")
			title = ""
		}
		t.b.WriteString(whole + "\n\n")
	}
}

// plural is that of the word which the phrase is about, its first "thing".
func plural(what string) string {
	for _, noun := range []string{"change", "action", "object"} {
		if strings.HasSuffix(what, noun) || strings.HasPrefix(what, noun) {
			return strings.Replace(what, noun, noun+"s", 1)
		}
	}
	return what + "s"
}

func (t *text) line(s string) { t.b.WriteString(s + "\n") }

// How much of what fails is told over the changes.
const (
	maxBadChecks = 20
	maxMessage   = 500 // bytes
)

// head writes what one has to know before all else.
func (t *text) head(p *Plan, d *differ, sections int) {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, "  # "+fmt.Sprintf(format, args...)) }
	s := p.Summary()
	if p.Errored {
		add("Planning failed half way: this is what was planned by then, and it can't be applied")
	}
	if names := p.Unread(); len(names) > 0 {
		for i, n := range names {
			names[i] = fmt.Sprintf("%.60q", n)
		}
		add("This version of Tidelock can't read %s of the plan (%s): what that would do is not shown", count(len(names), "section", "sections"), strings.Join(names[:min(len(names), 5)], ", "))
	}
	if p.NotApplyable && !s.Empty() && !p.Errored && len(p.Changes) > 0 {
		add("Terraform says that this plan can't be applied")
	}
	switch {
	case s.Deferred > 0:
		add("This is a part of what the code asks for: %s until it is applied", count(s.Deferred, "change is deferred", "changes are deferred"))
	case p.Incomplete && !p.Errored:
		add("This is a part of what the code asks for: another plan has to follow its apply")
	}
	if s.Invoke > 0 {
		add("The apply invokes %s beside the changes", count(s.Invoke, "action", "actions"))
	}
	bad := 0
	for _, c := range p.Checks {
		if !c.Bad() {
			continue
		}
		if bad++; bad > maxBadChecks {
			continue
		}
		add("%s", d.badCheck(c))
	}
	if bad > maxBadChecks {
		add("… and %d more checks fail", bad-maxBadChecks)
	}
	if sections > 0 {
		if line := checkCounts(p.Checks); line != "" {
			add("%s", line)
		}
		if s.Move > 1 {
			add("%d objects get other addresses in the state", s.Move)
		}
	}
	for i, l := range lines {
		if len(l)+2 > t.room(sections)-lastLine {
			t.line(fmt.Sprintf("  # … and %d more remarks", len(lines)-i))
			break
		}
		t.line(l)
	}
	if len(lines) > 0 {
		t.b.WriteByte('\n')
	}
}

// badCheck tells what fails and in whose words. The message is the code's, and
// may speak of the world: nothing in it may show a secret or leave its line.
func (d *differ) badCheck(c Check) string {
	text := d.inert(c.what(), maxMessage)
	switch c.Status {
	case CheckFail:
		text += " fails"
	case CheckError:
		text += " could not be evaluated"
	default:
		text += fmt.Sprintf(" has the unknown status %.30q", string(c.Status))
	}
	if len(c.Messages) > 0 {
		text += ": " + d.inert(strings.Join(c.Messages, " "), maxMessage)
	}
	return text
}

// inert makes free text fit to stand in one line.
func (d *differ) inert(s string, limit int) string {
	s = strings.Join(strings.Fields(d.secrets.hide(s)), " ")
	if d.secrets.in(s) || d.secrets.spans(s) {
		return concealed // it took the line breaks to hide it
	}
	if len(s) > limit {
		s = runes(s[:limit]) + "…"
	}
	return Printable(s)
}

// checkCounts is one line about all checks, "" where there are none.
func checkCounts(all []Check) string {
	if len(all) == 0 {
		return ""
	}
	pass, later, bad := 0, 0, 0
	for _, c := range all {
		switch {
		case c.Bad():
			bad++
		case c.Status == CheckUnknown:
			later++
		default:
			pass++
		}
	}
	if pass+later == 0 {
		return "" // each of them is told
	}
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{{pass, "passes", "pass"}, {bad, "fails", "fail"}, {later, "is known after the apply", "are known after the apply"}} {
		if p.n > 0 {
			parts = append(parts, count(p.n, p.one, p.many))
		}
	}
	return "Checks: " + strings.Join(parts, ", ")
}

// headings renders the comment lines over a change alone.
func (d *differ) headings(c Change) string {
	for _, text := range headings(c) {
		d.heading(text)
	}
	d.heading("(too long to show here)")
	return d.b.String()
}

// deferred renders a change that is put off.
func (d *differ) deferred(c Deferred, whole bool) string {
	if c.Change.Action == ActionNoop { // not even that is known
		d.heading(c.Change.Address + " may change")
		d.heading("(deferred: " + c.Why() + ")")
		return d.b.String()
	}
	text := Diff(c.Change, d.opts)
	first, rest, _ := strings.Cut(text, "\n")
	d.b.WriteString(first + "\n")
	d.heading("(deferred: " + c.Why() + ")")
	if whole {
		d.b.WriteString(rest)
	}
	return d.b.String()
}
