package gate

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/shopspring/decimal"
	"github.com/zclconf/go-cty/cty"
)

// BlockType is the type of the blocks that Decode reads.
const BlockType = "gate"

// What a block may hold at most, so that a file can't make every command slow.
const (
	maxApprovals = 10
	maxItems     = 100
	maxItem      = 200 // characters
	maxRules     = 20
	maxMessage   = 1000
)

// attribute is one attribute of a gate block, and how it is set.
type attribute struct {
	Attribute
	plan bool // means something before a plan
	set  func(d *decoder, r *Rules, name string, a *hcl.Attribute)
}

// Attribute describes an attribute of a gate block for the reference.
type Attribute struct {
	Name  string
	Takes string // "whole number", "list of strings"
	Doc   string // a sentence or more, Markdown
}

// Attributes lists what a gate block may hold beside its rules.
func Attributes() []Attribute {
	var out []Attribute
	for _, a := range attributes {
		out = append(out, a.Attribute)
	}
	return out
}

var attributes = []attribute{
	{Attribute{Approvals, "whole number", "Approving reviews of the head commit, by people with write access other than the author. Bots and approvals of older commits don't count, and nobody may ask for changes."}, true, func(d *decoder, r *Rules, name string, a *hcl.Attribute) {
		if n, ok := d.number(a, r); ok {
			if !n.IsInteger() || n.IsNegative() || n.GreaterThan(decimal.NewFromInt(maxApprovals)) {
				d.say(a.Expr.Range(), "%s must be a whole number between 0 and %d, but is %s.", name, maxApprovals, n)
				return
			}
			r.Approvals = int(n.IntPart())
			d.off(r, name, r.Approvals == 0)
		}
	}},
	{Attribute{CodeOwners, "true or false", "Every changed file that has owners in the base branch's `CODEOWNERS` is approved by one of them."}, true, flag(func(r *Rules) *bool { return &r.CodeOwners })},
	{Attribute{Mergeable, "true or false", "GitHub says that the pull request merges cleanly."}, true, flag(func(r *Rules) *bool { return &r.Mergeable })},
	{Attribute{Checks, "list of strings", "Checks and statuses of the head commit that have passed, by name or pattern (`ci/*`); at least one for each. `*` is all of them. Tidelock's own don't count."}, true, strList(func(r *Rules) *[]string { return &r.Checks }, func(s string) string {
		if !doublestar.ValidatePattern(s) {
			return "is not a pattern"
		}
		return ""
	})},
	{Attribute{UpToDate, "true or false", "The head holds the tip of its base branch."}, true, flag(func(r *Rules) *bool { return &r.UpToDate })},
	{Attribute{Policies, "true or false", "The policies pass, or what they found was accepted. On the server this is asked before every apply, whatever stands here. Not in `gate \"plan\"`."}, false, flag(func(r *Rules) *bool { return &r.Policies })},
	{Attribute{Cost, "number", "The plan adds no more than this in USD a month. A cost that is not wholly known closes the gate. Not in `gate \"plan\"`."}, false, func(d *decoder, r *Rules, name string, a *hcl.Attribute) {
		if n, ok := d.number(a, r); ok {
			if n.IsNegative() {
				d.say(a.Expr.Range(), "%s must be 0 or more, but is %s.", name, n)
				return
			}
			r.MaxMonthlyCost = &n
		}
	}},
	{Attribute{Labels, "list of strings", "Labels that the pull request has, every one of them."}, true, strList(func(r *Rules) *[]string { return &r.Labels }, nil)},
	{Attribute{WithoutLabels, "list of strings", "Labels that it does not have, none of them."}, true, strList(func(r *Rules) *[]string { return &r.WithoutLabels }, nil)},
	{Attribute{Role, "string", "Least role of who acts: `read`, `triage`, `write`, `maintain` or `admin`."}, true, func(d *decoder, r *Rules, name string, a *hcl.Attribute) {
		if s, ok := d.text(a, r); ok {
			if !slices.Contains(roles, s) {
				d.say(a.Expr.Range(), "role is %q, but can be %s.", s, orList(roles))
				return
			}
			r.Role = s
		}
	}},
	{Attribute{Users, "list of strings", "Logins of those who alone may act, beside `teams`."}, true, strList(func(r *Rules) *[]string { return &r.Users }, func(s string) string {
		if strings.ContainsAny(s, "@/ ") {
			return "is not a login; write it without @, and teams into teams"
		}
		return ""
	})},
	{Attribute{"teams", "list of strings", "Teams, as `organization/team`, whose members alone may act, beside `users`."}, true, strList(func(r *Rules) *[]string { return &r.Teams }, func(s string) string {
		if org, team, ok := strings.Cut(s, "/"); !ok || org == "" || team == "" || strings.ContainsAny(s, "@ ") || strings.Contains(team, "/") {
			return "is not a team; write it as organization/team"
		}
		return ""
	})},
}

