package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/shopspring/decimal"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/planner"
)

// CostClient is what a client block within cost says.
type CostClient struct {
	Currency  string // "" is the server's
	UsageFile string // "" for none
}

// costBlock is a block within cost as it stands in the file.
type costBlock struct{ name, where, text string }

// costBlocks are the headers of the blocks within cost.
var costBlocks = []hcl.BlockHeaderSchema{
	{Type: "client", LabelNames: []string{"slug"}}, {Type: "discount"}, {Type: "rate", LabelNames: []string{"currency"}}, {Type: "refresh"},
}

type hclDiscount struct {
	Cloud   string         `hcl:"cloud,optional"`
	Service string         `hcl:"service,optional"`
	Since   string         `hcl:"since,optional"`
	Percent hcl.Expression `hcl:"percent"`
	Range   hcl.Range      `hcl:",def_range"`
}

type hclRate struct {
	Day    string         `hcl:"day"`
	Rate   hcl.Expression `hcl:"rate"`
	Source string         `hcl:"source"`
}

type hclCostClient struct {
	Currency  string        `hcl:"currency,optional"`
	UsageFile string        `hcl:"usage_file,optional"`
	Discounts []hclDiscount `hcl:"discount,block"`
}

type hclRefresh struct {
	Every  string            `hcl:"every"`
	Clouds []string          `hcl:"clouds,optional"`
	AWS    *hclRefreshCloud  `hcl:"aws,block"`
	Azure  *hclRefreshCloud  `hcl:"azure,block"`
	GCP    *hclRefreshGoogle `hcl:"gcp,block"`
}

type hclRefreshCloud struct {
	URL        string    `hcl:"url,optional"`
	Services   []string  `hcl:"services,optional"`
	Regions    []string  `hcl:"regions,optional"`
	Currencies []string  `hcl:"currencies,optional"`
	Range      hcl.Range `hcl:",def_range"`
}

type hclRefreshGoogle struct {
	URL       string    `hcl:"url,optional"`
	Services  []string  `hcl:"services,optional"`
	KeySecret string    `hcl:"key_secret,optional"`
	Range     hcl.Range `hcl:",def_range"`
}

// readCost reads the blocks within cost.
func (l *Reading) readCost(src []byte, blocks hcl.Blocks) {
	refresh := false
	for _, b := range blocks {
		at, name := place(b.DefRange), "cost."+b.Type
		if len(b.Labels) > 0 {
			name += "." + b.Labels[0]
		}
		if body, ok := b.Body.(*hclsyntax.Body); ok {
			l.Config.Cost.blocks = append(l.Config.Cost.blocks, costBlock{name, at, string(src[b.DefRange.Start.Byte:body.SrcRange.End.Byte])})
		}
		switch b.Type {
		case "client":
			l.readCostClient(b, at)
		case "discount":
			var d hclDiscount
			if l.decodeBlock("cost.discount", b.Body, &d) {
				d.Range = b.DefRange
				l.readDiscount("", d)
			}
		case "rate":
			l.readRate(b, at)
		case "refresh":
			if refresh {
				l.problem("cost.refresh", at, "there is a second block refresh in cost. Make one of them.")
				continue
			}
			refresh = true
			l.readRefresh(b, at)
		}
	}
}

func (l *Reading) decodeBlock(name string, body hcl.Body, into any) bool {
	diags := gohcl.DecodeBody(body, nil, into)
	l.diagnostics(name, diags)
	return !diags.HasErrors()
}

// number reads an exact decimal, written as a number or as text.
func (l *Reading) number(setting string, e hcl.Expression) (decimal.Decimal, bool) {
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		l.diagnostics(setting, diags)
		return decimal.Zero, false
	}
	text, err := convert.Convert(v, cty.String)
	if err == nil && !text.IsNull() && text.IsKnown() && len(text.AsString()) <= 40 {
		if d, err := decimal.NewFromString(text.AsString()); err == nil {
			return d, true
		}
	}
	l.problem(setting, place(e.Range()), "%s must be a number.", setting)
	return decimal.Zero, false
}

func (l *Reading) readDiscount(client string, raw hclDiscount) {
	at := place(raw.Range)
	percent, ok := l.number("cost.discount.percent", raw.Percent)
	if !ok {
		return
	}
	d := prices.Discount{Client: client, Cloud: raw.Cloud, Service: raw.Service, Since: raw.Since, Percent: percent, From: at}
	if err := CheckDiscount(d); err != nil {
		l.problem("cost.discount", at, "%s", lowerFirst(errs.Sentence(err)))
		return
	}
	for _, o := range l.Config.Cost.Discounts {
		if o.Client == d.Client && o.Cloud == d.Cloud && o.Service == d.Service && o.Since == d.Since {
			l.problem("cost.discount", at, "the same discount stands at %s already.", o.From)
			return
		}
	}
	l.Config.Cost.Discounts = append(l.Config.Cost.Discounts, d)
}

