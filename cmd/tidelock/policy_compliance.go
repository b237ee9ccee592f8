package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/compliance"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/terminal"
)

// policyCompliance is one call of `tidelock policy compliance`.
type policyCompliance struct {
	flags  policyFlags
	o      compliance.Options
	format string
	days   int
	client string
	repo   string
	asJSON bool
}

func newPolicyComplianceCommand(p *program) *cobra.Command {
	var c policyCompliance
	cmd := &cobra.Command{
		Use:   "compliance",
		Short: "Show which rules give evidence for which controls, and what is on record of them",
		Long: "Lists the controls of CIS, SOC 2 and ISO 27001 that rules give evidence for, with the level that each rule has on\n" +
			"the server. With --days it reads the server's database and adds, of that time, how many plans were judged, in how\n" +
			"many of them each rule found something, how many of these it forbade, how many different findings there were, and\n" +
			"how many of them somebody accepted. The versions of the policies that judged are listed with their times.\n\n" +
			"It is evidence that a check was made, not that a control is met. --days needs the settings data_dir and database.",
		Example: "  tidelock policy compliance --framework soc2\n" +
			"  tidelock policy compliance --framework cis_aws_3.0 --all\n" +
			"  tidelock policy compliance --days 90 --format csv > evidence.csv",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.asJSON {
				c.format = "json"
			}
			return c.run(cmd.Context(), p)
		},
	}
	c.flags.add(cmd)
	f := cmd.Flags()
	f.StringVar(&c.o.Framework, "framework", "", "only this one: cis_aws_3.0, cis_azure_3.0, cis_gcp_3.0, soc2 or iso27001_2022")
	f.BoolVar(&c.o.Gaps, "all", false, "list the controls that no rule speaks of, too")
	f.StringVar(&c.format, "format", "table", "table, json or csv")
	f.IntVar(&c.days, "days", 0, "add what is on record of the last N days")
	f.StringVar(&c.client, "client", "", "levels as they are for this client")
	f.BoolVar(&c.asJSON, "json", false, "print JSON, as --format json does")
	f.StringVar(&c.repo, "repo", "", "levels and record of this repository, as owner/name")
	complete(cmd, "format", cobra.FixedCompletions([]string{"table", "json", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "framework", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		all, err := policy.Frameworks()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []string
		for _, f := range all {
			ids = append(ids, cobra.CompletionWithDesc(f.ID, f.Title))
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	})
	for _, flag := range []string{"days", "client", "repo"} {
		complete(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

func (c *policyCompliance) run(ctx context.Context, p *program) error {
	switch {
	case c.days < 0 || c.days > 3650:
		return errs.New(errs.Invalid, "--days is how many days back, from 1 to 3650, not %d.", c.days)
	case c.format != "table" && c.format != "json" && c.format != "csv":
		return errs.New(errs.Invalid, "--format is table, json or csv, not %q.", c.format)
	}
	rules, err := c.rules(ctx, p)
	if err != nil {
		return err
	}
	known, err := policy.Frameworks()
	if err != nil {
		return err
	}
	var record *compliance.Tally
	if c.days > 0 {
		if record, err = c.record(ctx, p); err != nil {
			return err
		}
	}
	s, err := compliance.New(rules, known, c.o, record)
	if err != nil {
		return err
	}
	switch c.format {
	case "json":
		return writeJSON(p.stdout, s)
	case "csv":
		return complianceCSV(p.stdout, s)
	}
	return complianceTable(p.stdout, s)
}

// rules are those that judge, with the levels that the server gives them.
func (c *policyCompliance) rules(ctx context.Context, p *program) ([]policy.Rule, error) {
	cfg, err := p.deskConfig()
	if err != nil {
		return nil, err
	}
	judges, err := c.flags.judges(cfg)
	if err != nil {
		return nil, err
	}
	judging, err := judges.of(ctx, policyset.Target{Dir: ".", Client: c.client, Repo: c.repo})
	if err != nil {
		return nil, err
	}
	levels, err := judging.Engine.Levels(judging.Overrides)
	if err != nil {
		return nil, err
	}
	rules := judging.Engine.Rules()
	for i, r := range rules {
		rules[i].Level = levels[r.Key()]
	}
	return rules, nil
}

func (c *policyCompliance) record(ctx context.Context, p *program) (*compliance.Tally, error) {
	d, err := p.openDesk(ctx, c.repo)
	if err != nil {
		return nil, err
	}
	defer d.close()
	now := time.Now()
	asked := compliance.Asked{Since: now.AddDate(0, 0, -c.days), Now: now}
	if c.repo != "" {
		asked.Client, asked.Repo = d.repos[0].ClientID, d.repos[0].ID
	}
	if c.client != "" {
		if asked.Client, err = clientID(ctx, d.clients, d.db, c.client); err != nil {
			return nil, err
		}
	}
	return compliance.Count(ctx, d.db, d.runs, asked)
}

func complianceTable(w io.Writer, s compliance.Statement) error {
	for i, f := range s.Frameworks {
		if i > 0 {
			fmt.Fprintln(w)
		}
		of := ""
		if f.Known > 0 {
			of = fmt.Sprintf(" of %d", f.Known)
		}
		fmt.Fprintf(w, "%s: rules give evidence for %d%s controls.\n\n", terminal.Clean(f.Title), f.Covered, of)
		heads := []any{"CONTROL", "WHAT IT ASKS", "RULE", "LEVEL"}
		if s.Record != nil {
			heads = append(heads, "FOUND IN", "FORBADE", "FINDINGS", "ACCEPTED")
		}
		t := newTable(heads...)
		for _, c := range f.Controls {
			id, title := c.ID, c.Title
			if len(c.Rules) == 0 {
				t.row(id, title, "-", "-")
			}
			for _, r := range c.Rules {
				row := []any{id, title, qualified(r), r.Level}
				if e := r.Evidence; e != nil {
					row = append(row, e.Found, e.Forbidden, e.Findings, e.Accepted)
				}
				t.row(row...)
				id, title = "", ""
			}
		}
		if err := t.write(w); err != nil {
			return err
		}
	}
	return complianceRecord(w, s.Record)
}

func complianceRecord(w io.Writer, r *compliance.Record) error {
	if r == nil {
		return nil
	}
	const day = "2006-01-02"
	fmt.Fprintf(w, "\nFrom %s to %s %s judged", r.Since.Format(day), r.Until.Format(day), were(r.Plans, "plan"))
	if r.Failed > 0 {
		fmt.Fprintf(w, "; %d could not be judged to the end and so were blocked", r.Failed)
	}
	fmt.Fprintln(w, ".")
	if r.Whole > 0 {
		fmt.Fprintf(w, "Everything in a plan at once was accepted %s.\n", counted(r.Whole, "time"))
	}
	if r.Unlisted > 0 {
		fmt.Fprintf(w, "%s not in this list: the plans had more than a report holds.\n", were(r.Unlisted, "finding"))
	}
	if len(r.Versions) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable("POLICIES", "RULES", "PLANS", "FIRST", "LAST")
	for _, v := range r.Versions {
		t.row(fmt.Sprintf("%.12s", v.Policies), v.Rules, v.Plans, v.First.Format(driftTime), v.Last.Format(driftTime))
	}
	return t.write(w)
}

func were(n int, noun string) string {
	if n == 1 {
		return counted(n, noun) + " was"
	}
	return counted(n, noun) + " were"
}

// qualified names a rule, with its pack where it is no bundled one.
func qualified(r compliance.Rule) string {
	if r.Pack == "" {
		return r.ID
	}
	return r.Pack + "/" + r.ID
}

// complianceCSV has a line for each control and rule, with the same columns
// whether a record was asked for or not: those of it are then empty.
func complianceCSV(w io.Writer, s compliance.Statement) error {
	out := csv.NewWriter(w)
	write := func(cells ...string) error {
		for i, c := range cells {
			cells[i] = inert(c)
		}
		return out.Write(cells)
	}
	if err := write("framework", "control", "control_title", "rule", "rule_title", "level", "severity", "since", "until",
		"plans_judged", "plans_found", "plans_forbidden", "findings", "accepted"); err != nil {
		return err
	}
	for _, f := range s.Frameworks {
		for _, c := range f.Controls {
			if len(c.Rules) == 0 {
				c.Rules = []compliance.Rule{{}}
			}
			for _, r := range c.Rules {
				cells := []string{f.ID, c.ID, c.Title, qualified(r), r.Title, string(r.Level), string(r.Severity), "", "", "", "", "", "", ""}
				if e := r.Evidence; e != nil {
					cells = append(cells[:7], s.Record.Since.Format(time.RFC3339), s.Record.Until.Format(time.RFC3339), strconv.Itoa(s.Record.Plans),
						strconv.Itoa(e.Found), strconv.Itoa(e.Forbidden), strconv.Itoa(e.Findings), strconv.Itoa(e.Accepted))
				}
				if err := write(cells...); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

// inert keeps a spreadsheet from taking a text for a formula: titles are
// written by whoever wrote the rule.
func inert(cell string) string {
	cell = terminal.Clean(cell)
	// Some spreadsheets take the wide forms of the signs for the signs.
	if first, _ := utf8.DecodeRuneInString(cell); cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}
