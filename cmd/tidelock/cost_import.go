package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/errs"
)

// costImport is what `tidelock cost import` was asked for.
type costImport struct {
	client, tempDir                 string
	dry, force, subAccounts, asJSON bool
}

func newCostImportCommand(p *program) *cobra.Command {
	var o costImport
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Import what the clouds billed, from FOCUS exports",
		Long: "Reads billing exports of FOCUS 1.0, 1.1 or 1.2 as CSV, gzipped or zipped or not, or as Parquet, and stores them in\n" +
			"the server's database, summed up by resource and month. Name all files of one export in one command: together\n" +
			"they replace what was imported of the same billing periods and accounts, all of it or nothing. The same export\n" +
			"again changes nothing. What is malformed is refused with file and line.\n\n" +
			"Whose a charge is say the configuration's `billing` blocks; --client says it for the whole export. An export that\n" +
			"is older than what is there, lacks accounts that are there, or looks cut is refused unless --force is given.\n" +
			"--sub-accounts is for exports that cover single sub accounts, as those of one Azure subscription each.",
		Example: "  tidelock cost import focus-2026-10.csv.gz --dry-run\n" +
			"  tidelock cost import part-*.csv.gz\n" +
			"  tidelock cost import subscription.parquet --sub-accounts\n" +
			"  tidelock cost import acme.csv --client acme --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return codedError{errs.New(errs.Invalid, "Name the files of the export."), exitUsage}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.client, "client", "", "all of the export is this client's, by its slug")
	f.StringVar(&o.tempDir, "temp-dir", "", "folder for what does not fit into the memory (else the system's)")
	f.BoolVar(&o.dry, "dry-run", false, "read and compare, and store nothing")
	f.BoolVar(&o.force, "force", false, "also take an export that is older than what is there, lacks accounts or looks cut")
	f.BoolVar(&o.subAccounts, "sub-accounts", false, "replace only the sub accounts that the export has")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	complete(cmd, "client", p.completeClients)
	return cmd
}

// billingStore opens the server's database; nil and the reason where there is
// none.
func (p *program) billingStore(ctx context.Context) (*actuals.Store, func() error, string, error) {
	d, c, why, err := p.openDatabase(ctx)
	if err != nil || d == nil {
		return nil, func() error { return nil }, why, err
	}
	return actuals.NewStore(d, access.NewTrail(d), c.Billing, nil), d.Close, "", nil
}

func (o costImport) run(ctx context.Context, p *program, files []string) (err error) {
	store, end, why, err := p.billingStore(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closed := end(); err == nil {
			err = closed
		}
	}()
	if store == nil && !o.dry {
		return errs.New(errs.NotFound, "%s With --dry-run the export is read without it.", why)
	}
	read := actuals.Options{TempDir: o.tempDir}
	if !o.asJSON {
		read.Progress = billingProgress(p.stderr)
	}
	r, err := actuals.Read(ctx, files, read)
	if err != nil {
		return err
	}
	defer func() {
		if closed := r.Close(); err == nil {
			err = closed
		}
	}()
	in := actuals.Import{At: time.Now().UTC(), Actor: p.operator(), Client: o.client, Sources: r.Sources}
	if store == nil { // a dry run without a database: all is new
		for _, part := range r.Parts {
			in.Parts = append(in.Parts, actuals.Outcome{Part: part, What: actuals.Added})
		}
	} else if in, err = store.Import(ctx, r, actuals.ImportOptions{Actor: in.Actor, Client: o.client, Force: o.force, SubAccounts: o.subAccounts, Dry: o.dry}); err != nil {
		return err
	}
	if o.asJSON {
		return writeJSON(p.stdout, struct {
			DryRun  bool `json:"dry_run"`
			Changed bool `json:"changed"`
			actuals.Import
		}{o.dry, in.Changed(), in})
	}
	return o.write(p.stdout, in)
}

// write tells people what came of an import.
func (o costImport) write(w io.Writer, in actuals.Import) error {
	for _, s := range in.Sources {
		if _, err := fmt.Fprintf(w, "%s: FOCUS %s, %s lines\n", inert(s.Name), s.Version, humanize.Comma(s.Lines)); err != nil {
			return err
		}
	}
	const most = 20
	t := newTable("PERIOD", "PROVIDER", "ACCOUNT", "SUB ACCOUNT", "LINES", "ROWS", "BILLED", "")
	for _, part := range in.Parts[:min(len(in.Parts), most)] {
		t.row(part.Period, part.Provider, part.Account, part.SubAccount, humanize.Comma(part.Lines), humanize.Comma(part.Rows), moneyOf(part.Totals), part.What)
	}
	if n := len(in.Parts) - most; n > 0 {
		t.row(fmt.Sprintf("and %d more; --json has them all", n))
	}
	if err := t.write(w); err != nil {
		return err
	}
	all := map[string]actuals.Amounts{}
	var lines, rows int64
	for _, part := range in.Parts {
		if part.What == actuals.Removed {
			continue
		}
		lines, rows = lines+part.Lines, rows+part.Rows
		for currency, a := range part.Totals {
			all[currency] = all[currency].Plus(a)
		}
	}
	word := ""
	switch {
	case !in.Changed():
		word = " All of it was imported before; nothing was changed."
	case o.dry:
		word = " Nothing was stored."
	}
	_, err := fmt.Fprintf(w, "%s lines in %s rows, billed %s.%s\n", humanize.Comma(lines), humanize.Comma(rows), moneyOf(all), word)
	return err
}

// moneyOf are the billed sums, one for each currency.
func moneyOf(totals map[string]actuals.Amounts) string {
	var all []string
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		all = append(all, moneyIn(totals[currency].Billed, currency))
	}
	return strings.Join(all, ", ")
}

func moneyIn(d decimal.Decimal, currency string) string { return d.StringFixed(2) + " " + currency }

// billingProgress tells on standard error how far a large file is read.
func billingProgress(w io.Writer) func(string, int64) {
	last := time.Now()
	return func(file string, lines int64) {
		if time.Since(last) >= 3*time.Second {
			last = time.Now()
			fmt.Fprintf(w, "%s: %s lines read\n", inert(file), humanize.Comma(lines))
		}
	}
}
