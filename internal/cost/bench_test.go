package cost

import (
	"runtime"
	"testing"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// BenchmarkCost has what `make bench BENCH=cost` shows: how long the catalogue
// takes to open and to give its first prices, and an estimate of 10,000
// resources that are joined to others, with a usage file, discounts and a rate;
// and what each keeps in memory.
func BenchmarkCost(b *testing.B) {
	keys := []pricebook.Key{
		{Cloud: "aws", Service: "ec2-linux", Region: "us-east-1", SKU: "m5.large"},
		{Cloud: "azure", Service: "vm-linux", Region: "eastus", SKU: "standard_b2s"},
		{Cloud: "gcp", Service: "compute", Region: "us-central1", SKU: "e2-medium"},
	}
	open := func(b *testing.B, first bool) *Catalog {
		c, err := NewCatalog()
		if err != nil {
			b.Fatal(err)
		}
		for _, k := range keys {
			if !first {
				break
			}
			if _, ok, err := c.Lookup(k); err != nil || !ok {
				b.Fatal(k, err)
			}
		}
		return c
	}
	for name, first := range map[string]bool{"load": false, "first": true} {
		b.Run(name, func(b *testing.B) {
			var c *Catalog
			before := heap()
			for range b.N {
				c = open(b, first)
			}
			b.ReportMetric(megabytesSince(before), "kept-MB")
			runtime.KeepAlive(c)
		})
	}
	b.Run("10000", func(b *testing.B) {
		p, u, c := largeEstate(b, 10_000), usageOfMany(b), catalog(b)
		o := Options{Usage: u, Discounts: Discounts{{Cloud: "aws", Service: "ec2", Percent: figure("12")}}, Exchange: Exchange{Currency: "EUR", Rate: figure("0.92"), Day: "2026-11-20"}}
		var e Estimate
		before := heap()
		b.ResetTimer()
		for range b.N {
			var err error
			if e, err = c.Estimate(p, o); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		b.ReportMetric(megabytesSince(before), "kept-MB")
		runtime.KeepAlive(e)
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func megabytesSince(before uint64) float64 {
	return max(float64(heap())-float64(before), 0) / 1e6
}
