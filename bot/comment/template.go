package comment

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"unicode"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// TemplateData is what a repository's comment template is executed with. Its
// texts are Markdown in which everything that others wrote is inert: they can
// stand anywhere in a comment. docs/templates.md documents it; fields are added
// and never changed.
type TemplateData struct {
	Headline string // the state of things in one line, with its sign
	Phase    string // run.Phase: planning, planned, applied, …
	Commit   string // the first seven digits of what is planned or applied
	Repo     string // "acme/infra"
	Pull     int
	URL      string // the change's page on this server; "" where there is none
	Projects []TemplateProject
	Total    TemplateCounts
	Cost     string // "+$30.37 a month, +100 %"; "" where nothing is known or changes
	CostPart string // what the usual comment says of the cost, folded away; "" where it says nothing
	Priced   string // "priced 18 of 23; 3 free; 2 not priced"; "" where there is no estimate
	PricesOf string // the age of the prices, "2026-04-01"; "" where none was used
	Notes    string // what is wrong in the repository, a list; "" where nothing is
	Next     string // what to type or press next, a list; "" where there is nothing
	Default  string // the usual comment whole
}

// TemplateProject is one project of TemplateData, in the order in which they
// are applied.
type TemplateProject struct {
	Name, Dir, Workspace string
	State                string // "📋 planned", "✅ applied in 12s", …
	TemplateCounts
	Cost     string // "" where there is no estimate
	Before   string // a month before the change, "$30.37"; "" where there is no estimate
	After    string // a month after it
	CostTree string // what changes resource by resource, in a block; "" where nothing does, or where it would be too long
	Policy   string // "✅ passed", …; "" where nothing was judged
	Options  string // what was asked for beyond the code, as flags
	Plan     string // a fenced block; "" where there is none, or where it would be too long
	Error    string // a fenced block; "" where nothing went wrong
	LockedBy string // "#12 (alice, since 2026-11-23 10:04 UTC)"; "" where nobody holds the lock
}

// TemplateCounts is how many resources are created, changed and so on.
type TemplateCounts struct{ Create, Update, Replace, Delete int }

// The bounds of a template: the repository's people write it, and one client's
// must never be able to hold up another's.
const (
	maxTemplate         = 16 << 10 // its text, in bytes
	maxTemplateOutput   = 60_000   // what it makes, in bytes
	maxTemplateDefault  = 50_000   // TemplateData.Default
	maxTemplateProjects = 200
	maxTemplateWork     = 400_000 // nodes executed and bytes put together, see budget
	maxWidth            = 60      // of a printf verb
)

// CheckTemplate reports what is wrong with a comment template, as errs.Invalid
// with a sentence that names the line: it must parse, use nothing but what is
// allowed, and make a comment of a sample.
func CheckTemplate(text string) error {
	t, err := parseTemplate(text)
	if err != nil {
		return err
	}
	for _, data := range []TemplateData{{Headline: "✅ No changes"}, sampleTemplate} {
		if _, err := t.execute(data); err != nil {
			return templateError(err)
		}
	}
	return nil
}

// templateError is what an execution ended with, as errs.Invalid.
func templateError(err error) error {
	var long errTooMuch
	if errors.As(err, &long) {
		return errTemplate("%s", string(long))
	}
	return err
}

// sampleTemplate is a change as any other.
var sampleTemplate = TemplateData{
	Headline: "📋 Plan: 1 to add, 0 to change, 0 to destroy", Phase: string(run.PhasePlanned), Commit: "c0ffee0", Repo: "acme/infra", Pull: 7,
	Projects: []TemplateProject{
		{Name: "network", Dir: "network", Workspace: "default", State: "📋 planned", TemplateCounts: TemplateCounts{Create: 1},
			Cost: "+$30.37", Before: "$30.37", After: "$60.74", CostTree: "```diff\n+ x\n```", Policy: "✅ passed", Plan: "```diff\n+ x\n```"},
		{Name: "app", Dir: "live/app", Workspace: "prod", State: "❌ plan failed", Error: "```\nError\n```", LockedBy: "#12"},
	},
	Total: TemplateCounts{Create: 1}, Cost: "+$30.37 a month", CostPart: "a table", Priced: "priced 1 of 1", PricesOf: "2026-04-01", Notes: "- note\n", Next: "- Merge\n", Default: "the usual comment",
}

