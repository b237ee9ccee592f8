package main

import (
	"cmp"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// folder writes the smallest price files that the generator takes: the shapes
// are those of the collected ones, the figures are made up.
func folder(t *testing.T, changed map[string]string) string {
	t.Helper()
	var offers []string
	for _, r := range offerRules {
		offers = append(offers, `["`+r.service+`","`+r.family+`","`+r.usage+`",{},"x",1024,"0"]`)
	}
	var components []string
	for _, r := range componentRules {
		cloud, _, _ := strings.Cut(r.resource, "_")
		region := "East US"
		if r.only != "" {
			region = r.only
		}
		components = append(components, `{"cloud":"`+cloud+`","region":"`+region+`","resource_type":"`+r.resource+`","component":"`+r.component+`","unit":"`+r.listed+`","usd":`+cmp.Or(r.divide, "2")+`}`)
	}
	var disks []string
	for name := range gcpDisks {
		disks = append(disks, `"`+name+`":{"cost":{"r1":{"month":0.5},"r2":{}}}`)
	}
	files := map[string]string{
		"aws_ec2_linux.json.gz":                       `{"prices":{"us-east-1":{"m5.large":0.096,"m5.metal":4.608},"eu-west-1":{"m5.large":0.107}}}`,
		"aws_ec2_us-east-1_windows_rhel_suse.json.gz": `{"prices":{"m5.large":{"windows":0.188,"rhel":null}}}`,
		"aws_rds.json.gz":                             `{"prices":{"us-east-1":{"mysql":{"db.t3.micro":[0.017,0.034]},"aurora-mysql":{"db.r5.large":[0.29,null]}}}}`,
		"aws_elasticache.json.gz":                     `{"prices":{"us-east-1":{"Redis":{"cache.t3.micro":0.017}}}}`,
		"aws_opensearch.json.gz":                      `{"prices":{"us-east-1":{"c5.large.search":0.125}}}`,
		"aws_eu-west-1_non_instance.json.gz":          `{"prices":[` + strings.Join(offers, ",") + `]}`,
		"azure_vm_linux.json.gz":                      `{"prices":{"eastus":{"Standard_B2s":0.0416,"Standard_Odd":0}}}`,
		"gcp_all.json.gz":                             `{"prices":{"instance":{"e2-medium":{"r1":0.03350571}},"compute_network":{"ip":{"unused":{"cost":{"r1":{"hour":0.01}}},"vm":{"cost":{"r1":{"hour":0.005}}}},"vpn":{"tunnel":{"cost":{"r1":{"hour":0.05}}}}},"compute_storage":{` + strings.Join(disks, ",") + `}}}`,
		"list_prices_by_component.json.gz":            `{"prices":[` + strings.Join(components, ",") + `]}`,
	}
	dir := t.TempDir()
	for name, text := range files {
		if c, ok := changed[name]; ok {
			text = c
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		z := gzip.NewWriter(f)
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func generate(t *testing.T, from string) (*pricebook.Book, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "book")
	if err := run(from, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pricebook.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return b, string(data)
}

func TestGenerate(t *testing.T) {
	from := folder(t, nil)
	b, first := generate(t, from)
	if _, second := generate(t, from); first != second {
		t.Error("the same files give other bytes")
	}
	for _, c := range []struct {
		k                  pricebook.Key
		amount, unit, asOf string // "" for no price
	}{
		{pricebook.Key{Cloud: "aws", Service: "ec2-linux", Region: "us-east-1", SKU: "m5.large"}, "0.096", "hour", "2026-07-20"},
		{pricebook.Key{Cloud: "aws", Service: "ec2-linux", Region: "us-east-1", SKU: "m5.metal"}, "4.608", "hour", "2024-08-09"},
		{pricebook.Key{Cloud: "aws", Service: "ec2-linux", Region: "eu-west-1", SKU: "m5.large"}, "0.107", "hour", "2024-08-09"},
		{pricebook.Key{Cloud: "aws", Service: "ec2-rhel", Region: "us-east-1", SKU: "m5.large"}, "", "", ""},
		{pricebook.Key{Cloud: "aws", Service: "rds-mysql", Region: "us-east-1", SKU: "db.t3.micro/multi-az"}, "0.034", "hour", "2024-08-09"},
		{pricebook.Key{Cloud: "aws", Service: "rds-aurora-mysql", Region: "us-east-1", SKU: "db.r5.large/multi-az"}, "", "", ""},
		{pricebook.Key{Cloud: "aws", Service: "ebs", Region: "eu-west-1", SKU: "gp3-throughput"}, "1", "MBps-month", "2023-02-23"},
		{pricebook.Key{Cloud: "azure", Service: "vm-linux", Region: "eastus", SKU: "standard_b2s"}, "0.0416", "hour", "2026-06-18"},
		{pricebook.Key{Cloud: "azure", Service: "vm-linux", Region: "eastus", SKU: "standard_odd"}, "", "", ""},
		{pricebook.Key{Cloud: "azure", Service: "disk", Region: "eastus", SKU: "p4/lrs"}, "2", "month", "2024-04"},
		{pricebook.Key{Cloud: "gcp", Service: "compute", Region: "r1", SKU: "e2-medium"}, "0.03350571", "hour", "2026-07-30"},
		{pricebook.Key{Cloud: "gcp", Service: "disk", Region: "r2", SKU: "pd-ssd"}, "", "", ""},
		{pricebook.Key{Cloud: "aws", Service: "eks", Region: pricebook.Global, SKU: "cluster"}, "0.1", "hour", "2026-08"},
	} {
		p, ok, err := b.Lookup(c.k)
		if err != nil || ok != (c.amount != "") || ok && (p.Amount.String() != c.amount || p.Unit != c.unit || p.Source.AsOf != c.asOf) {
			t.Errorf("%+v = %+v, %v, %v; want %s per %s as of %s", c.k, p, ok, err, c.amount, c.unit, c.asOf)
		}
	}
}

// A file that isn't understood stops the run and leaves the old catalogue.
func TestGenerateStops(t *testing.T) {
	for name, changed := range map[string]map[string]string{
		"malformed":       {"aws_rds.json.gz": `{"prices":{`},
		"negative":        {"aws_ec2_linux.json.gz": `{"prices":{"us-east-1":{"m5.large":-1}}}`},
		"empty":           {"azure_vm_linux.json.gz": `{"prices":{}}`},
		"rows are gone":   {"list_prices_by_component.json.gz": `{"prices":[]}`},
		"columns changed": {"aws_eu-west-1_non_instance.json.gz": `{"prices":[["AmazonEC2"]]}`},
	} {
		out := filepath.Join(t.TempDir(), "book")
		if err := os.WriteFile(out, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run(folder(t, changed), out, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
		left, err := os.ReadDir(filepath.Dir(out))
		if err != nil {
			t.Fatal(err)
		}
		if old, _ := os.ReadFile(out); string(old) != "old" || len(left) != 1 {
			t.Errorf("%s: the folder has %v, the catalogue %q", name, left, old)
		}
	}
	if err := run(t.TempDir(), filepath.Join(t.TempDir(), "book"), io.Discard); err == nil {
		t.Error("an empty folder gave a catalogue")
	}
}

func TestRecoverPrice(t *testing.T) {
	for _, c := range []struct{ figure, quantity, want string }{
		{"0.022507", "730", "0.0225"},
		{"0.041603", "730", "0.0416"},
		{"0.045603", "730", "0.0456"},
		{"0.041301", "730", "0.0413"},
		{"5.109333", "3.75", "5.11"},
		{"0.066992", "123", "0.067"},
		{"0.2", "730", "0.2"},
		{"0.123456", "", "0.123456"},
	} {
		got := recoverPrice(decimal.RequireFromString(c.figure), c.quantity)
		if got.String() != c.want {
			t.Errorf("%s × %s is %s, want %s", c.figure, c.quantity, got, c.want)
		}
	}
}
