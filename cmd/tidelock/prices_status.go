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
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
)

// sheetJSON is what is known of one service in one region from one source, in
// `tidelock prices status --json`.
type sheetJSON struct {
	Cloud    string `json:"cloud"`
	Service  string `json:"service"`
	Region   string `json:"region"`
	Prices   int    `json:"prices"`
	Imported bool   `json:"imported"`
	Currency string `json:"currency"`
	Source   string `json:"source"`
	AsOf     string `json:"as_of"`
	AgeDays  int    `json:"age_days"`
}

func newPricesStatusCommand(p *program) *cobra.Command {
	var cloud, service, region string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell which prices there are, and how old they are",
		Long: "Tells what the prices cover, those of the program and those that were imported: by cloud and service, or with\n" +
			"--service or --region by region. The age is that of the vendor's price list, not of the import. Needs no database.",
		Example: "  tidelock prices status\n" +
			"  tidelock prices status --cloud aws --service ec2-linux\n" +
			"  tidelock prices status --json | jq '.sheets[] | select(.age_days > 365)'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			over, err := p.imported(cmd.Context())
			if err != nil {
				return err
			}
			catalog, err := cost.NewCatalog()
			if err != nil {
				return err
			}
			keep := func(s sheetJSON) bool {
				return (cloud == "" || s.Cloud == cloud) && (service == "" || s.Service == service) && (region == "" || s.Region == region)
			}
			var sheets []sheetJSON
			if over.overlay != nil {
				sheets = append(sheets, sheetsOf(over.overlay.Sheets(), catalog.Currency(), true, keep)...)
				for _, currency := range slices.Sorted(maps.Keys(over.overlay.Natives())) {
					sheets = append(sheets, sheetsOf(over.overlay.Natives()[currency], currency, true, keep)...)
				}
			}
			sheets = append(sheets, sheetsOf(catalog.Sheets(), catalog.Currency(), false, keep)...)
			if asJSON {
				if over.imports == nil {
					over.imports = []prices.Import{}
				}
				return writeJSON(p.stdout, map[string]any{"currency": catalog.Currency(), "sheets": append([]sheetJSON{}, sheets...), "imports": over.imports, "refresh": over.refresh})
			}
			if err := writePriceStatus(p.stdout, sheets, over, service != "" || region != ""); err != nil {
				return err
			}
			return over.refresh.write(p.stdout, time.Now())
		},
	}
	cmd.Flags().StringVar(&cloud, "cloud", "", "only this cloud: aws, azure or gcp")
	cmd.Flags().StringVar(&service, "service", "", "only this service, as the catalogue calls it")
	cmd.Flags().StringVar(&region, "region", "", "only this region")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// importedPrices are what a database has of them.
type importedPrices struct {
	overlay *prices.Overlay // nil without a database
	imports []prices.Import // the last ones first
	refresh refreshJSON     // what is read by itself
	why     string
}

func (p *program) imported(ctx context.Context) (importedPrices, error) {
	d, err := p.openPrices(ctx)
	if err != nil {
		return importedPrices{}, err
	}
	defer d.close()
	if d.store == nil {
		return importedPrices{why: d.why, refresh: refreshJSON{Lists: []prices.Refresh{}}}, nil
	}
	out := importedPrices{refresh: refreshJSON{Lists: []prices.Refresh{}}}
	schedule := p.configuredTerms().Refresh
	read, err := d.refreshes(ctx)
	if err != nil {
		return out, err
	}
	if schedule.Every > 0 {
		out.refresh.Every = config.ShowDuration(schedule.Every)
		if read, err = schedule.Of(read); err != nil {
			return out, err
		}
	}
	out.refresh.Lists = append(out.refresh.Lists, read...)
	if out.overlay, err = d.store.Overlay(ctx); err == nil {
		out.imports, err = d.store.History(ctx, 20)
	}
	return out, err
}