// commentTemplate is a template that was checked.
type commentTemplate struct{ t *template.Template }

// errTemplate is an error of the template's author.
func errTemplate(format string, args ...any) error {
	return errs.New(errs.Invalid, "The comment template can't be used: "+format, args...)
}

// execute makes the comment. What it may use up is bounded: output, steps and
// the length of every text that it puts together.
func (c commentTemplate) execute(data TemplateData) (out string, err error) {
	t, err := c.t.Clone()
	if err != nil {
		return "", err
	}
	w := &capped{left: maxTemplateOutput}
	left := budget(maxTemplateWork)
	if err := t.Funcs(left.funcs()).Execute(w, data); err != nil {
		var long errTooMuch
		if errors.As(err, &long) {
			return "", long
		}
		return "", errTemplate("%s", templateMessage(err))
	}
	if strings.TrimSpace(w.text.String()) == "" {
		return "", errTemplate("it makes an empty comment.")
	}
	return w.text.String(), nil
}

// templateMessage is the library's message without its own preface.
func templateMessage(err error) string {
	text := strings.TrimPrefix(err.Error(), "template: ")
	text = strings.TrimSuffix(strings.TrimPrefix(text, templateName+":"), ".")
	return "line " + markdown.Abridged(text, 300) + "."
}

const templateName = "comment"

// errTooMuch says that a bound was reached.
type errTooMuch string

func (e errTooMuch) Error() string { return string(e) }

const errWork = errTooMuch("it does too much work.")

// capped is a text that ends with an error where it gets too long.
type capped struct {
	text strings.Builder
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	if len(p) > c.left {
		return 0, errTooMuch(fmt.Sprintf("it makes more than %d bytes.", maxTemplateOutput))
	}
	c.left -= len(p)
	return c.text.Write(p)
}

// budget is the work that an execution may still do.
type budget int

func (b *budget) spend(n int) error {
	if *b -= budget(n); *b < 0 {
		return errWork
	}
	return nil
}

// templateFuncs are the functions that a template may call. Those of the
// library that make texts are replaced by ones that are bounded.
var templateFuncs = map[string]bool{
	"and": true, "or": true, "not": true, "eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
	"len": true, "index": true, "print": true, "printf": true, "fold": true, "lower": true, "upper": true,
}

// work is the function that stands, unseen, at the begin of every round of a
// range, and spends what the round will cost.
const work = "tidelockWork"

func (b *budget) funcs() template.FuncMap {
	spend := func(args ...any) error {
		n := 8
		for _, a := range args {
			if s, ok := a.(string); ok {
				n += len(s) / 16
			}
		}
		return b.spend(n)
	}
	text := func(args []any, made func() string) (string, error) {
		if err := spend(args...); err != nil {
			return "", err
		}
		total := 0
		for _, a := range args {
			switch a := a.(type) {
			case string:
				total += len(a)
			case int, bool, float64:
				total += 24
			default:
				return "", errors.New("print and printf take texts and numbers only")
			}
		}
		if total > maxTemplateOutput {
			return "", errTooMuch("it puts together a text that is too long.")
		}
		return made(), nil
	}
	return template.FuncMap{
		work: func(n int) (string, error) { return "", b.spend(n) },
		"print": func(args ...any) (string, error) {
			return text(args, func() string { return fmt.Sprint(args...) })
		},
		"printf": func(format string, args ...any) (string, error) {
			return text(append(args[:len(args):len(args)], format), func() string { return fmt.Sprintf(format, args...) })
		},
		"fold": func(title, body string) (string, error) {
			return text([]any{title, body}, func() string {
				return strings.TrimSpace(markdown.Fold(unescaped(markdown.OneLine(title)), body, false)) + "\n"
			})
		},
		"lower": func(s string) (string, error) { return text([]any{s}, func() string { return strings.ToLower(s) }) },
		"upper": func(s string) (string, error) { return text([]any{s}, func() string { return strings.ToUpper(s) }) },
	}
}

// unescaped takes away what keeps Markdown from being read, for a title, where
// none is read.
func unescaped(s string) string {
	return markdownEscape.ReplaceAllString(strings.ReplaceAll(s, "\\`", "&#96;"), "$1")
}

