package policydoc

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
)

const head = `# The bundled rules

<!-- Made by: tidelock policy docs --format markdown -->

Every plan is judged by these rules unless the server turns them off. What a rule finds is **advisory** (shown),
**mandatory** (shown, and the plan must not be applied unless an owner of the policies accepts it) or **hard** (nobody can
accept it). The levels below are those that the rules come with; the server can set others, and a repository can only
make them stricter.

A **setting** is given on the server, in the admin repository, or in a repository's own tidelock.hcl, where only values
count that are at least as strict: the column *stricter* says which those are. Rules of your own are written like these:
` + "`tidelock policy new`" + ` makes one, ` + "`tidelock policy test`" + ` tries it.
`

// Markdown writes the reference as a document.
func (r Reference) Markdown() string {
	var b strings.Builder
	b.WriteString(head)
	total := 0
	for _, p := range r.Packs {
		total += len(p.Rules)
	}
	fmt.Fprintf(&b, "\n| pack | rules | about |\n|---|---|---|\n")
	for _, p := range r.Packs {
		fmt.Fprintf(&b, "| [%s](#%s) | %d | %s |\n", p.Title, strings.ReplaceAll(strings.ToLower(p.Title), " ", "-"), len(p.Rules), cell(p.About))
	}
	fmt.Fprintf(&b, "| | %d | |\n", total)
	for _, p := range r.Packs {
		p.markdown(&b)
	}
	return b.String()
}

func (p Pack) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n", p.Title)
	if p.About != "" {
		fmt.Fprintf(b, "%s\n\n", p.About)
	}
	fmt.Fprintf(b, "| rule | level | severity | |\n|---|---|---|---|\n")
	for _, r := range p.Rules {
		fmt.Fprintf(b, "| [`%s`](#%s) | %s | %s | %s |\n", r.ID, Anchor(r.ID), r.Level, r.Severity, cell(r.Title))
	}
	if len(p.Settings) > 0 {
		fmt.Fprintf(b, "\n| setting | default | stricter | what it says |\n|---|---|---|---|\n")
		for _, s := range p.Settings {
			fmt.Fprintf(b, "| `%s.%s` | `%s` | %s | **%s.** %s |\n", s.Pack, s.Name, cell(Value(s.Default)), Stricter(s), cell(s.Title), cell(s.Description))
		}
	}
	for _, r := range p.Rules {
		ruleMarkdown(b, r)
	}
}

func ruleMarkdown(b *strings.Builder, r policy.Rule) {
	fmt.Fprintf(b, "\n### %s\n\n**%s** (%s, %s)\n", r.ID, r.Title, r.Level, r.Severity)
	for _, part := range []struct{ head, text string }{{"", r.Description}, {"**Why:** ", r.Why}, {"**How to mend it:** ", r.Mend}} {
		if part.text != "" {
			fmt.Fprintf(b, "\n%s%s\n", part.head, oneLine(part.text))
		}
	}
	for _, part := range []struct {
		head    string
		example *policy.Example
	}{{"Found", r.Bad}, {"Not found", r.Good}} {
		if part.example == nil {
			continue
		}
		aside := Circumstances(*part.example)
		if aside != "" {
			aside = " (" + aside + ")"
		}
		fmt.Fprintf(b, "\n%s%s:\n\n```hcl\n%s\n```\n", part.head, aside, ExampleText(*part.example))
	}
	if all := evidence(r); len(all) > 0 {
		fmt.Fprintf(b, "\nEvidence for:\n\n")
		for _, f := range all {
			var words []string
			for _, c := range f.Controls {
				words = append(words, strings.TrimSpace(c.ID+" "+c.Title))
			}
			fmt.Fprintf(b, "- %s: %s\n", f.Name, strings.Join(words, "; "))
		}
	}
}

// cell makes a text fit for a table.
func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", "\\|") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
