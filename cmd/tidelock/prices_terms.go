package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
)

// newPricesDiscountCommand returns `tidelock prices discount` with its
// subcommands.
func newPricesDiscountCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "discount",
		Short: "Set, list and remove what clients pay less than the list says",
		Long: "A client's estimates are made with its discounts: on a service, on a cloud, or on everything. The one that says\n" +
			"most closely what it is on holds alone; they are not added up. Of the same service or cloud the client's own go\n" +
			"before those for all clients, and those that were set here before those of the configuration's block cost.",
		Example: "  tidelock prices discount set 12 --client acme --cloud aws --service ec2\n" +
			"  tidelock prices discount list\n" +
			"  tidelock prices discount remove --client acme --cloud aws --service ec2",
		Args: noArgs,
		RunE: helpWithoutCommand,
	}
	cmd.AddCommand(newPricesDiscountSetCommand(p), newPricesDiscountListCommand(p), newPricesDiscountRemoveCommand(p))
	return cmd
}

// needPrices opens the database, without which nothing can be set.
func (p *program) needPrices(ctx context.Context) (pricesDesk, error) {
	d, err := p.openPrices(ctx)
	if err == nil && d.store == nil {
		err = errs.New(errs.NotFound, "%s", d.why)
	}
	return d, err
}

// scopeFlags are the flags that say what a discount is on.
func scopeFlags(p *program, cmd *cobra.Command, d *prices.Discount) {
	f := cmd.Flags()
	f.StringVar(&d.Client, "client", "", "the client, by its slug; required")
	f.StringVar(&d.Cloud, "cloud", "", "only this cloud: aws, azure or gcp")
	f.StringVar(&d.Service, "service", "", "only this service of the cloud, as `tidelock prices status` calls it, or its beginning up to a hyphen, as ec2")
	for flag, complete := range map[string]func(ctx context.Context) []string{
		"cloud":  func(context.Context) []string { return []string{prices.AWS, prices.Azure, prices.GCP} },
		"client": p.priceClients,
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return complete(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
		}); err != nil {
			panic(err) // the flag stands some lines above
		}
	}
}

func (p *program) priceClients(ctx context.Context) []string {
	d, err := p.openPrices(ctx)
	if err != nil || d.db == nil {
		return nil
	}
	defer d.close()
	all, err := clients.NewStore(d.db).List(ctx, d.db)
	if err != nil {
		return nil
	}
	var slugs []string
	for _, c := range all {
		slugs = append(slugs, c.Slug)
	}
	return slugs
}

func newPricesDiscountSetCommand(p *program) *cobra.Command {
	var d prices.Discount
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "set PERCENT",
		Short:   "Set a client's discount",
		Long:    "Sets what a client pays less, in percent of the list price. One of the same service or cloud that began the same\nday is replaced; an earlier one holds until this one begins.",
		Example: "  tidelock prices discount set 12 --client acme --cloud aws --service ec2\n  tidelock prices discount set 7.5 --client acme --cloud azure --since 2027-01-01",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errs.New(errs.Invalid, "Say how many percent, such as 12 or 7.5.")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if d.Percent, err = decimal.NewFromString(strings.TrimSuffix(args[0], "%")); err != nil || len(args[0]) > 40 {
				return errs.New(errs.Invalid, "%q is no number of percent, such as 12 or 7.5.", args[0])
			}
			if d.Since == "" {
				d.Since = time.Now().UTC().Format(time.DateOnly)
			}
			if err := config.CheckDiscount(d); err != nil {
				return err
			}
			desk, err := p.needPrices(cmd.Context())
			if err != nil {
				return err
			}
			defer desk.close()
			if err := desk.store.SetDiscount(cmd.Context(), d, p.operator()); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, d)
			}
			_, err = fmt.Fprintf(p.stdout, "%s pays %s %% less on %s from %s on.\n", d.Client, d.Percent, discountScope(d), d.Since)
			return err
		},
	}
	scopeFlags(p, cmd, &d)
	cmd.Flags().StringVar(&d.Since, "since", "", "the first day that it holds, as 2026-01-31; today by default")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func discountScope(d prices.Discount) string {
	return cmp.Or(strings.TrimSpace(d.Cloud+" "+d.Service), "everything")
}

// configuredTerms are the discounts and rates of the configuration, where there
// is one that can be read.
func (p *program) configuredTerms() config.Cost {
	l := config.Read(p.configPath, p.environ, config.NeedDatabase)
	return l.Config.Cost
}

