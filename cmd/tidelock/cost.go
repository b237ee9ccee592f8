package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/internal/terminal"
)

// costCommand is one call of `tidelock cost`.
type costCommand struct {
	plans, names         []string
	usageFile, compareTo string
	engine, currency     string
	hours                int
	hoursGiven           bool
	format, out          string
	asJSON, skipped      bool
}

// newCostCommand returns `tidelock cost` with its subcommands.
func newCostCommand(p *program) *cobra.Command {
	var c costCommand
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Estimate what plans cost a month",
		Long: "Estimates what the resources of plans cost a month, before and after, with the list prices that are part of the\n" +
			"program: without an account, a server or a network. A plan is given as Terraform's or OpenTofu's JSON; of several,\n" +
			"each is a project. What is not known is never counted as zero: it is named, and totals say \"at least\".\n\n" +
			"--usage-file reads what resources are used in Infracost's format (infracost-usage.yml). --format json writes the\n" +
			"JSON of version 0.2 that Infracost writes, for the tools that read it. --compare-to reads an older estimate in that\n" +
			"JSON, of Tidelock or of Infracost, and tells what changed since: projects are matched by their names.\n\n" +
			"--engine infracost asks Infracost 0.10 on PATH instead, which needs its account and a network. --config or\n" +
			"TIDELOCK_CONFIG names a server's configuration, whose block cost counts then; flags go before it.\n\n" +
			"Exit codes: 0 estimated, whether or not everything has a price; 1 something can't be read or estimated; 2 the\n" +
			"command line or the configuration is wrong.",
		Example: "  terraform plan -out tfplan && terraform show -json tfplan | tidelock cost --plan -\n" +
			"  tidelock cost --plan plan.json --usage-file infracost-usage.yml --show-skipped\n" +
			"  tidelock cost --plan net.json --project-name network --plan app.json --project-name app\n" +
			"  tidelock cost --plan plan.json --format html --out cost.html\n" +
			"  tidelock cost --plan main.json --json > base.json    on the base branch, and then\n" +
			"  tidelock cost --plan plan.json --compare-to base.json",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(c.plans) == 0 {
				if cmd.Flags().NFlag() == 0 {
					return cmd.Help()
				}
				return codedError{errs.New(errs.Invalid, "Name a plan's JSON with --plan, or - for standard input."), exitUsage}
			}
			if c.asJSON {
				c.format = "json"
			}
			c.hoursGiven = cmd.Flags().Changed("hours")
			return c.run(cmd.Context(), p)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&c.plans, "plan", nil, "the output of `terraform show -json PLANFILE`, - for standard input; may be given again")
	f.StringArrayVar(&c.names, "project-name", nil, "what a plan is called, in the order of the plans; else by its file")
	f.StringVar(&c.usageFile, "usage-file", "", "what resources are used, in the format of infracost-usage.yml")
	f.StringVar(&c.compareTo, "compare-to", "", "an older estimate, in Infracost's JSON, to compare with")
	f.StringVar(&c.engine, "engine", "", "tidelock, or infracost to ask its command; else as configured, which is tidelock")
	f.StringVar(&c.currency, "currency", "", "currency of the figures, which needs a rate in the configuration; else as configured, USD")
	f.IntVar(&c.hours, "hours", 0, "hours that a month is reckoned with; else as configured, which is 730")
	f.StringVar(&c.format, "format", "table", "table, json (Infracost's, version 0.2) or html")
	f.BoolVar(&c.asJSON, "json", false, "the same as --format json")
	f.StringVar(&c.out, "out", "", "file to write to, instead of standard output")
	f.BoolVar(&c.skipped, "show-skipped", false, "also list what is free and what has no price, with the reason")
	cmd.MarkFlagsMutuallyExclusive("json", "format")
	for name, endings := range map[string][]string{"plan": {"json"}, "usage-file": {"yml", "yaml"}, "compare-to": {"json"}} {
		if err := cmd.MarkFlagFilename(name, endings...); err != nil {
			panic(err) // the flags stand above
		}
	}
	for name, complete := range map[string]cobra.CompletionFunc{
		"format":       cobra.FixedCompletions([]string{"table", "json", "html"}, cobra.ShellCompDirectiveNoFileComp),
		"engine":       cobra.FixedCompletions([]string{config.EngineBuiltin, config.EngineInfracost}, cobra.ShellCompDirectiveNoFileComp),
		"project-name": cobra.NoFileCompletions, "currency": cobra.NoFileCompletions, "hours": cobra.NoFileCompletions,
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err)
		}
	}
	cmd.AddCommand( // one line each
		newCostImportCommand(p), newCostImportsCommand(p), newCostActualsCommand(p),
		newCostBudgetsCommand(p), newCostReportCommand(p),
	)
	return cmd
}