// CheckDiscount says what is wrong with a discount: that its service is one
// that the catalogue has.
func CheckDiscount(d prices.Discount) error {
	if err := d.Check(); err != nil || d.Service == "" {
		return err
	}
	catalog, err := cost.NewCatalog()
	if err != nil {
		return err
	}
	services := catalog.Services(d.Cloud)
	if slices.ContainsFunc(services, func(s string) bool { return (cost.Discount{Service: d.Service}).Covers(d.Cloud, s) }) {
		return nil
	}
	return errs.New(errs.Invalid, "A discount is on the service %q, and the prices of %s have none of that name.%s `tidelock prices status --cloud %s` shows them.",
		d.Service, d.Cloud, planner.DidYouMean(d.Service, services), d.Cloud)
}

func (l *Reading) readRate(b *hcl.Block, at string) {
	var raw hclRate
	if !l.decodeBlock("cost.rate", b.Body, &raw) {
		return
	}
	value, ok := l.number("cost.rate.rate", raw.Rate)
	if !ok {
		return
	}
	r := prices.Rate{Currency: b.Labels[0], Day: raw.Day, Value: value, Source: raw.Source, From: at}
	if err := r.Check(); err != nil {
		l.problem("cost.rate", at, "%s", lowerFirst(errs.Sentence(err)))
		return
	}
	l.Config.Cost.Rates = append(l.Config.Cost.Rates, r)
}

func (l *Reading) readCostClient(b *hcl.Block, at string) {
	var raw hclCostClient
	if !l.decodeBlock("cost.client", b.Body, &raw) {
		return
	}
	slug := b.Labels[0]
	c := &l.Config.Cost
	if _, twice := c.Clients[slug]; twice {
		l.problem("cost.client", at, "there is a second block for the client %q in cost. Make one of them.", slug)
		return
	}
	if raw.Currency != "" && !prices.IsCurrency(raw.Currency) {
		l.problem("cost.client", at, "the currency of the client %q must be three capital letters, such as EUR, but is %q.", slug, raw.Currency)
	}
	if raw.UsageFile != "" {
		raw.UsageFile = absolute(filepath.Dir(l.File), raw.UsageFile)
		if _, err := cost.ReadUsageFile(raw.UsageFile); err != nil {
			l.problem("cost.client", at, "the client %q has a usage_file that can't be used: %s", slug, errs.Sentence(err))
		}
	}
	if c.Clients == nil {
		c.Clients = map[string]CostClient{}
	}
	c.Clients[slug] = CostClient{raw.Currency, raw.UsageFile}
	for _, d := range raw.Discounts {
		l.readDiscount(slug, d)
	}
}

// readRefresh reads which price lists the server reads by itself, and when.
func (l *Reading) readRefresh(b *hcl.Block, at string) {
	var raw hclRefresh
	if !l.decodeBlock("cost.refresh", b.Body, &raw) {
		return
	}
	say := func(where, format string, args ...any) { l.problem("cost.refresh", where, format, args...) }
	every, err := time.ParseDuration(raw.Every)
	if err != nil || every < time.Hour || every > 90*24*time.Hour {
		say(at, "every must be a time between 1h and 2160h, such as \"24h\", but is %q.", raw.Every)
		return
	}
	r := prices.RefreshSettings{Every: every}
	add := func(where string, currencies []string, list prices.RefreshList) {
		if len(currencies) == 0 {
			currencies = []string{""}
		}
		for _, currency := range currencies {
			list.Currency = currency
			if list.Cloud == prices.AWS && len(list.Regions) == 0 {
				say(where, "the block aws needs its regions: AWS has a price list for each.")
				return
			}
			if _, err := prices.Lists(list.Query); err != nil {
				say(where, "%s", lowerFirst(errs.Sentence(err)))
				return
			}
			r.Lists = append(r.Lists, list)
		}
	}
	has := map[string]bool{prices.AWS: raw.AWS != nil, prices.Azure: raw.Azure != nil, prices.GCP: raw.GCP != nil}
	for _, cloud := range raw.Clouds {
		there, known := has[cloud]
		switch {
		case !known:
			say(at, "clouds has %q; it can have aws, azure and gcp.", cloud)
		case !there && cloud == prices.Azure:
			add(at, nil, prices.RefreshList{Query: prices.Query{Cloud: cloud}})
		case !there:
			say(at, "clouds has %q, and there is no block %s that says what it needs: AWS its regions, Google the secret with the API key.", cloud, cloud)
		}
	}
	wanted := func(cloud string) bool {
		return has[cloud] && (raw.Clouds == nil || slices.Contains(raw.Clouds, cloud))
	}
	for cloud, c := range map[string]*hclRefreshCloud{prices.AWS: raw.AWS, prices.Azure: raw.Azure} {
		if wanted(cloud) {
			add(place(c.Range), c.Currencies, prices.RefreshList{Query: prices.Query{Cloud: cloud, Base: c.URL, Offers: c.Services, Regions: c.Regions}})
		}
	}
	if c := raw.GCP; wanted(prices.GCP) {
		switch {
		case c.KeySecret == "" && c.URL == "":
			say(place(c.Range), "the block gcp needs key_secret: the name of the secret block that has the API key.")
		case c.KeySecret != "" && !l.hasSecret(c.KeySecret):
			say(place(c.Range), "the block gcp asks for the secret %q, and there is no such secret block.", c.KeySecret)
		}
		add(place(c.Range), nil, prices.RefreshList{Query: prices.Query{Cloud: prices.GCP, Base: c.URL, Offers: c.Services}, KeySecret: c.KeySecret})
	}
	if len(r.Lists) == 0 && !slices.ContainsFunc(l.Problems, func(p Problem) bool { return p.Setting == "cost.refresh" }) {
		say(at, "refresh names no cloud: it needs a block aws, azure or gcp.")
	}
	slices.SortStableFunc(r.Lists, func(a, b prices.RefreshList) int { return strings.Compare(a.Cloud, b.Cloud) })
	l.Config.Cost.Refresh = r
}

