package costreport

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"sync"

	"github.com/tidelock/tidelock/internal/plot"
	"github.com/tidelock/tidelock/internal/terminal"
)

//go:embed report.html
var source string

//go:embed report.css
var style string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("report").Parse(source)) })

// maxChanges is how many changes a page lists of a client.
const maxChanges = 50

// sheet is what the page's template gets.
type sheet struct {
	Statement
	Style   template.CSS
	Version string
	Chart   template.HTML // of all clients
	Parts   []section
}

// section is one client on the page.
type section struct {
	Client
	Several                          bool // of more than one month
	Figures                          []Month
	Months, Services, Budgets, Moved template.HTML
	Listed                           []Change
	More                             int // changes that are not listed
}

// WriteHTML writes the report as one file that stands alone.
func (s Statement) WriteHTML(w io.Writer, version string) error {
	// The style sheets are part of the program.
	d := sheet{Statement: s, Style: template.CSS(style + plot.Style), Version: version}
	var err error
	if d.Chart, err = s.ClientsChart("clients"); err != nil {
		return err
	}
	for i, c := range s.Clients {
		id := "c" + strconv.Itoa(i)
		v := section{Client: c, Several: s.Several(), Figures: c.Months, Listed: c.Changes}
		for _, chart := range []struct {
			into *template.HTML
			make func(string) (template.HTML, error)
			id   string
		}{{&v.Months, c.MonthsChart, "-months"}, {&v.Services, c.ServicesChart, "-services"}, {&v.Budgets, c.BudgetsChart, "-budgets"}, {&v.Moved, c.MoversChart, "-movers"}} {
			if *chart.into, err = chart.make(id + chart.id); err != nil {
				return err
			}
		}
		if n := len(v.Listed) - maxChanges; n > 0 {
			v.Listed, v.More = v.Listed[:maxChanges], n
		}
		d.Parts = append(d.Parts, v)
	}
	var b bytes.Buffer
	if err := page().Execute(&b, d); err != nil {
		return fmt.Errorf("write the report as HTML: %w", err)
	}
	// The whole page, so that no name is forgotten.
	_, err = w.Write(terminal.Visible(b.Bytes()))
	return err
}