// check reports flags that make no sense, before anything is read.
func (c *costCommand) check() error {
	wrong := func(format string, args ...any) error {
		return codedError{errs.New(errs.Invalid, format, args...), exitUsage}
	}
	switch {
	case c.format != "table" && c.format != "json" && c.format != "html":
		return wrong("--format is table, json or html, not %q.", c.format)
	case c.engine != "" && c.engine != config.EngineBuiltin && c.engine != config.EngineInfracost:
		return wrong("--engine is tidelock or infracost, not %q.", c.engine)
	case c.hoursGiven && (c.hours < 1 || c.hours > 744):
		return wrong("--hours is how many hours a month has, 1 to 744, not %d.", c.hours)
	}
	stdin := 0
	for _, path := range c.plans {
		if path == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return wrong("Standard input can be one plan only.")
	}
	return nil
}

// run estimates and tells.
func (c *costCommand) run(ctx context.Context, p *program) error {
	if err := c.check(); err != nil {
		return err
	}
	var older *infracost.Root
	if c.compareTo != "" {
		root, err := readInfracostFile(c.compareTo)
		if err != nil {
			return err
		}
		older = &root
	}
	engine, opts, err := c.estimator(ctx, p)
	if err != nil {
		return err
	}
	projects, err := readCostPlans(c.plans, c.names, p.stdin)
	if err != nil {
		return err
	}
	s := costStatement{skipped: c.skipped, now: time.Now(), compared: c.compareTo}
	var named []infracost.Named
	for _, project := range projects {
		e, err := engine.Estimate(ctx, project.plan, opts)
		if err != nil {
			return err
		}
		s.notes = append(s.notes, project.notes()...)
		s.add(statedProject{name: project.name, path: project.path, estimate: e, free: freeTypes(e, project.plan)})
		named = append(named, infracost.Named{Name: project.name, Path: project.path, Estimate: e, Plan: project.plan})
	}
	root := infracost.New(named, infracost.Metadata{UsageFile: c.usageFile}, s.now)
	if older != nil {
		if root, err = root.Compare(*older); err != nil {
			return err
		}
		s.since(root)
	}
	var out bytes.Buffer
	switch c.format {
	case "json":
		err = root.Write(&out)
	case "html":
		err = s.writeHTML(&out)
	default:
		err = s.writeTable(&out)
	}
	if err != nil {
		return err
	}
	if c.format != "table" {
		for _, n := range s.allNotes() {
			fmt.Fprintf(p.stderr, "note: %s\n", terminal.Clean(n))
		}
	}
	if c.out == "" {
		_, err = p.stdout.Write(out.Bytes())
		return err
	}
	return writeCostFile(c.out, out.Bytes())
}

// readInfracostFile reads an estimate in Infracost's JSON.
func readInfracostFile(path string) (infracost.Root, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return infracost.Root{}, unreadable("estimate", path, err)
	}
	return infracost.Read(path, data)
}

// writeCostFile writes a file so that it is there wholly, or as it was.
func writeCostFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tidelock-*")
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "%s can't be written.", path)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = cmp.Or(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	return errs.Wrap(errs.Invalid, err, "%s can't be written.", path)
}

// statedProject is a project of a statement.
type statedProject struct {
	name, path string
	estimate   cost.Estimate
	free       map[string]int // free resources by their types
	sum        *[2]bool       // of a sum of projects: what it lacks
}

// costStatement is what `tidelock cost` tells, as a table or as a page.
type costStatement struct {
	projects []statedProject
	total    cost.Estimate
	notes    []string // of the plans
	skipped  bool     // whether to list what costs nothing and what has no price
	compared string   // the older estimate's file; "" for none
	now      time.Time
}

func (s *costStatement) add(p statedProject) {
	if len(s.projects) == 0 {
		s.total = p.estimate
	} else {
		s.total = s.total.Plus(p.estimate)
	}
	s.projects = append(s.projects, p)
}

// since takes figures that were compared with older ones in the place of the
// plans' own. What the format has no place for stays.
func (s *costStatement) since(root infracost.Root) {
	own := s.projects
	s.projects = nil
	for i, p := range root.Projects {
		e := root.Estimate(p)
		stated := statedProject{name: p.Label(), estimate: e}
		if i < len(own) { // the others are in the older file alone
			was := own[i].estimate
			e.Counts, e.Notes, e.UsageUnread, e.Discounts, e.Exchange = was.Counts, was.Notes, was.UsageUnread, was.Discounts, was.Exchange
			e.AsOf, e.AsOfFrom, e.AsOfTo, e.Sources, e.Hours = was.AsOf, was.AsOfFrom, was.AsOfTo, was.Sources, was.Hours
			stated = statedProject{name: own[i].name, path: own[i].path, estimate: e, free: own[i].free}
		}
		s.add(stated)
	}
}

// allNotes are what a reader must know beside the figures.
func (s *costStatement) allNotes() []string {
	out := append([]string{}, s.notes...)
	seen := map[string]bool{}
	for _, p := range s.projects {
		for _, n := range append(append([]string{}, p.estimate.Notes...), p.estimate.UsageUnread...) {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// asOf says of when the prices are, and what a month is.
func (s *costStatement) asOf() string {
	e := s.total
	prices := "No price was used."
	if e.AsOf != "" {
		prices = "Prices as of " + e.AsOf + "."
	}
	text := fmt.Sprintf("%s A month has %d hours.", prices, e.Hours)
	if t := e.Terms(); t != "" {
		text += " " + strings.ToUpper(t[:1]) + t[1:] + "."
	}
	return text
}