// attributeNames lists what a gate block of the act may hold.
func attributeNames(act Act) []string {
	var out []string
	for _, a := range attributes {
		if a.plan || act != ActPlan {
			out = append(out, a.Name)
		}
	}
	return out
}

// Decode reads the gate blocks of a file's body and leaves everything else in
// it alone. file is what the problems call it. It goes on after a problem, so
// that all are told at once; the Set is fit for use only where there is none.
// Expressions are read too, each problem at its place in the file.
func Decode(body hcl.Body, file string) (Set, []Problem) {
	content, _, diags := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: BlockType, LabelNames: []string{"act"}}}})
	d := &decoder{file: file}
	d.diagnostics(diags)
	var s Set
	if content != nil {
		s = d.blocks(content.Blocks)
	}
	return s, d.sorted()
}

// DecodeBlocks reads gate blocks that the caller has found; others are left
// alone. Each has one label, the act.
func DecodeBlocks(blocks hcl.Blocks, file string) (Set, []Problem) {
	d := &decoder{file: file}
	s := d.blocks(blocks)
	return s, d.sorted()
}

type decoder struct {
	file     string
	problems []Problem
}

func (d *decoder) sorted() []Problem {
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.problems
}

func (d *decoder) say(at hcl.Range, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file, Line: at.Start.Line, Column: at.Start.Column, Message: fmt.Sprintf(format, args...)})
}

func (d *decoder) diagnostics(diags hcl.Diagnostics) {
	for _, diag := range diags {
		if diag.Severity != hcl.DiagError {
			continue
		}
		at := hcl.Range{}
		if diag.Subject != nil {
			at = *diag.Subject
		}
		text := strings.TrimSuffix(diag.Summary, ".") + "."
		if diag.Detail != "" && diag.Detail != diag.Summary {
			text += " " + diag.Detail
		}
		d.say(at, "%s", text)
	}
}

func (d *decoder) blocks(blocks hcl.Blocks) Set {
	var s Set
	first := map[Act]int{}
	for _, b := range blocks {
		if b.Type != BlockType {
			continue
		}
		if len(b.Labels) != 1 || !slices.Contains(Acts(), Act(b.Labels[0])) {
			d.say(b.DefRange, `A gate stands before "plan", "apply" or "destroy": gate "apply" { … }.`)
			continue
		}
		act := Act(b.Labels[0])
		if line, twice := first[act]; twice {
			d.say(b.DefRange, "There is a gate %q on line %d already. Make one of them.", act, line)
			continue
		}
		first[act] = b.DefRange.Start.Line
		r := d.rules(act, b)
		switch act {
		case ActPlan:
			s.Plan = r
		case ActApply:
			s.Apply = r
		case ActDestroy:
			s.Destroy = r
		}
	}
	return s
}

