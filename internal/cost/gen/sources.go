package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// source is one file of collected prices.
type source struct {
	file string // in the folder; "" for what this program itself states
	what string // for the log
	read func(w *pricebook.Writer, data []byte) error
}

var sources = []source{
	{"aws_ec2_linux.json.gz", "AWS EC2, Linux, on demand", readEC2},
	{"aws_ec2_us-east-1_windows_rhel_suse.json.gz", "AWS EC2, Windows, RHEL, SUSE, us-east-1", readEC2Others},
	{"aws_rds.json.gz", "AWS RDS classes", readRDS},
	{"aws_elasticache.json.gz", "AWS ElastiCache nodes", readElastiCache},
	{"aws_opensearch.json.gz", "AWS OpenSearch instances", readOpenSearch},
	{"aws_eu-west-1_non_instance.json.gz", "AWS storage and network, eu-west-1", readOffers},
	{"azure_vm_linux.json.gz", "Azure virtual machines, Linux", readAzureVM},
	{"gcp_all.json.gz", "Google machine types, disks, network", readGCP},
	{"list_prices_by_component.json.gz", "unit prices by component, three clouds", readComponents},
	{"", "prices with no region", readGlobal},
}

// The sources by name, each with the day its prices were read from the vendor.
var (
	fromCoroot     = pricebook.Source{Name: "AWS price list, via coroot/cloud-pricing", AsOf: "2024-08-09"}
	fromKarpenter  = pricebook.Source{Name: "AWS price list, via aws/karpenter-provider-aws", AsOf: "2026-07-20"}
	fromLeaner     = pricebook.Source{Name: "AWS price list, via LeanerCloud/ec2-instances-info", AsOf: "2025-04-24"}
	fromOffers     = pricebook.Source{Name: "AWS offer files, via cycloidio/terracost", AsOf: "2023-02-23"}
	fromAzure      = pricebook.Source{Name: "Azure retail prices, via Azure/karpenter-provider-azure", AsOf: "2026-06-18"}
	fromCyclenerd  = pricebook.Source{Name: "Google Cloud price list, via Cyclenerd/google-cloud-pricing-cost-calculator", AsOf: "2026-07-30"}
	fromComponents = pricebook.Source{Name: "list prices by component, via Infracost's published test outputs", AsOf: "2024-04"}
	fromPages      = pricebook.Source{Name: "vendors' price pages, one price for all regions", AsOf: "2026-08"}
)

// preference orders the sources for where two know the same price: the newer
// first.
var preference = []pricebook.Source{fromPages, fromCyclenerd, fromKarpenter, fromAzure, fromLeaner, fromCoroot, fromComponents, fromOffers}

func gunzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// decode reads JSON with its numbers as text, so that no price passes through
// a float.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

func amount(n json.Number) (decimal.Decimal, error) { return decimal.NewFromString(n.String()) }

// add adds a price that the file gives. A price of zero is left out: in these
// files it means that the source did not know.
func add(w *pricebook.Writer, k pricebook.Key, n json.Number, unit string, from pricebook.Source) error {
	if n == "" {
		return nil // null
	}
	d, err := amount(n)
	if err != nil {
		return fmt.Errorf("%+v: %w", k, err)
	}
	if d.IsZero() {
		return nil
	}
	return w.Add(k, d, unit, from)
}

