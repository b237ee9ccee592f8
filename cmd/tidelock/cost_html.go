package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/terminal"
)

//go:embed cost.html
var costPageSource string

var costPage = sync.OnceValue(func() *template.Template { return template.Must(template.New("cost").Parse(costPageSource)) })

// costSheet is what the page's template gets.
type costSheet struct {
	One                          string // the project's name, where there is one alone
	Several, Skipped             bool
	Before, Compared, AsOf, Made string
	Total                        cost.Estimate
	Notes                        []string
	Projects                     []costSection
}

// costSection is a project on the page.
type costSection struct {
	Name, Path, Failed, BeforeText, AfterText, Line, Header, ByUse string
	Rows                                                           []costCell
	Unpriced                                                       []unpricedResource
	Free                                                           []string
}

type costCell struct {
	Part                                        bool // of the resource above it
	Sign, Name, Quantity, Unit, Monthly, Change string
}

type unpricedResource struct{ Name, Why string }

// Class is the style of a sign.
func (costSheet) Class(sign string) string {
	return map[string]string{"+": "add", "-": "del", "~": "mod"}[sign]
}

// writeHTML writes a statement as one page that stands alone: it asks for
// nothing from anywhere, and runs nothing.
func (s *costStatement) writeHTML(out io.Writer) error {
	d := costSheet{
		Several: len(s.projects) > 1, Skipped: s.skipped, Before: "Before", Compared: s.compared, AsOf: s.asOf(),
		Made: s.now.Format(time.DateTime + " MST"), Total: s.total, Notes: s.allNotes(),
	}
	if s.compared != "" {
		d.Before = "In the older estimate"
	}
	if len(s.projects) == 1 {
		d.One = s.projects[0].name
	}
	for _, p := range s.projects {
		d.Projects = append(d.Projects, p.section())
	}
	var b bytes.Buffer
	if err := costPage().Execute(&b, d); err != nil {
		return fmt.Errorf("write the estimate as HTML: %w", err)
	}
	_, err := out.Write(terminal.Visible(b.Bytes())) // the whole page, so that no name is forgotten
	return err
}

func (p statedProject) section() costSection {
	e := p.estimate
	out := costSection{
		Name: p.name, Failed: e.Failed, Line: e.Line(), Header: e.Header(),
	}
	out.BeforeText, out.AfterText = p.totals()
	if p.path != "-" && p.path != p.name {
		out.Path = p.path
	}
	if e.Failed != "" {
		out.BeforeText, out.AfterText = "not known", "not known"
	}
	if e.ByUse != nil {
		out.ByUse = cost.Money(e.ByUse.After, e.Currency)
	}
	for _, r := range p.rows(false) {
		out.Rows = append(out.Rows, costCell{r.indent > 0, r.sign, r.name, r.quantity, r.unit, r.monthly, r.change})
	}
	for _, r := range e.Resources {
		if r.Unpriced() {
			out.Unpriced = append(out.Unpriced, unpricedResource{r.Address, r.Note})
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(p.free)) {
		out.Free = append(out.Free, fmt.Sprintf("%d × %s", p.free[typ], typ))
	}
	return out
}