func (d *decoder) rules(act Act, b *hcl.Block) Rules {
	var r Rules
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "rule", LabelNames: []string{"name"}}}}
	for _, a := range attributes {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: a.Name})
	}
	content, diags := b.Body.Content(schema)
	for _, diag := range diags {
		what := fmt.Sprintf("gate %q", act)
		d.unexpected(diag, what, append(attributeNames(act), "rule blocks"))
	}
	if content == nil {
		return r
	}
	for _, a := range attributes {
		attr, ok := content.Attributes[a.Name]
		switch {
		case !ok:
		case act == ActPlan && !a.plan:
			d.say(attr.NameRange, "%s looks at a plan, and before a plan there is none; the gate %q takes %s.", a.Name, ActPlan, andList(attributeNames(act)))
		default:
			a.set(d, &r, a.Name, attr)
		}
	}
	for _, l := range r.Labels {
		if containsFold(r.WithoutLabels, l) {
			d.say(content.Attributes[WithoutLabels].NameRange, "The label %q is in labels and in without_labels, so the gate could never open.", l)
		}
	}
	first := map[string]int{}
	for _, b := range content.Blocks {
		e, ok := d.rule(act, b)
		if line, twice := first[e.Name]; twice {
			d.say(b.DefRange, "There is a rule %q on line %d already.", e.Name, line)
			continue
		}
		first[e.Name] = b.DefRange.Start.Line
		if len(first) == maxRules+1 {
			d.say(b.DefRange, "A gate can have %d rules.", maxRules)
		}
		if ok {
			r.Expressions = append(r.Expressions, e)
		}
	}
	return r
}

// unexpected takes over what HCL says of a block's contents, and adds what is
// allowed in it.
func (d *decoder) unexpected(diag *hcl.Diagnostic, what string, allowed []string) {
	if strings.HasPrefix(diag.Summary, "Unsupported") && diag.Subject != nil {
		d.say(*diag.Subject, "%s A %s takes %s.", strings.TrimSuffix(diag.Detail, ".")+".", what, andList(allowed))
		return
	}
	d.diagnostics(hcl.Diagnostics{diag})
}

func (d *decoder) rule(act Act, b *hcl.Block) (Expression, bool) {
	e := Expression{Name: b.Labels[0]}
	before := len(d.problems)
	if !isRuleName(e.Name) {
		d.say(b.DefRange, "The name of a rule has letters, digits, - and _ only, 60 at most, but is %q.", e.Name)
	} else if slices.Contains(names, e.Name) {
		d.say(b.DefRange, "%q is the name of a gate of its own; choose another for the rule.", e.Name)
	}
	content, diags := b.Body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "when"}, {Name: "message"}}})
	for _, diag := range diags {
		d.unexpected(diag, fmt.Sprintf("rule %q", e.Name), []string{"when", "message"})
	}
	if content == nil {
		return e, false
	}
	if a, ok := content.Attributes["message"]; ok {
		e.Message, _ = d.text(a, nil)
		if len(e.Message) > maxMessage {
			d.say(a.Expr.Range(), "The message has %d characters, and %d are allowed.", len(e.Message), maxMessage)
		}
	}
	when, ok := content.Attributes["when"]
	if !ok {
		d.say(b.DefRange, "The rule %q lacks when: an expression that is true where the gate is open.", e.Name)
		return e, false
	}
	if e.Expr, ok = d.text(when, nil); !ok {
		if len(d.problems) == before {
			d.say(when.Expr.Range(), "when must be an expression in quotes.")
		}
		return e, false
	}
	e.Pos = fmt.Sprintf("%s:%d", d.file, when.Expr.Range().Start.Line)
	for _, p := range CheckExpression(act, e.Expr) {
		line, column := placeIn(when.Expr, p.Line, p.Column)
		d.problems = append(d.problems, Problem{File: d.file, Line: line, Column: column, Message: fmt.Sprintf("The rule %q: %s", e.Name, p.Message)})
	}
	return e, len(d.problems) == before
}

func isRuleName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 60
}

// placeIn returns where a place of an expression's text stands in the file. A
// quoted text begins behind its quote; a heredoc has each line on its own, and
// from each the same indentation may have been taken away. Where a text has
// escapes, the column is that of the text, not of the file.
func placeIn(e hcl.Expression, line, column int) (int, int) {
	start := e.Range().Start
	template, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || len(template.Parts) == 0 {
		return start.Line, start.Column
	}
	first := template.Parts[0].Range().Start
	if first.Line == start.Line && line == 1 { // "…"
		return start.Line, first.Column + column - 1
	}
	return first.Line + line - 1, first.Column + column - 1
}

