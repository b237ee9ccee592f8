package actuals

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/tidelock/tidelock/internal/errs"
)

// exported is a line as the clouds' Parquet exports type it: amounts as
// decimals or floating-point numbers, moments as such, tags as a map.
type exported struct {
	BilledCost         int64             `parquet:"BilledCost,decimal(4:18)"`
	EffectiveCost      float64           `parquet:"EffectiveCost"`
	ListCost           *float64          `parquet:"ListCost,optional"`
	ContractedCost     float64           `parquet:"ContractedCost"`
	BillingAccountId   string            `parquet:"BillingAccountId"`
	BillingCurrency    string            `parquet:"BillingCurrency,dict"`
	BillingPeriodStart time.Time         `parquet:"BillingPeriodStart,timestamp(millisecond)"`
	BillingPeriodEnd   time.Time         `parquet:"BillingPeriodEnd,timestamp(microsecond)"`
	ChargePeriodStart  time.Time         `parquet:"ChargePeriodStart,timestamp(nanosecond)"`
	ChargePeriodEnd    string            `parquet:"ChargePeriodEnd"`
	ChargeCategory     string            `parquet:"ChargeCategory,dict"`
	ChargeClass        *string           `parquet:"ChargeClass,optional"`
	ProviderName       string            `parquet:"ProviderName"`
	ServiceName        string            `parquet:"ServiceName"`
	SubAccountId       *string           `parquet:"SubAccountId,optional"`
	ResourceId         *string           `parquet:"ResourceId,optional"`
	SkuMeter           string            `parquet:"SkuMeter"`
	Tags               map[string]string `parquet:"Tags"`
}

func parquetOf(t testing.TB, codec parquet.WriterOption, lines ...exported) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[exported](&b, codec, parquet.MaxRowsPerRowGroup(2))
	if _, err := w.Write(lines); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadParquet(t *testing.T) {
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }
	text, list := func(s string) *string { return &s }, 2.5
	line := exported{BilledCost: 11020, EffectiveCost: 0.9, ListCost: &list, BillingAccountId: "999", BillingCurrency: "USD", BillingPeriodStart: day(10, 1), BillingPeriodEnd: day(11, 1),
		ChargePeriodStart: day(10, 30), ChargePeriodEnd: "2026-10-31T00:00:00Z", ChargeCategory: "Usage", ProviderName: "AWS", ServiceName: "EC2", SubAccountId: text("111"), ResourceId: text("i-0"), Tags: map[string]string{"b": "2", "a": "1"}}
	bare := line
	bare.BilledCost, bare.ListCost, bare.Tags, bare.ResourceId, bare.SubAccountId = -5, nil, nil, nil, nil
	credit := bare
	credit.ChargeCategory, credit.ChargeClass, credit.EffectiveCost = "Credit", text("Correction"), 1e-7
	want := []string{
		`2026-10-01 AWS 999/ USD EC2 "" Credit true  b=-0.0005 e=0.0000001 l=0 n=1/1 ||| 2026-11-01 0001-01-01T00:00:00Z`,
		`2026-10-01 AWS 999/ USD EC2 "" Usage false  b=-0.0005 e=0.9 l=0 n=1/1 ||| 2026-11-01 2026-10-31T00:00:00Z`,
		`2026-10-01 AWS 999/111 USD EC2 "i-0" Usage false {"a":"1","b":"2"} b=2.204 e=1.8 l=5 n=2/0 ||| 2026-11-01 2026-10-31T00:00:00Z`,
	}
	for name, codec := range map[string]parquet.WriterOption{"plain": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy), "gzip": parquet.Compression(&parquet.Gzip), "zstd": parquet.Compression(&parquet.Zstd)} {
		r, err := readText(t, parquetOf(t, codec, line, bare, line, credit), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		equal(t, name, groupsOf(t, r), want)
		if r.Lines != 4 || r.Sources[0].Version != "1.1" {
			t.Errorf("%s: %+v", name, r.Sources)
		}
	}

	wrong := line
	wrong.ChargeCategory = "Refund"
	whole := parquetOf(t, parquet.Compression(&parquet.Snappy), line, line, wrong)
	if _, err := readText(t, whole, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("%v", err)
	} else {
		contains(t, errs.Sentence(err), "export.csv, row 3: ChargeCategory \"Refund\"")
	}
	// Whatever is broken in it, it is refused.
	for i := 4; i < len(whole); i += 97 {
		for _, broken := range []string{whole[:i], whole[:i] + "\xff\xff\xff" + whole[min(i+3, len(whole)):]} {
			if _, err := readText(t, broken, Options{}); err != nil && errs.KindOf(err) == errs.Internal {
				t.Fatalf("at %d: %v", i, err)
			}
		}
	}
	if _, err := readText(t, strings.Replace(whole, "PAR1", "PAR1", 1), Options{Limits: Limits{Bytes: 10}}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("%v", err)
	}
}