func readEC2(w *pricebook.Writer, data []byte) error {
	var f struct {
		Prices map[string]map[string]json.Number `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	for region, types := range f.Prices {
		for name, n := range types {
			from := fromCoroot
			_, size, _ := strings.Cut(name, ".")
			special := strings.HasPrefix(size, "metal") || strings.HasPrefix(name, "u7") || strings.HasPrefix(name, "mac")
			if region == "us-east-1" && !special {
				from = fromKarpenter
			}
			if err := add(w, pricebook.Key{Cloud: "aws", Service: "ec2-linux", Region: region, SKU: name}, n, "hour", from); err != nil {
				return err
			}
		}
	}
	return nil
}

func readEC2Others(w *pricebook.Writer, data []byte) error {
	var f struct {
		Prices map[string]map[string]json.Number `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	for name, systems := range f.Prices {
		for system, n := range systems {
			if err := add(w, pricebook.Key{Cloud: "aws", Service: "ec2-" + system, Region: "us-east-1", SKU: name}, n, "hour", fromLeaner); err != nil {
				return err
			}
		}
	}
	return nil
}

func readRDS(w *pricebook.Writer, data []byte) error {
	var f struct {
		Prices map[string]map[string]map[string][2]json.Number `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	for region, engines := range f.Prices {
		for engine, classes := range engines {
			for class, n := range classes {
				for i, az := range []string{"single-az", "multi-az"} {
					k := pricebook.Key{Cloud: "aws", Service: "rds-" + engine, Region: region, SKU: class + "/" + az}
					if err := add(w, k, n[i], "hour", fromCoroot); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func readElastiCache(w *pricebook.Writer, data []byte) error {
	var f struct {
		Prices map[string]map[string]map[string]json.Number `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	for region, engines := range f.Prices {
		for engine, nodes := range engines {
			for name, n := range nodes {
				k := pricebook.Key{Cloud: "aws", Service: "elasticache-" + strings.ToLower(engine), Region: region, SKU: name}
				if err := add(w, k, n, "hour", fromLeaner); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func readOpenSearch(w *pricebook.Writer, data []byte) error {
	return readFlat(w, data, "aws", "opensearch", func(s string) string { return s }, fromLeaner)
}

func readAzureVM(w *pricebook.Writer, data []byte) error {
	// Azure takes the names of sizes in any case; the catalogue has them in
	// lower case.
	return readFlat(w, data, "azure", "vm-linux", strings.ToLower, fromAzure)
}

// readFlat reads region → SKU → price an hour.
func readFlat(w *pricebook.Writer, data []byte, cloud, service string, sku func(string) string, from pricebook.Source) error {
	var f struct {
		Prices map[string]map[string]json.Number `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	for region, names := range f.Prices {
		for name, n := range names {
			if err := add(w, pricebook.Key{Cloud: cloud, Service: service, Region: region, SKU: sku(name)}, n, "hour", from); err != nil {
				return err
			}
		}
	}
	return nil
}

// readOffers takes from the offer files' rows [service, family, usage type,
// attributes, unit, price, first unit of the tier] those that offerRules name.
func readOffers(w *pricebook.Writer, data []byte) error {
	var f struct {
		Prices [][]any `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	taken := make([]bool, len(offerRules))
	for _, row := range f.Prices {
		if len(row) != 7 {
			return fmt.Errorf("row of %d columns, want 7: %v", len(row), row)
		}
		attrs, _ := row[3].(map[string]any)
		for i, r := range offerRules {
			if row[0] != r.service || row[1] != r.family || row[2] != r.usage || row[6] != "0" {
				continue
			}
			if e, ok := attrs["DatabaseEngine"].(string); r.service == "AmazonRDS" && ok && e != "Any" && e != "PostgreSQL" && !strings.HasPrefix(e, "Aurora") {
				continue
			}
			n, ok := row[5].(json.Number)
			if !ok {
				return fmt.Errorf("row %v: the price is no number", row)
			}
			d, err := amount(n)
			if err != nil {
				return err
			}
			if r.divide > 0 {
				d = d.Div(decimal.NewFromInt(r.divide))
			}
			k := pricebook.Key{Cloud: "aws", Service: r.to, Region: "eu-west-1", SKU: r.sku}
			if err := w.Add(k, d, r.unit, fromOffers); err != nil {
				return err
			}
			taken[i] = true
		}
	}
	for i, ok := range taken {
		if !ok {
			return fmt.Errorf("no row for %+v", offerRules[i])
		}
	}
	return nil
}

func readGCP(w *pricebook.Writer, data []byte) error {
	type perRegion map[string]struct {
		Hour  json.Number `json:"hour"`
		Month json.Number `json:"month"`
	}
	var f struct {
		Prices struct {
			Instance map[string]map[string]json.Number `json:"instance"`
			Network  struct {
				IP  map[string]struct{ Cost perRegion } `json:"ip"`
				VPN map[string]struct{ Cost perRegion } `json:"vpn"`
				NAT map[string]struct{ Cost perRegion } `json:"nat"`
			} `json:"compute_network"`
			Bucket struct {
				Storage   map[string]struct{ Cost perRegion } `json:"bucket"`
				Retrieval map[string]struct{ Cost perRegion } `json:"retrieval"`
			} `json:"bucket"`
			Storage map[string]struct{ Cost perRegion } `json:"compute_storage"`
		} `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	for name, regions := range f.Prices.Instance {
		for region, n := range regions {
			if err := add(w, pricebook.Key{Cloud: "gcp", Service: "compute", Region: region, SKU: name}, n, "hour", fromCyclenerd); err != nil {
				return err
			}
		}
	}
	for name, sku := range gcpDisks {
		s, ok := f.Prices.Storage[name]
		if !ok {
			return fmt.Errorf("no storage %q", name)
		}
		for region, n := range s.Cost {
			if err := add(w, pricebook.Key{Cloud: "gcp", Service: "disk", Region: region, SKU: sku}, n.Month, "GB-month", fromCyclenerd); err != nil {
				return err
			}
		}
	}
	for region, n := range f.Prices.Network.NAT["data"].Cost {
		if err := add(w, pricebook.Key{Cloud: "gcp", Service: "network", Region: region, SKU: "nat-data"}, n.Month, "GB", fromCyclenerd); err != nil {
			return err
		}
	}
	for name, class := range gcpBuckets {
		for sku, from := range map[string]struct {
			cost perRegion
			unit string
		}{class: {f.Prices.Bucket.Storage[name].Cost, "GB-month"}, class + "-retrieval": {f.Prices.Bucket.Retrieval[name].Cost, "GB"}} {
			for region, n := range from.cost {
				if err := add(w, pricebook.Key{Cloud: "gcp", Service: "storage", Region: region, SKU: sku}, n.Month, from.unit, fromCyclenerd); err != nil {
					return err
				}
			}
		}
	}
	for sku, cost := range map[string]perRegion{
		"ip-unused":  f.Prices.Network.IP["unused"].Cost,
		"ip-vm":      f.Prices.Network.IP["vm"].Cost,
		"vpn-tunnel": f.Prices.Network.VPN["tunnel"].Cost,
	} {
		if len(cost) == 0 {
			return fmt.Errorf("no prices for %s", sku)
		}
		for region, n := range cost {
			if err := add(w, pricebook.Key{Cloud: "gcp", Service: "network", Region: region, SKU: sku}, n.Hour, "hour", fromCyclenerd); err != nil {
				return err
			}
		}
	}
	return nil
}

// readComponents takes from the unit prices by resource type and component
// those that componentRules name.
func readComponents(w *pricebook.Writer, data []byte) error {
	var f struct {
		Prices []struct {
			Cloud        string      `json:"cloud"`
			Region       string      `json:"region"`
			ResourceType string      `json:"resource_type"`
			Component    string      `json:"component"`
			Unit         string      `json:"unit"`
			USD          json.Number `json:"usd"`
			Derived      bool        `json:"derived_from_rounded_monthly"`
		} `json:"prices"`
	}
	if err := decode(data, &f); err != nil {
		return err
	}
	clouds := map[string]string{"aws": "aws", "azure": "azure", "azurerm": "azure", "google": "gcp", "gcp": "gcp"}
	taken := make([]bool, len(componentRules))
	for _, p := range f.Prices {
		for i, r := range componentRules {
			if p.ResourceType != r.resource || p.Component != r.component || r.listed != "" && r.listed != p.Unit {
				continue
			}
			d, err := amount(p.USD)
			if err != nil {
				return err
			}
			region := normalRegion(p.Region)
			if r.only != "" && r.only != region {
				continue
			}
			if r.region != "" {
				region = r.region
			}
			if r.divide != "" {
				d = d.Div(decimal.RequireFromString(r.divide))
			}
			if p.Derived || r.divide != "" {
				d = recoverPrice(d, r.quantity)
			}
			k := pricebook.Key{Cloud: clouds[p.Cloud], Service: r.service, Region: region, SKU: r.sku}
			if err := w.Add(k, d, r.unit, fromComponents); err != nil {
				return err
			}
			taken[i] = true
		}
	}
	for i, ok := range taken {
		if !ok {
			return fmt.Errorf("no row for %+v", componentRules[i])
		}
	}
	return nil
}

// recoverPrice finds the list price behind a figure that somebody made by
// dividing a month's cost, rounded to cents, by the month's quantity: of all
// prices that round to the same cost, the one with the fewest digits, and of
// those the nearest. 0.022507 an hour is 16.43 / 730, which is 0.0225.
// A quantity of zero means that it is not known: the figure stays.
func recoverPrice(d decimal.Decimal, quantity string) decimal.Decimal {
	if quantity == "" {
		return d
	}
	q := decimal.RequireFromString(quantity)
	half := decimal.RequireFromString("0.005")
	cost := d.Mul(q).Round(2)
	for digits := int32(0); digits < 8; digits++ {
		p := d.Round(digits)
		if p.IsPositive() && p.Mul(q).Sub(cost).Abs().LessThanOrEqual(half) {
			return p
		}
	}
	return d
}

// readGlobal states the few prices that the vendors set once for all their
// (commercial) regions; the collected files have them for one region at most.
func readGlobal(w *pricebook.Writer, _ []byte) error {
	for _, g := range globalPrices {
		k := pricebook.Key{Cloud: g.cloud, Service: g.service, Region: pricebook.Global, SKU: g.sku}
		if err := w.Add(k, decimal.RequireFromString(g.amount), g.unit, fromPages); err != nil {
			return err
		}
	}
	return nil
}