// value returns what the attribute is, nil for null and where it can't be
// known. Nothing can be referred to.
func (d *decoder) value(a *hcl.Attribute) (cty.Value, bool) {
	v, diags := a.Expr.Value(nil)
	d.diagnostics(diags)
	if diags.HasErrors() || v.IsNull() || !v.IsWhollyKnown() {
		return v, false
	}
	return v, true
}

func (d *decoder) wrong(a *hcl.Attribute, want string, v cty.Value) {
	d.say(a.Expr.Range(), "%s must be %s, but is a %s.", a.Name, want, v.Type().FriendlyName())
}

// off notes that a file turns a gate off in so many words.
func (d *decoder) off(r *Rules, name string, off bool) {
	if off && r != nil {
		r.Off = append(r.Off, name)
	}
}

func (d *decoder) number(a *hcl.Attribute, r *Rules) (decimal.Decimal, bool) {
	v, ok := d.value(a)
	if !ok {
		return decimal.Decimal{}, false
	}
	if v.Type() != cty.Number {
		d.wrong(a, "a number", v)
		return decimal.Decimal{}, false
	}
	f := v.AsBigFloat()
	if f.IsInf() || f.Cmp(big.NewFloat(1e12)) > 0 || f.Cmp(big.NewFloat(-1e12)) < 0 {
		d.say(a.Expr.Range(), "%s is out of all bounds.", a.Name)
		return decimal.Decimal{}, false
	}
	n, err := decimal.NewFromString(f.Text('f', 6))
	if err != nil {
		d.wrong(a, "a number", v)
	}
	return n, err == nil
}

func (d *decoder) text(a *hcl.Attribute, r *Rules) (string, bool) {
	v, ok := d.value(a)
	if !ok {
		return "", false
	}
	if v.Type() != cty.String {
		d.wrong(a, "a string", v)
		return "", false
	}
	if v.AsString() == "" {
		d.off(r, a.Name, true)
		return "", false
	}
	return v.AsString(), true
}

func flag(field func(*Rules) *bool) func(*decoder, *Rules, string, *hcl.Attribute) {
	return func(d *decoder, r *Rules, name string, a *hcl.Attribute) {
		v, ok := d.value(a)
		if !ok {
			return
		}
		if v.Type() != cty.Bool {
			d.wrong(a, "true or false", v)
			return
		}
		*field(r) = v.True()
		d.off(r, name, v.False())
	}
}

// strList reads a list of texts; check returns what is wrong with one, as the
// end of a sentence that begins with it.
func strList(field func(*Rules) *[]string, check func(string) string) func(*decoder, *Rules, string, *hcl.Attribute) {
	return func(d *decoder, r *Rules, name string, a *hcl.Attribute) {
		v, ok := d.value(a)
		if !ok {
			return
		}
		if !v.Type().IsTupleType() && !v.Type().IsListType() {
			d.wrong(a, "a list of strings", v)
			return
		}
		if v.LengthInt() > maxItems {
			d.say(a.Expr.Range(), "%s has %d items, and %d are allowed.", name, v.LengthInt(), maxItems)
			return
		}
		var out []string
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			switch {
			case item.IsNull() || item.Type() != cty.String:
				d.say(a.Expr.Range(), "%s must be a list of strings, but holds something else.", name)
				return
			case strings.TrimSpace(item.AsString()) == "":
				d.say(a.Expr.Range(), "%s holds an empty name.", name)
				continue
			case len(item.AsString()) > maxItem:
				d.say(a.Expr.Range(), "%s holds a name of %d characters, and %d are allowed.", name, len(item.AsString()), maxItem)
				continue
			}
			if check != nil {
				if wrong := check(item.AsString()); wrong != "" {
					d.say(a.Expr.Range(), "%s: %q %s.", name, item.AsString(), wrong)
					continue
				}
			}
			out = append(out, item.AsString())
		}
		*field(r) = union(out, nil)
		d.off(r, name, v.LengthInt() == 0)
	}
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	File    string
	Line    int // from 1; 0 where it is of the whole file
	Column  int // from 1; 0 where only the line is known
	Message string
}

// String returns the problem on one line, its place first.
func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return p.File + ": " + p.Message
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}
