package cost

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

func TestCoverage(t *testing.T) {
	c := catalog(t)
	total := 0
	for _, s := range c.Sheets() {
		total += s.Prices
	}
	for _, by := range []CoverageBy{ByCloud, ByService, ByRegion} {
		sum := 0
		var last Coverage
		for _, v := range c.Coverage(by) {
			sum += v.Prices
			if v.Prices <= 0 || v.From == "" || v.From > v.To || len(v.Sources) == 0 || v.Regions == 0 {
				t.Errorf("%+v", v)
			}
			if (v.Service == "") != (by < ByService) || (v.Region == "") != (by < ByRegion) || by == ByRegion && v.Regions != 1 {
				t.Errorf("grain %d: %+v", by, v)
			}
			if v.Cloud < last.Cloud || v.Cloud == last.Cloud && v.Service < last.Service {
				t.Errorf("%+v comes after %+v", v, last)
			}
			last = v
		}
		if sum != total {
			t.Errorf("grain %d: %d prices of %d", by, sum, total)
		}
	}
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, v := range c.Coverage(ByCloud) {
		if days, ok := v.Age(now); !ok || days < 90 || days > 5*365 {
			t.Errorf("%s is %d days old, %v (from %s)", v.Cloud, days, ok, v.From)
		}
	}
	if days, ok := (Coverage{From: "2026-11-03"}).Age(now); days != 20 || !ok {
		t.Errorf("%d days, %v", days, ok)
	}
	if _, ok := (Coverage{From: "of old"}).Age(now); ok {
		t.Error("a date that is none has an age")
	}
}

func TestTypes(t *testing.T) {
	priced, usage, free := Types()
	if !slices.Contains(priced, "aws_instance") || !slices.Contains(priced, "google_pubsub_topic") || !slices.Contains(usage, "azurerm_key_vault") || !slices.Contains(free, "aws_iam_*") {
		t.Error("a type is not where it belongs")
	}
	for _, typ := range slices.Concat(priced, usage) {
		if slices.Contains(free, typ) {
			t.Errorf("%s is free and not", typ)
		}
	}
}

// Opening the catalogue and asking each cloud's largest sheets once unpacks
// those and no others. BenchmarkFirstPrices has the time.
func TestFirstPricesUnpackLittle(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []pricebook.Key{
		{Cloud: "aws", Service: "ec2-linux", Region: "us-east-1", SKU: "m5.large"},
		{Cloud: "azure", Service: "vm-linux", Region: "eastus", SKU: "standard_b2s"},
		{Cloud: "gcp", Service: "compute", Region: "us-central1", SKU: "e2-medium"},
	} {
		if _, ok, err := c.price(k.Cloud, k.Service, k.Region, k.SKU); !ok || err != nil {
			t.Fatal(k, ok, err)
		}
	}
	runtime.ReadMemStats(&after)
	took := (after.TotalAlloc - before.TotalAlloc) >> 10
	t.Logf("%d KB were asked of the memory", took)
	if took > 1536 {
		t.Errorf("%d KB were asked of the memory; 1,536 are allowed", took)
	}
}

func BenchmarkFirstPrices(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		c, err := NewCatalog()
		if err != nil {
			b.Fatal(err)
		}
		for _, k := range []pricebook.Key{
			{Cloud: "aws", Service: "ec2-linux", Region: "us-east-1", SKU: "m5.large"},
			{Cloud: "azure", Service: "vm-linux", Region: "eastus", SKU: "standard_b2s"},
			{Cloud: "gcp", Service: "compute", Region: "us-central1", SKU: "e2-medium"},
		} {
			if _, ok, _ := c.price(k.Cloud, k.Service, k.Region, k.SKU); !ok {
				b.Fatal(k)
			}
		}
	}
}