var markdownEscape = regexp.MustCompile("\\\\([\\\\`*_{}\\[\\]()!|~])")

// fromTemplate makes the comment as the repository wants it, in as much detail
// as there is room for. Where its template fails, the usual comment says why.
func fromTemplate(v View) string {
	v.Pairs = arranged(v.Pairs)
	t, err := parseTemplate(v.Settings.Template)
	usual := renderWithin(v, maxTemplateDefault)
	for level := full; err == nil && level < barest; level++ {
		var text string
		if text, err = t.execute(templateData(v, level, usual)); err == nil {
			return markdown.Calm(unmarked(text))
		}
		var long errTooMuch
		if errors.As(err, &long) && long != errWork && level+1 < barest {
			err = nil // with less detail it may fit
		}
	}
	return renderWithin(v, maxComment-1000) + "\n⚠️ <sub>" + markdown.Sentences(errs.Sentence(templateError(err))) + " This is the usual comment.</sub>\n"
}

// unmarked keeps a text from holding one of the markers by which comments are
// found again.
func unmarked(s string) string { return strings.ReplaceAll(s, "<!-- tidelock", "<!-- \u2060tidelock") }

// anywhere is prose that may stand at the begin of a line too, where it must
// not begin a list.
func anywhere(s string) string {
	s = markdown.Prose(s)
	if s != "" && !unicode.IsLetter([]rune(s)[0]) {
		s = "\u2060" + s
	}
	return s
}

// templateData is the change as a template sees it.
func templateData(v View, level detail, usual string) TemplateData {
	d := TemplateData{
		Headline: headline(v), Phase: string(v.Phase()), Commit: Short(v.Change.Target()), Repo: anywhere(v.Repo.FullName()), Pull: v.Change.Pull, URL: v.URL,
		Cost: strings.TrimPrefix(costLine(v), " · "), Next: nextSteps(v), Default: usual,
	}
	if told(v) {
		if all, sum, _ := estimates(v); len(all) > 0 {
			d.CostPart, d.Priced, d.PricesOf = costPart(v, level), sum.Header(), anywhere(sum.AsOf)
		}
	}
	d.Total = countsOf(total(v))
	if v.Change.Status == run.Unplannable {
		d.Notes = markdown.List(v.Change.Reason)
	}
	if v.Change.Notes != "" {
		d.Notes += markdown.List(v.Change.Notes)
	}
	if !told(v) {
		return d
	}
	for _, p := range v.Pairs[:min(len(v.Pairs), maxTemplateProjects)] {
		shown := shownPlan(p)
		one := TemplateProject{
			Name: anywhere(shorten(p.Plan.Project.Name)), Dir: anywhere(shorten(p.Plan.Project.Dir)), Workspace: anywhere(shorten(p.Plan.Project.Workspace)),
			State: state(v, p), TemplateCounts: countsOf(shown.Summary), Cost: costCell(shown.Estimate), Policy: policyCell(*shown),
			Options: anywhere(markdown.Abridged(p.Plan.Options.String(), maxOptions)),
		}
		if e := shown.Estimate; e != nil {
			one.Before, one.After = floor(e.Before, e, lacks(*e, false)), floor(e.After, e, lacks(*e, true))
			if level < summary {
				tree, _ := costTree(e, level, maxCostPart[level]/2)
				one.CostTree = strings.TrimSpace(tree)
			}
		}
		switch {
		case shown.Diff == "" || level >= summary:
		case level == terse:
			one.Plan = markdown.Fenced("diff", headings(shown.Diff))
		default:
			one.Plan = markdown.Fenced("diff", shown.Diff)
		}
		limit := maxError
		if level >= summary {
			limit = maxShortError
		}
		if p.Apply != nil && p.Apply.Status != run.Superseded && p.Apply.Error != "" {
			one.Error = markdown.Fenced("", markdown.Cut(p.Apply.Error, limit))
		} else if p.Plan.Error != "" && p.Plan.Status.Finished() {
			one.Error = markdown.Fenced("", markdown.Cut(p.Plan.Error, limit))
		}
		if l, ok := v.Holders[p.Plan.Key()]; ok {
			one.LockedBy = heldBy(l, markdown.Prose)
		}
		d.Projects = append(d.Projects, one)
	}
	return d
}
