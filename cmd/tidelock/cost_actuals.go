package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
)

// costActuals is what `tidelock cost actuals` was asked for.
type costActuals struct {
	client, month, format string
}

// clientBill is one client's month with its estimates.
type clientBill struct {
	actuals.Month
	Comparison []actuals.Comparison `json:"comparison"`
}

// bills are what the command tells.
type bills struct {
	Month   string       `json:"month"`
	Clients []clientBill `json:"clients"`
	// Unattributed is what nobody's configuration claims; told where no client
	// was asked for.
	Unattributed []actuals.Unattributed `json:"unattributed,omitempty"`
}

func newCostActualsCommand(p *program) *cobra.Command {
	var c costActuals
	cmd := &cobra.Command{
		Use:   "actuals",
		Short: "Hold estimates against what was billed",
		Long: "Shows for a month what was estimated and what was billed, by project and service, from the exports that\n" +
			"`tidelock cost import` has read: the effective cost of usage and purchases, without taxes, credits and\n" +
			"adjustments, which are told apart. Where an export ends before the month does, estimates count as far as it goes.\n" +
			"What could not be matched to a project is told with its share; what is not known is a dash, never a zero.\n\n" +
			"Without --client it shows every client, and what the configuration gives to none.",
		Example: "  tidelock cost actuals --client acme --month 2026-10\n" +
			"  tidelock cost actuals --month 2026-10 --format csv > october.csv\n" +
			"  tidelock cost actuals --client acme --json | jq '.clients[].comparison'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.run(cmd.Context(), p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.client, "client", "", "only this client, by its slug")
	f.StringVar(&c.month, "month", "", "the month, as 2026-10 (else the last one)")
	formatFlags(cmd, &c.format, []string{"table", "csv", "json"})
	complete(cmd, "client", p.completeClients)
	complete(cmd, "month", cobra.NoFileCompletions)
	return cmd
}

func (c *costActuals) run(ctx context.Context, p *program) error {
	if c.month == "" {
		now := time.Now().UTC()
		c.month = time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	}
	from, _, err := actuals.ParseMonth(c.month)
	if err != nil {
		return codedError{err, exitUsage}
	}
	d, err := p.openDesk(ctx, "")
	if err != nil {
		return err
	}
	defer d.close()
	id, err := clientID(ctx, d.clients, d.db, c.client)
	if err != nil {
		return err
	}
	b, err := d.bills(ctx, c.client, id, c.month, from)
	if err != nil {
		return err
	}
	switch c.format {
	case "json":
		return writeJSON(p.stdout, b)
	case "csv":
		return b.csv(p.stdout)
	}
	if len(b.Clients) == 0 && len(b.Unattributed) == 0 {
		_, err := fmt.Fprintln(p.stdout, "There is no client yet, and nothing was imported of that month. `tidelock cost import` reads exports in the FOCUS format.")
		return err
	}
	return b.table(p.stdout)
}

// bills brings the ledger and the imported exports together.
func (d *desk) bills(ctx context.Context, client, id, month string, from time.Time) (bills, error) {
	b := bills{Month: month, Clients: []clientBill{}}
	source := d.costs()
	ledger, err := source.Ledger.Report(ctx, budget.Query{Client: id, From: budget.MonthOf(from), To: budget.MonthOf(from)})
	if err != nil {
		return b, err
	}
	slugs := []string{client}
	if client == "" {
		all, err := d.clients.List(ctx, d.db)
		if err != nil {
			return b, err
		}
		slugs = nil
		for _, c := range all {
			slugs = append(slugs, c.Slug)
		}
		if b.Unattributed, err = source.Bills.Unattributed(ctx, month); err != nil {
			return b, err
		}
	}
	for _, slug := range slugs {
		m, err := source.Bills.ByProject(ctx, slug, month)
		if err != nil {
			return b, err
		}
		b.Clients = append(b.Clients, clientBill{m, actuals.Compare(m, estimatesOf(ledger, slug, from))})
	}
	return b, nil
}

// estimatesOf are a client's estimates for the month that begins at from.
func estimatesOf(r budget.Report, slug string, from time.Time) []actuals.Estimated {
	to := from.AddDate(0, 1, 0)
	elapsed := decimal.NewFromInt(1)
	if r.AsOf.Before(to) {
		elapsed = decimal.Max(decimal.Zero, decimal.NewFromInt(int64(r.AsOf.Sub(from)/time.Minute)).DivRound(decimal.NewFromInt(int64(to.Sub(from)/time.Minute)), 6))
	}
	var all []actuals.Estimated
	for _, c := range r.Clients {
		if c.Slug != slug {
			continue
		}
		for _, p := range c.Projects {
			for _, m := range p.Months {
				e := actuals.Estimated{Repo: p.Repo, Dir: p.Dir, Workspace: p.Workspace, Name: p.Project, Currency: p.Currency, Amount: m.Cost, Elapsed: elapsed, AtLeast: m.AtLeast, Known: m.Known}
				for _, s := range p.Services {
					e.Services = append(e.Services, actuals.EstimatedService{Provider: s.Cloud, Service: s.Service, Rate: s.Rate})
				}
				all = append(all, e)
			}
		}
	}
	return all
}

// amountOr is an amount, or a dash where it is not known.
func amountOr(d *decimal.Decimal, atLeast bool) string {
	if d == nil {
		return "-"
	}
	if atLeast {
		return "at least " + d.StringFixed(2)
	}
	return d.StringFixed(2)
}

func percentOr(d *decimal.Decimal) string {
	if d == nil {
		return "-"
	}
	if d.IsPositive() {
		return "+" + d.StringFixed(0) + " %"
	}
	return d.StringFixed(0) + " %"
}

// percentOf is a share, for people.
func percentOf(share decimal.Decimal) string {
	return share.Mul(decimal.NewFromInt(100)).Round(1).String() + " %"
}

// table tells it to people.
func (b bills) table(w io.Writer) error {
	for i, c := range b.Clients {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := c.table(w); err != nil {
			return err
		}
	}
	if len(b.Unattributed) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nNobody's, by the configuration's billing blocks:\n")
	t := newTable("PROVIDER", "ACCOUNT", "SUB ACCOUNT", "NAME", "BILLED", "OF ALL", "")
	const most = 20
	shares := map[string]decimal.Decimal{}
	for i, u := range b.Unattributed {
		shares[u.Currency] = shares[u.Currency].Add(u.Share)
		if i >= most {
			continue
		}
		why := "no block is about it"
		if u.Why != "nobody" {
			why = "several blocks are about it"
		}
		t.row(u.Provider, u.BillingAccount, u.SubAccount, u.Name, moneyIn(u.Amounts.Billed, u.Currency), percentOf(u.Share), why)
	}
	if n := len(b.Unattributed) - most; n > 0 {
		t.row(fmt.Sprintf("and %d more; --json has them all", n))
	}
	if err := t.write(w); err != nil {
		return err
	}
	for _, currency := range slices.Sorted(maps.Keys(shares)) {
		if _, err := fmt.Fprintf(w, "In all %s of what was billed in %s.\n", percentOf(shares[currency]), currency); err != nil {
			return err
		}
	}
	return nil
}

// ways are how charges were matched, in words.
var ways = map[string]string{
	actuals.ByID: "by the resource's ID", actuals.ByTag: "by tags", actuals.ByAccount: "by the account alone", actuals.ByClient: "by the client's tags alone",
}

func (c clientBill) table(w io.Writer) error {
	if !c.Known {
		_, err := fmt.Fprintf(w, "%s, %s: no export that was imported has charges of it, so nothing is known of what was billed.\n", c.Client, c.Month.Month)
		if err != nil || len(c.Comparison) == 0 {
			return err
		}
	} else if _, err := fmt.Fprintf(w, "%s, %s: billed through %s, %s of the month; imported %s.\n", c.Client, c.Month.Month, whenOr(c.Through), percentOf(c.Covered), c.Imported.Format("2006-01-02 15:04")); err != nil {
		return err
	}
	for i, cmp := range c.Comparison {
		t := newTable("PROJECT, "+cmp.Currency, "ESTIMATED", "ACTUAL", "DIFFERENCE", "")
		for _, l := range cmp.Projects {
			t.row(l.Name, amountOr(l.Estimate, l.AtLeast), amountOr(l.Actual, false), amountOr(l.Difference, false), percentOr(l.Percent))
		}
		if !cmp.Share.IsZero() {
			t.row("(no project known)", "", cmp.Unmatched.StringFixed(2), "", percentOf(cmp.Share)+" of all")
		}
		l := cmp.Total
		t.row("all", amountOr(l.Estimate, l.AtLeast), amountOr(l.Actual, false), amountOr(l.Difference, false), percentOr(l.Percent))
		if err := t.write(w); err != nil {
			return err
		}
		if len(cmp.Services) > 0 {
			t = newTable("SERVICE, "+cmp.Currency, "ESTIMATED", "ACTUAL", "DIFFERENCE", "")
			for _, l := range cmp.Services {
				t.row(l.Name, amountOr(l.Estimate, false), amountOr(l.Actual, false), amountOr(l.Difference, false), percentOr(l.Percent))
			}
			if err := t.write(w); err != nil {
				return err
			}
		}
		at := slices.IndexFunc(c.Currencies, func(cur actuals.Currency) bool { return cur.Currency == cmp.Currency })
		if at < 0 {
			continue
		}
		cur := c.Currencies[at]
		var parts []string
		for _, m := range cur.Matched {
			parts = append(parts, percentOf(m.Share)+" "+ways[m.How])
		}
		fmt.Fprintf(w, "Matched: %s.\n", strings.Join(parts, ", "))
		parts = nil
		for _, k := range cur.Categories {
			word := k.Category
			if k.Correction {
				word += " (corrections)"
			}
			parts = append(parts, word+" "+k.Amounts.Billed.StringFixed(2))
		}
		fmt.Fprintf(w, "Invoiced: %s, of it %s.\n", moneyIn(cur.Total.Billed, cur.Currency), strings.Join(parts, ", "))
		if i < len(c.Comparison)-1 {
			fmt.Fprintln(w)
		}
	}
	return nil
}

func whenOr(t time.Time) string {
	if t.IsZero() {
		return "an unknown day"
	}
	return t.Format("2006-01-02 15:04")
}

// billColumns are the columns of the CSV. New ones come at the end.
var billColumns = []string{"level", "client", "month", "currency", "project", "directory", "workspace", "service", "account", "estimate", "actual", "difference", "percent", "share", "covered", "estimate_at_least"}

// csv writes a line for each client, project, service, way of matching and
// unclaimed account: the first column says which. What is not known is empty.
func (b bills) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(billColumns); err != nil {
		return err
	}
	var failed error
	line := func(cells map[string]string) {
		row := make([]string, len(billColumns))
		for i, name := range billColumns {
			row[i] = cells[name]
		}
		if err := out.Write(row); err != nil && failed == nil {
			failed = err
		}
	}
	amount := func(d *decimal.Decimal) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	for _, c := range b.Clients {
		base := func(level, currency string, l actuals.Line) map[string]string {
			cells := map[string]string{"level": level, "client": inert(c.Client), "month": c.Month.Month, "currency": currency,
				"estimate": amount(l.Estimate), "actual": amount(l.Actual), "difference": amount(l.Difference), "percent": amount(l.Percent), "estimate_at_least": "no"}
			if l.AtLeast {
				cells["estimate_at_least"] = "yes"
			}
			if c.Known {
				cells["covered"] = c.Covered.String()
			}
			return cells
		}
		for _, cmp := range c.Comparison {
			line(base("client", cmp.Currency, cmp.Total))
			for _, l := range cmp.Projects {
				cells := base("project", cmp.Currency, l)
				cells["project"], cells["directory"], cells["workspace"] = inert(l.Name), inert(l.Dir), inert(l.Workspace)
				line(cells)
			}
			for _, l := range cmp.Services {
				cells := base("service", cmp.Currency, l)
				cells["service"] = inert(l.Name)
				line(cells)
			}
			cells := base("no project known", cmp.Currency, actuals.Line{Actual: &cmp.Unmatched})
			cells["share"] = cmp.Share.String()
			line(cells)
		}
	}
	for _, u := range b.Unattributed {
		account := u.SubAccount
		if account == "" {
			account = u.BillingAccount
		}
		line(map[string]string{"level": "no client known", "month": b.Month, "currency": u.Currency, "account": inert(account), "actual": u.Amounts.Compared.String(), "share": u.Share.String()})
	}
	out.Flush()
	if failed != nil {
		return failed
	}
	return out.Error()
}