func newPricesDiscountListCommand(p *program) *cobra.Command {
	var client string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the discounts, those of the configuration too",
		Long:    "Lists what was set in the database and what stands in the configuration's block cost, with where it stands. What\nis shown without a client holds for all.",
		Example: "  tidelock prices discount list\n  tidelock prices discount list --client acme --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := prices.Discounts{}
			for _, d := range p.configuredTerms().Discounts {
				if client == "" || d.Client == "" || d.Client == client {
					all = append(all, d)
				}
			}
			desk, err := p.openPrices(cmd.Context())
			if err != nil {
				return err
			}
			defer desk.close()
			if desk.store != nil {
				stored, err := desk.store.Discounts(cmd.Context(), client)
				if err != nil {
					return err
				}
				all = append(all, stored...)
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"discounts": all})
			}
			if len(all) == 0 {
				_, err := fmt.Fprintln(p.stdout, "There are no discounts: estimates are made at list prices.")
				return err
			}
			t := newTable("CLIENT", "ON", "PERCENT", "SINCE", "FROM")
			for _, d := range all {
				t.row(cmp.Or(d.Client, "all"), discountScope(d), d.Percent, cmp.Or(d.Since, "always"), cmp.Or(d.From, "database"))
			}
			return t.write(p.stdout)
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "only what holds for this client, by its slug")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newPricesDiscountRemoveCommand(p *program) *cobra.Command {
	var d prices.Discount
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Remove a client's discount from the database",
		Long: "Removes the discount on exactly what is named: without --since all that were ever set on it. What stands in the\n" +
			"configuration is removed there.",
		Example: "  tidelock prices discount remove --client acme --cloud aws --service ec2\n  tidelock prices discount remove --client acme --cloud azure --since 2027-01-01",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.Client == "" {
				return errs.New(errs.Invalid, "Say whose discount with --client.")
			}
			desk, err := p.needPrices(cmd.Context())
			if err != nil {
				return err
			}
			defer desk.close()
			n, err := desk.store.RemoveDiscount(cmd.Context(), d, p.operator())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%d removed: %s on %s.\n", n, d.Client, discountScope(d))
			return err
		},
	}
	scopeFlags(p, cmd, &d)
	cmd.Flags().StringVar(&d.Since, "since", "", "only the one that began on this day")
	return cmd
}

// newPricesRateCommand returns `tidelock prices rate` with its subcommands.
func newPricesRateCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rate",
		Short: "Set, list and remove rates of other currencies",
		Long: "Estimates in another currency than US dollars are made by the last rate that is not after today, and say which\n" +
			"one it was. Without one they stay in dollars, and say so.",
		Example: "  tidelock prices rate set EUR 0.92 --day 2026-11-20 --source \"ECB reference rate\"\n  tidelock prices rate list",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newPricesRateSetCommand(p), newPricesRateListCommand(p), newPricesRateRemoveCommand(p))
	return cmd
}

func newPricesRateSetCommand(p *program) *cobra.Command {
	var r prices.Rate
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "set CURRENCY RATE",
		Short:   "Set what one US dollar is worth in a currency",
		Long:    "Sets what one US dollar was worth in another currency on a day, and who says so. One of the same day is replaced.",
		Example: "  tidelock prices rate set EUR 0.92 --day 2026-11-20 --source \"ECB reference rate\"",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errs.New(errs.Invalid, "Say the currency and what one dollar is worth in it, such as EUR 0.92.")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if r.Value, err = decimal.NewFromString(args[1]); err != nil || len(args[1]) > 40 {
				return errs.New(errs.Invalid, "%q is no rate, such as 0.92.", args[1])
			}
			r.Currency = args[0]
			if r.Day == "" {
				r.Day = time.Now().UTC().Format(time.DateOnly)
			}
			if err := r.Check(); err != nil {
				return err
			}
			desk, err := p.needPrices(cmd.Context())
			if err != nil {
				return err
			}
			defer desk.close()
			if err := desk.store.SetRate(cmd.Context(), r, p.operator()); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, r)
			}
			_, err = fmt.Fprintf(p.stdout, "One US dollar is %s %s from %s on (%s).\n", r.Value, r.Currency, r.Day, r.Source)
			return err
		},
	}
	cmd.Flags().StringVar(&r.Day, "day", "", "the day of the rate, as 2026-11-20; today by default")
	cmd.Flags().StringVar(&r.Source, "source", "", "who says so; required")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newPricesRateListCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [CURRENCY]",
		Short:   "List the rates, those of the configuration too",
		Long:    "Lists the rates of the database and those of the configuration's block cost, and tells which one counts today.",
		Example: "  tidelock prices rate list\n  tidelock prices rate list EUR --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			currency := strings.Join(args, "")
			all := prices.Rates{}
			for _, r := range p.configuredTerms().Rates {
				if currency == "" || r.Currency == currency {
					all = append(all, r)
				}
			}
			desk, err := p.openPrices(cmd.Context())
			if err != nil {
				return err
			}
			defer desk.close()
			if desk.store != nil {
				stored, err := desk.store.Rates(cmd.Context(), currency)
				if err != nil {
					return err
				}
				all = append(all, stored...)
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"rates": all})
			}
			if len(all) == 0 {
				_, err := fmt.Fprintln(p.stdout, "There are no rates: estimates are in US dollars.")
				return err
			}
			today := time.Now().UTC().Format(time.DateOnly)
			t := newTable("CURRENCY", "PER USD", "DAY", "SOURCE", "FROM", "")
			for _, r := range all {
				counts := ""
				if now, ok := all.On(r.Currency, today); ok && now.Day == r.Day && now.From == r.From {
					counts = "counts"
				}
				t.row(r.Currency, r.Value, r.Day, r.Source, cmp.Or(r.From, "database"), counts)
			}
			return t.write(p.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newPricesRateRemoveCommand(p *program) *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use:     "remove CURRENCY",
		Short:   "Remove a rate from the database",
		Example: "  tidelock prices rate remove EUR --day 2026-11-20",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if day == "" {
				return errs.New(errs.Invalid, "Say which rate with --day.")
			}
			desk, err := p.needPrices(cmd.Context())
			if err != nil {
				return err
			}
			defer desk.close()
			if err := desk.store.RemoveRate(cmd.Context(), args[0], day, p.operator()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "Removed: %s of %s.\n", args[0], day)
			return err
		},
	}
	cmd.Flags().StringVar(&day, "day", "", "the day of the rate; required")
	return cmd
}
