package cost

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// Prices that were looked up independently. Google's and some others have
// more digits than the list that was checked: they are compared rounded.
func TestSpotChecks(t *testing.T) {
	c := catalog(t)
	for _, s := range []struct {
		cloud, service, region, sku, unit, want string
	}{
		{"aws", "ec2-linux", "us-east-1", "t3.micro", "hour", "0.0104"},
		{"aws", "ec2-linux", "us-east-1", "m5.large", "hour", "0.096"},
		{"aws", "ec2-linux", "us-east-1", "c7g.xlarge", "hour", "0.145"},
		{"aws", "ec2-linux", "eu-west-1", "m5.large", "hour", "0.107"},
		{"aws", "rds-mysql", "us-east-1", "db.t3.micro/single-az", "hour", "0.017"},
		{"aws", "rds-postgres", "us-east-1", "db.m5.large/single-az", "hour", "0.178"},
		{"aws", "ebs", "us-east-1", "gp3", "GB-month", "0.08"},
		{"aws", "vpc", "us-east-1", "nat-gateway", "hour", "0.045"},
		{"aws", "elb", "us-east-1", "application", "hour", "0.0225"},
		{"azure", "vm-linux", "eastus", "standard_b2s", "hour", "0.0416"},
		{"azure", "vm-linux", "eastus", "standard_d2s_v3", "hour", "0.096"},
		{"gcp", "compute", "us-central1", "e2-medium", "hour", "0.0335"},
		{"gcp", "compute", "us-central1", "n1-standard-1", "hour", "0.0475"},
		{"gcp", "disk", "us-central1", "pd-ssd", "GB-month", "0.17"},
	} {
		p, ok, err := c.price(s.cloud, s.service, s.region, s.sku)
		want := decimal.RequireFromString(s.want)
		if err != nil || !ok || !p.Amount.Round(-want.Exponent()).Equal(want) || p.Unit != s.unit {
			t.Errorf("%s %s %s %s = %s per %s, %v, %v; want %s per %s", s.cloud, s.service, s.region, s.sku, p.Amount, p.Unit, ok, err, s.want, s.unit)
		}
	}
}

func TestCatalogCoverageAndSize(t *testing.T) {
	if kb := len(embedded) >> 10; kb > 1500 {
		t.Errorf("the catalogue has %d KB, 1,500 are allowed", kb)
	}
	prices, regions := map[string]int{}, map[string]map[string]bool{}
	for _, s := range catalog(t).Sheets() {
		prices[s.Cloud] += s.Prices
		if regions[s.Cloud] == nil {
			regions[s.Cloud] = map[string]bool{}
		}
		regions[s.Cloud][s.Region] = true
		if _, err := time.Parse("2006-01", s.Source.AsOf[:7]); err != nil {
			t.Errorf("%s %s %s: as of %q", s.Cloud, s.Service, s.Region, s.Source.AsOf)
		}
	}
	for cloud, least := range map[string]int{"aws": 30000, "azure": 60000, "gcp": 15000} {
		if prices[cloud] < least || len(regions[cloud]) < 30 {
			t.Errorf("%s: %d prices in %d regions", cloud, prices[cloud], len(regions[cloud]))
		}
	}
}

func TestNeverAnotherRegionsPrice(t *testing.T) {
	c := catalog(t)
	for _, k := range []struct{ cloud, service, region, sku string }{
		{"aws", "ebs", "us-west-2", "gp3"},
		{"aws", "vpc", "ap-south-1", "nat-gateway"},
		{"aws", "ec2-linux", "", "m5.large"},
		{"aws", "ec2-linux", "global", "m5.large"},
		{"aws", "eks", "cn-north-1", "cluster"},
		{"aws", "eks", "us-gov-west-1", "cluster"},
		{"azure", "dns", "usgovvirginia", "zone"},
	} {
		if p, ok, _ := c.price(k.cloud, k.service, k.region, k.sku); ok {
			t.Errorf("%+v has the price %s", k, p.Amount)
		}
	}
	if _, ok, _ := c.price("aws", "eks", "ap-south-1", "cluster"); !ok {
		t.Error("a price for all regions isn't found in one of them")
	}
}

// Opening the catalogue must cost an idle server next to nothing.
func TestCatalogIsLazy(t *testing.T) {
	var before, opened, used runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	c, err := NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&opened)
	for _, s := range c.Sheets() {
		if _, _, err := c.book.Lookup(pricebook.Key{Cloud: s.Cloud, Service: s.Service, Region: s.Region, SKU: "none"}); err != nil {
			t.Error(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&used)
	runtime.KeepAlive(c)
	idle, full := int64(opened.HeapAlloc-before.HeapAlloc)>>10, int64(used.HeapAlloc-before.HeapAlloc)>>10
	t.Logf("opened in %s; heap %d KB opened, %d KB with every sheet unpacked; %d sheets", took, idle, full, len(c.Sheets()))
	if idle > 1024 || full > 12<<10 {
		t.Errorf("heap %d KB opened, %d KB unpacked; want at most 1,024 and 12,288", idle, full)
	}
}

func TestListsOfTypes(t *testing.T) {
	seen := map[string]string{}
	for name, text := range map[string]string{"free": freeList, "usage": usageList} {
		for line := range strings.Lines(text) {
			typ, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if typ == "" || typ[0] == '#' {
				continue
			}
			if other := seen[typ]; other != "" && other != name {
				t.Errorf("%s is in both lists", typ)
			}
			if metered[typ] != nil {
				t.Errorf("%s is in the list of %s types and has meters", typ, name)
			}
			if pricers[typ] != nil {
				t.Errorf("%s is in the list of %s types and priced by code", typ, name)
			}
			seen[typ] = name
		}
	}
	for typ, want := range map[string]kind{
		"aws_iam_role": {free: true}, "random_pet": {free: true}, "terraform_data": {free: true},
		"azurerm_key_vault": {usage: "operations"}, "aws_s3_bucket_policy": {free: true}, "aws_no_such_thing": {},
	} {
		if got := kindOf(typ); got.free != want.free || got.usage != want.usage || got.price != nil {
			t.Errorf("kindOf(%s) = %+v, want %+v", typ, got, want)
		}
	}
	if kindOf("aws_instance").price == nil {
		t.Error("aws_instance is not priced")
	}
}