func checkCurrency(c *Config) string { return c.Cost.CurrencyProblem() }

// CurrencyProblem returns what is wrong with the currency, as the end of a
// sentence that begins with what it was named by; "" where nothing is.
func (c Cost) CurrencyProblem() string {
	if !prices.IsCurrency(c.Currency) {
		return fmt.Sprintf("must be three capital letters, such as \"EUR\", but is %q.", c.Currency)
	}
	return ""
}

func checkUsageFile(c *Config) string {
	if c.Cost.UsageFile == "" {
		return ""
	}
	if _, err := cost.ReadUsageFile(c.Cost.UsageFile); err != nil {
		return "can't be used. " + errs.Sentence(err)
	}
	return ""
}

// writeCost prints the blocks within cost as they stand in the file.
func (l *Reading) writeCost(b *strings.Builder) {
	for _, block := range l.Config.Cost.blocks {
		fmt.Fprintf(b, "\n  # from %s\n  %s\n", block.where, block.text)
	}
}

// costJSON adds the blocks within cost to what is shown as JSON.
func (l *Reading) costJSON(all map[string]Shown) {
	for _, block := range l.Config.Cost.blocks {
		name := block.name
		for n := 2; all[name].Source != ""; n++ {
			name = fmt.Sprintf("%s.%d", block.name, n)
		}
		all[name] = Shown{Value: block.text, Source: block.where}
	}
}

// costAttributes are what the blocks within cost may hold, for the reference.
var costAttributes = []struct{ block, name, takes, doc string }{
	{"discount", "percent", "number", "What is taken off list prices, 0 to 100. Required."},
	{"discount", "cloud", "word", "`aws`, `azure` or `gcp`; left out, it is all of them."},
	{"discount", "service", "word", "The catalogue's word for the service, as `tidelock prices status` shows it, or its beginning up to a hyphen: `ec2` is `ec2-linux` and `ec2-windows`. Left out, it is all of the cloud."},
	{"discount", "since", "day", "The first day that it holds, as `2026-01-31`. Left out, it always does."},
	{"rate \"EUR\"", "rate", "number", "What one US dollar is worth in the currency. Required, as are the others."},
	{"rate \"EUR\"", "day", "day", "The day that the rate is of. The last one that is not after today holds."},
	{"rate \"EUR\"", "source", "text", "Who says so."},
	{"client \"acme\"", "currency", "word", "The currency of this client's estimates, by its slug."},
	{"client \"acme\"", "usage_file", "path", "What this client's resources are used, in Infracost's format. It goes over the server's `usage_file`, and what a repository says over both."},
	{"client \"acme\"", "discount { … }", "block", "A discount of this client alone."},
	{"refresh", "every", "duration", "How often the lists are read, from `1h`. Required."},
	{"refresh", "clouds", "list of words", "Whose lists are read. Left out, those of the clouds that have a block."},
	{"refresh", "aws { … }", "block", "`regions` are required; `services` are all that the catalogue has a place for; `url` is a mirror's address instead of AWS's own."},
	{"refresh", "azure { … }", "block", "`services`, `regions`, `url`; `currencies` are those whose own prices are read, `USD` among them where dollars are wanted too."},
	{"refresh", "gcp { … }", "block", "`key_secret` is the name of the `secret` block that has the API key; `services`, `url`."},
}

// costReference is the section of docs/configuration.md.
func costReference() string {
	var b strings.Builder
	b.WriteString("\nWithin `cost` stand the blocks `discount`, `rate`, `client` and `refresh`, in the file only. [Prices](prices.md) tells of each with an example.\n\n| block | attribute | takes | what it means |\n|---|---|---|---|\n")
	for _, a := range costAttributes {
		fmt.Fprintf(&b, "| `%s` | **`%s`** | %s | %s |\n", a.block, a.name, a.takes, a.doc)
	}
	return b.String()
}