func sheetsOf(all []pricebook.Sheet, currency string, imported bool, keep func(sheetJSON) bool) []sheetJSON {
	var out []sheetJSON
	for _, s := range all {
		v := sheetJSON{s.Cloud, s.Service, s.Region, s.Prices, imported, currency, s.Source.Name, s.Source.AsOf, ageDays(s.Source.AsOf, time.Now())}
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// ageDays returns how old prices of a day, or of the first day of a month,
// are.
func ageDays(asOf string, now time.Time) int {
	for _, layout := range []string{time.DateOnly, "2006-01"} {
		if at, err := time.Parse(layout, asOf); err == nil {
			return max(int(now.UTC().Sub(at).Hours()/24), 0)
		}
	}
	return 0
}

func writePriceStatus(w io.Writer, sheets []sheetJSON, over importedPrices, byRegion bool) error {
	if len(sheets) == 0 {
		_, err := fmt.Fprintln(w, "There are no such prices.")
		return err
	}
	type line struct {
		key            [4]string
		regions        map[string]bool
		prices, age    int
		oldest, newest string
	}
	byKey := map[[4]string]*line{}
	var order []*line
	for _, s := range sheets {
		k := [4]string{s.Cloud, s.Service, "", "embedded"}
		if byRegion {
			k[2] = s.Region
		}
		if s.Imported {
			k[3] = "imported"
			if s.Currency != "USD" {
				k[3] += ", " + s.Currency
			}
		}
		l := byKey[k]
		if l == nil {
			l = &line{key: k, regions: map[string]bool{}, oldest: s.AsOf, newest: s.AsOf}
			byKey[k] = l
			order = append(order, l)
		}
		l.regions[s.Region] = true
		l.prices += s.Prices
		l.age = max(l.age, s.AgeDays)
		l.oldest, l.newest = min(l.oldest, s.AsOf), max(l.newest, s.AsOf)
	}
	slices.SortStableFunc(order, func(a, b *line) int { return slices.Compare(a.key[:], b.key[:]) })
	t := newTable("CLOUD", "SERVICE", "REGIONS", "FROM", "PRICES", "AS OF", "OLDEST")
	for _, l := range order {
		where := l.key[2]
		if !byRegion {
			where = fmt.Sprint(len(l.regions))
		}
		asOf := l.oldest
		if l.newest != l.oldest {
			asOf += " to " + l.newest
		}
		t.row(l.key[0], l.key[1], where, l.key[3], humanize.Comma(int64(l.prices)), asOf, fmt.Sprintf("%d days", l.age))
	}
	if err := t.write(w); err != nil {
		return err
	}
	last := "Nothing was imported."
	switch {
	case over.why != "":
		last = "Imported prices are not looked at. " + over.why
	case len(over.imports) > 0:
		i := over.imports[0]
		last = fmt.Sprintf("Last import: %s %s in %s, %s by %s.", i.Cloud, i.Offer, i.Region, i.At.Format(time.DateTime), i.Actor)
	}
	_, err := fmt.Fprintln(w, last)
	return err
}

// priceJSON is one price of a key in `tidelock prices show --json`.
type priceJSON struct {
	Amount   string `json:"amount"`
	Unit     string `json:"unit"`
	Currency string `json:"currency"`
	Imported bool   `json:"imported"`
	Counts   bool   `json:"counts"` // whether estimates use it
	Source   string `json:"source"`
	AsOf     string `json:"as_of"`
}

func newPricesShowCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show CLOUD/SERVICE/REGION/SKU",
		Short: "Show one price, and where it comes from",
		Long: "Shows what the catalogue has under a key: the price that was imported, where there is one, which counts, and that\n" +
			"of the program. The region of prices that are the same everywhere is \"global\". Needs no database.",
		Example: "  tidelock prices show aws/ec2-linux/eu-west-1/m5.large\n" +
			"  tidelock prices show azure/disk/westeurope/p10/lrs --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || len(strings.SplitN(args[0], "/", 4)) != 4 {
				return errs.New(errs.Invalid, "Say which price to show, as CLOUD/SERVICE/REGION/SKU, such as aws/ec2-linux/eu-west-1/m5.large.")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			part := strings.SplitN(args[0], "/", 4)
			key := pricebook.Key{Cloud: part[0], Service: part[1], Region: part[2], SKU: part[3]}
			over, err := p.imported(cmd.Context())
			if err != nil {
				return err
			}
			catalog, err := cost.NewCatalog()
			if err != nil {
				return err
			}
			found := []priceJSON{}
			look := func(from cost.Overlay, imported bool) error {
				price, ok, err := from.Lookup(key)
				if ok {
					found = append(found, priceJSON{price.Amount.String(), price.Unit, catalog.Currency(), imported, len(found) == 0, price.Source.Name, price.Source.AsOf})
				}
				return err
			}
			if over.overlay != nil {
				if err := look(over.overlay, true); err != nil {
					return err
				}
			}
			if err := look(catalog, false); err != nil {
				return err
			}
			if len(found) == 0 {
				return errs.New(errs.NotFound, "There is no price of %s. `tidelock prices status --cloud %s` tells what there is.", args[0], key.Cloud)
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"key": args[0], "prices": found})
			}
			t := newTable("PRICE", "PER", "FROM", "AS OF", "SOURCE", "")
			for _, f := range found {
				from, counts := "embedded", ""
				if f.Imported {
					from = "imported"
				}
				if f.Counts {
					counts = "counts"
				}
				t.row(f.Amount+" "+f.Currency, f.Unit, from, f.AsOf, f.Source, counts)
			}
			return t.write(p.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
