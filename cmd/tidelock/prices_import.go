package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/redact"
)

// pricesImport is what `tidelock prices import` was asked for.
type pricesImport struct {
	url, file, keyFile, currency string
	regions, services            []string
	dry, force, asJSON           bool
}

// listJSON is a list that was read, in `tidelock prices import --json`.
type listJSON struct {
	Source string          `json:"source"`
	SHA256 string          `json:"sha256"`
	Bytes  int64           `json:"bytes"`
	AsOf   string          `json:"as_of"`
	Seen   int             `json:"seen"`
	Taken  int             `json:"taken"`
	Parts  []prices.Import `json:"parts"` // without those that were refused
	Told   []prices.Told   `json:"not_taken"`
	Error  string          `json:"error,omitempty"`
}

func newPricesImportCommand(p *program) *cobra.Command {
	var o pricesImport
	cmd := &cobra.Command{
		Use:   "import aws|azure|gcp",
		Short: "Import a cloud's price list",
		Long: "Reads AWS's offer files, Azure's Retail Prices API or Google's Cloud Billing Catalog, from the vendor, another\n" +
			"address or a file, gzipped or not, and stores the prices that the catalogue has a place for in the server's\n" +
			"database. They go before those of the program. What can't be used for sure is counted and told, never guessed.\n\n" +
			"Each service in each region is stored as a whole or not at all; a malformed list changes nothing. A list that is\n" +
			"older than what is there, or that looks cut, is refused unless --force is given. Google's catalogue needs an API\n" +
			"key: --key-file names the file that it stands in.",
		Example: "  tidelock prices import aws --service AmazonEC2 --region eu-west-1 --region us-east-1\n" +
			"  tidelock prices import aws --file AmazonEC2.json.gz --dry-run\n" +
			"  tidelock prices import azure --service 'Virtual Machines' --region westeurope\n" +
			"  tidelock prices import azure --currency EUR\n" +
			"  tidelock prices import gcp --key-file google.key --json | jq '.lists[].not_taken'",
		ValidArgs: []string{prices.AWS, prices.Azure, prices.GCP},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || len(prices.Offers(args[0])) == 0 {
				return errs.New(errs.Invalid, "Say whose prices to import: aws, azure or gcp.")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.importPrices(cmd.Context(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", "", "read the list at this address instead of the vendor's")
	f.StringVar(&o.file, "file", "", "read the list in this file instead of the vendor's")
	f.StringVar(&o.keyFile, "key-file", "", "file with Google's API key")
	f.StringArrayVar(&o.regions, "region", nil, "only this region; may be repeated")
	f.StringArrayVar(&o.services, "service", nil, "only this service, as the vendor calls it; may be repeated")
	f.StringVar(&o.currency, "currency", "", "import the prices that the vendor sets in this currency, such as EUR; only Azure does")
	f.BoolVar(&o.dry, "dry-run", false, "read and compare, and store nothing")
	f.BoolVar(&o.force, "force", false, "also take a list that is older than what is there, or that looks cut")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	cmd.MarkFlagsMutuallyExclusive("url", "file")
	if err := cmd.RegisterFlagCompletionFunc("service", func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return prices.Offers(args[0]), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err) // the flag stands some lines above
	}
	return cmd
}

// lists returns the lists that were asked for.
func (o pricesImport) lists(cloud string) ([]prices.List, error) {
	if o.url == "" && o.file == "" {
		return prices.Lists(prices.Query{Cloud: cloud, Offers: o.services, Regions: o.regions, Currency: o.currency})
	}
	// AWS's files are whole by themselves. What an answer of the others was
	// asked for isn't known.
	return []prices.List{{Cloud: cloud, URL: o.url, File: o.file, Whole: cloud == prices.AWS}}, nil
}

func (p *program) importPrices(ctx context.Context, cloud string, o pricesImport) error {
	lists, err := o.lists(cloud)
	if err != nil {
		return err
	}
	if err := prices.CheckCurrency(cloud, o.currency); err != nil {
		return err
	}
	read := prices.Options{Regions: o.regions, Offers: o.services, Currency: o.currency}
	if o.keyFile != "" {
		key, err := os.ReadFile(o.keyFile)
		if err != nil {
			return errs.Wrap(errs.NotFound, err, "The file %s of --key-file can't be read.", o.keyFile)
		}
		read.Key = redact.NewSecret(strings.TrimSpace(string(key)))
	} else if cloud == prices.GCP && o.url == "" && o.file == "" {
		return errs.New(errs.Invalid, "Google's catalogue needs an API key: put one into a file and name it with --key-file.")
	}
	d, err := p.openPrices(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	if d.store == nil && !o.dry {
		return errs.New(errs.NotFound, "%s With --dry-run the list is read without it.", d.why)
	}
	if !o.asJSON {
		read.Progress = p.pricesProgress()
	}
	actor := p.operator()
	done := []listJSON{}
	var failed []error
	for _, l := range lists {
		view, err := d.importList(ctx, l, read, actor, o)
		if err != nil {
			failed = append(failed, err)
		}
		done = append(done, view)
		if !o.asJSON && view.SHA256 != "" {
			if err := view.write(p.stdout, o.dry); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if o.asJSON {
		if err := writeJSON(p.stdout, map[string]any{"dry_run": o.dry, "lists": done}); err != nil {
			return err
		}
	}
	for _, err := range failed[:max(len(failed)-1, 0)] { // the last one is told by whoever runs the command
		fmt.Fprintf(p.stderr, "tidelock: %s\n", hang(errs.Explain(err)))
	}
	if len(failed) == 0 {
		return nil
	}
	return failed[len(failed)-1]
}

// importList reads one list and stores it.
func (d pricesDesk) importList(ctx context.Context, l prices.List, read prices.Options, actor access.Actor, o pricesImport) (listJSON, error) {
	view := listJSON{Source: l.Name(), Parts: []prices.Import{}, Told: []prices.Told{}}
	r, err := prices.Read(ctx, l, read)
	if err != nil {
		view.Error = errs.Sentence(err)
		return view, err
	}
	view.SHA256, view.Bytes, view.AsOf, view.Seen, view.Taken, view.Told = r.SHA256, r.Bytes, r.AsOf, r.Seen, r.Taken, r.Told
	if view.Told == nil {
		view.Told = []prices.Told{}
	}
	if d.store == nil { // a dry run without a database: all is new
		for _, part := range r.Parts {
			view.Parts = append(view.Parts, prices.Import{Cloud: part.Cloud, Offer: part.Offer, Region: part.Region, Currency: cmp.Or(part.Currency, "USD"), Actor: actor, At: time.Now().UTC(),
				Source: r.Source, SHA256: r.SHA256, AsOf: r.AsOf, Whole: part.Whole, Prices: len(part.Prices), Added: len(part.Prices)})
		}
		return view, nil
	}
	parts, err := d.store.Import(ctx, r, actor, o.force, o.dry)
	view.Parts = append(view.Parts, parts...)
	if err != nil {
		view.Error = errs.Sentence(err)
		var joined interface{ Unwrap() []error }
		if errors.As(err, &joined) {
			var all []string
			for _, one := range joined.Unwrap() {
				all = append(all, errs.Sentence(one))
			}
			view.Error = strings.Join(all, " ")
			err = errs.New(errs.Conflict, "%s", strings.Join(all, "\n"))
		}
	}
	return view, err
}

// write tells people what came of a list.
func (l listJSON) write(w io.Writer, dry bool) error {
	word := ""
	if dry {
		word = ", nothing stored"
	}
	if _, err := fmt.Fprintf(w, "%s: %s of %s prices taken, as of %s%s\n", l.Source, humanize.Comma(int64(l.Taken)), humanize.Comma(int64(l.Seen)), l.AsOf, word); err != nil {
		return err
	}
	if len(l.Parts) > 0 {
		t := newTable("SERVICE", "REGION", "PRICES", "NEW", "CHANGED", "REMOVED")
		for _, p := range l.Parts {
			t.row(p.Offer, p.Region, p.Prices, p.Added, p.Changed, p.Removed)
		}
		if err := t.write(w); err != nil {
			return err
		}
	}
	if len(l.Told) == 0 {
		return nil
	}
	const most = 20
	t := newTable("NOT TAKEN", "FAMILY", "COUNT")
	for _, told := range l.Told[:min(len(l.Told), most)] {
		t.row(told.Why, told.Family, told.Count)
	}
	if n := len(l.Told) - most; n > 0 {
		t.row(fmt.Sprintf("and %d more; --json has them all", n), "", "")
	}
	return t.write(w)
}

// pricesProgress tells on standard error how far a list is read, every few
// seconds: a large one takes minutes.
func (p *program) pricesProgress() func(prices.Progress) {
	last := time.Now()
	return func(at prices.Progress) {
		if time.Since(last) < 3*time.Second {
			return
		}
		last = time.Now()
		size := ""
		if at.Size > 0 {
			size = " of " + humanize.IBytes(uint64(at.Size))
		}
		fmt.Fprintf(p.stderr, "%s: %s%s read, %s prices seen, %s taken\n", at.List, humanize.IBytes(uint64(at.Bytes)), size, humanize.Comma(int64(at.Seen)), humanize.Comma(int64(at.Taken)))
	}
}
