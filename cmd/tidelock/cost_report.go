package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/costreport"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
)

// costReport is one call of `tidelock cost report`.
type costReport struct {
	client, month, from, to, project string
	format, out                      string
}

func newCostReportCommand(p *program) *cobra.Command {
	var c costReport
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Report what clients and projects cost a month, and where that is heading",
		Long: "Reports from the server's database, by client and project: what they cost a month as of the month's end, what the\n" +
			"month has cost, how applies moved that, what is merged and what is open, how much of each budget is used, a\n" +
			"forecast with how it was reckoned, and beside the estimates what was really billed, where bills are imported.\n\n" +
			"Without --month it is of the present one, up to now. --from and --to make it one of several months. The amounts\n" +
			"are estimates from prices; what has no price is left out, and the figure then says \"at least\". It needs the\n" +
			"settings data_dir and database, and nothing of GitHub.",
		Example: "  tidelock cost report --client acme --month 2026-11\n" +
			"  tidelock cost report --from 2026-07 --to 2026-10 --format csv --out costs.csv\n" +
			"  tidelock cost report --client acme --format html --out acme.html\n" +
			"  tidelock cost report --json | jq '.clients[].months[-1].rate'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.run(cmd.Context(), p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.client, "client", "", "only this client, by its slug (else all)")
	f.StringVar(&c.month, "month", "", "the month, as 2026-11 (else the present one)")
	f.StringVar(&c.from, "from", "", "the first of several months")
	f.StringVar(&c.to, "to", "", "the last of them (else the present one)")
	f.StringVar(&c.project, "project", "", "only projects of this name or directory")
	f.StringVar(&c.out, "out", "", "file to write (else standard output)")
	formatFlags(cmd, &c.format, []string{"table", "csv", "json", "html"})
	complete(cmd, "client", p.completeClients)
	for _, flag := range []string{"month", "from", "to", "project"} {
		complete(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

func (c *costReport) run(ctx context.Context, p *program) error {
	asked, err := costreport.AskedFor(c.month, c.from, c.to, time.Now())
	if err != nil {
		return err
	}
	asked.Project = c.project
	d, err := p.openDesk(ctx, "")
	if err != nil {
		return err
	}
	defer d.close()
	id, err := clientID(ctx, d.clients, d.db, c.client)
	if err != nil {
		return err
	}
	s, err := d.costs().Statement(ctx, asked, id)
	if err != nil {
		return err
	}
	if len(s.Clients) == 0 && c.project != "" {
		return d.noSuchProject(ctx, asked, id)
	}
	return c.write(p, s)
}

// costs is where reports come from.
func (d *desk) costs() costreport.Source {
	return costreport.Source{Ledger: d.budget, Bills: actuals.NewStore(d.db, access.NewTrail(d.db), d.billing, nil)}
}

// noSuchProject says that a project is in nobody's ledger, and names a near one.
func (d *desk) noSuchProject(ctx context.Context, asked costreport.Asked, client string) error {
	project := asked.Project
	asked.Project = ""
	s, err := d.costs().Statement(ctx, asked, client)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range s.Clients {
		for _, p := range c.Projects {
			names = append(names, p.Project)
		}
	}
	return errs.New(errs.NotFound, "The ledger of costs has no project %q.%s", project, planner.DidYouMean(project, names))
}

// nothingRecorded is told where a report is empty.
const nothingRecorded = "Nothing is recorded yet: the ledger of costs begins with the first plan that a server estimates.\n"

func (c *costReport) write(p *program, s costreport.Statement) error {
	var b bytes.Buffer
	var err error
	switch c.format {
	case "json":
		err = writeJSON(&b, s)
	case "csv":
		err = writeCostCSV(&b, s)
	case "html":
		err = s.WriteHTML(&b, buildVersion().Version)
	default:
		err = writeCostTable(&b, s)
	}
	if err != nil {
		return err
	}
	if len(s.Clients) == 0 && c.format != "table" {
		fmt.Fprint(p.stderr, nothingRecorded)
	}
	if c.out == "" {
		_, err := b.WriteTo(p.stdout)
		return err
	}
	if err := writeCostFile(c.out, b.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stderr, "Written: %s, the costs of %s for %s.\n", c.out, counted(len(s.Clients), "client"), s.Period())
	return err
}

// writeCostTable shows the report to people.
func writeCostTable(w io.Writer, s costreport.Statement) error {
	if len(s.Clients) == 0 {
		_, err := io.WriteString(w, nothingRecorded)
		return err
	}
	for i, c := range s.Clients {
		if i > 0 {
			fmt.Fprintln(w)
		}
		name := c.Name
		if name != c.Slug {
			name += " (" + c.Slug + ")"
		}
		fmt.Fprintf(w, "%s, %s, as of %s\n\n", terminal.Clean(name), s.Period(), s.Stamp())
		if err := writeClientTable(w, s, c); err != nil {
			return err
		}
	}
	if len(s.Budgets) == 0 {
		return nil
	}
	fmt.Fprint(w, "\nBudgets over several clients\n\n")
	return writeBudgetTable(w, s.Budgets)
}

func writeBudgetTable(w io.Writer, all []costreport.Budget) error {
	t := newTable("BUDGET", "AMOUNT", "RATE A MONTH", "MERGED", "USED", "PROJECTED", "STATE")
	for _, b := range all {
		t.row(b.Budget, b.AmountText(), b.RateText(), b.MergedText(), b.UsedText(), b.ProjectedText(), b.Word())
	}
	return t.write(w)
}

func writeClientTable(w io.Writer, s costreport.Statement, c costreport.Client) error {
	row := func(t *table, name string, m costreport.Month) {
		t.row(name, m.RateText(), m.CostText(), m.AppliedText(), m.MergedText(), m.OpenText(), m.BilledText())
	}
	heads := []any{"PROJECT", "RATE A MONTH", "COST", "APPLIED", "MERGED", "OPEN", "BILLED"}
	if s.Several() && len(c.Months) > 0 {
		heads[0] = "MONTH"
		t := newTable(heads...)
		for _, m := range c.Months {
			row(t, m.Name(), m)
		}
		if err := t.write(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
		heads[0] = "PROJECT"
	}
	t := newTable(heads...)
	for _, p := range c.Projects {
		row(t, p.Title(), p.Whole())
	}
	if len(c.Projects) > 1 && len(c.Months) > 0 {
		row(t, "together", c.Whole())
	}
	if err := t.write(w); err != nil {
		return err
	}
	if len(c.Budgets) > 0 {
		fmt.Fprintln(w)
		if err := writeBudgetTable(w, c.Budgets); err != nil {
			return err
		}
	}
	var notes []string
	for _, o := range c.Outlooks() {
		text := fmt.Sprintf("Forecast of %s: %s (%s)", o.Month, o.Amount, o.Method)
		if o.Merged != "" {
			text += "; with what is merged " + o.Merged
		}
		if o.Trend != "" {
			text += "; by trend " + o.Trend + " (" + o.Line + ")"
		}
		notes = append(notes, text+".")
	}
	notes = append(notes, c.Notes()...)
	if len(notes) > 0 {
		fmt.Fprintln(w)
	}
	for _, n := range notes {
		if _, err := fmt.Fprintln(w, terminal.Clean(strings.ReplaceAll(n, "\n", " "))); err != nil {
			return err
		}
	}
	return nil
}

// completeClients completes the slugs of clients.
func (p *program) completeClients(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	d, err := p.openDesk(cmd.Context(), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer d.close()
	all, err := d.clients.List(cmd.Context(), d.db)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, c := range all {
		if c.Status == clients.Active {
			out = append(out, cobra.CompletionWithDesc(c.Slug, terminal.Clean(strings.Join(strings.Fields(c.Name), " "))))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
