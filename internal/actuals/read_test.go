package actuals

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestReadSumsUp(t *testing.T) {
	r := mustRead(t,
		charge{"ResourceId": "i-0abc", "BilledCost": "1.10", "EffectiveCost": "0.9", "ListCost": "2", "Tags": `{"b":"2","a":"1"}`, "RegionId": "eu-west-1", "ResourceName": "web"},
		charge{"ResourceId": "i-0abc", "BilledCost": "2E-3", "EffectiveCost": "0", "ListCost": "NULL", "Tags": `{"a":"1","b":"2"}`, "RegionId": "eu-west-1", "ChargePeriodEnd": "2026-11-05 00:00:00 UTC", "ChargePeriodStart": "2026-10-31 00:00:00"},
		charge{"ResourceId": "i-0abc", "BilledCost": "-0.50", "ChargeClass": "Correction"},
		charge{"BilledCost": "3", "ChargeCategory": "tax", "SubAccountId": "NULL", "SubAccountName": ""},
		charge{"BilledCost": "7", "BillingCurrency": "EUR", "SubAccountId": "222", "ProviderName": "Microsoft"},
	)
	equal(t, "groups", groupsOf(t, r), []string{
		`2026-10-01 AWS 999/ USD Amazon Elastic Compute Cloud "" Tax false  b=3 e=3 l=3 n=1/0 ||| 2026-11-01 0001-01-01T00:00:00Z`,
		`2026-10-01 AWS 999/111 USD Amazon Elastic Compute Cloud "i-0abc" Usage false {"a":"1","b":"2"} b=1.102 e=0.9 l=2 n=2/1 web|web||eu-west-1 2026-11-01 2026-11-01T00:00:00Z`,
		`2026-10-01 AWS 999/111 USD Amazon Elastic Compute Cloud "i-0abc" Usage true  b=-0.5 e=-0.5 l=-0.5 n=1/0 web||| 2026-11-01 2026-10-31T00:00:00Z`,
		`2026-10-01 Microsoft 999/222 EUR Amazon Elastic Compute Cloud "" Usage false  b=7 e=7 l=7 n=1/0 web||| 2026-11-01 2026-10-31T00:00:00Z`,
	})
	if len(r.Parts) != 3 || r.Lines != 5 || r.Sources[0].Version != "1.0" || len(r.Sources[0].SHA256) != 64 {
		t.Errorf("%+v", r)
	}
	usd := r.Parts[1].Totals["USD"]
	if !usd.Billed.Equal(dec("0.602")) || !usd.Compared.Equal(dec("0.4")) || usd.Unlisted != 1 || !r.Parts[0].Totals["USD"].Compared.IsZero() {
		t.Errorf("totals %+v, %+v", usd, r.Parts[0].Totals)
	}
}

func TestReadVersionsAndSpellings(t *testing.T) {
	text := csvOf(t, charge{"Tags": "NULL"})
	for name, c := range map[string]struct{ text, version string }{
		"1.0":             {text, "1.0"},
		"1.1":             {strings.Replace(text, "ContractedCost", "SkuMeter", 1), "1.1"},
		"1.2":             {strings.Replace(text, "ContractedCost", "InvoiceId", 1), "1.2"},
		"a BOM and CRLF":  {"\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"), "1.0"},
		"snake case":      {strings.Replace(strings.Replace(text, "BilledCost", "billed_cost", 1), "BillingAccountId", "BILLING_ACCOUNT_ID", 1), "1.0"},
		"no last newline": {strings.TrimSpace(text), "1.0"},
	} {
		r, err := readText(t, c.text, Options{})
		if err != nil || r.Lines != 1 || r.Sources[0].Version != c.version {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for in, want := range map[string]string{
		`{"env": "prod", "n": 4.50, "on": true, "none": null, "": "x"}`:            `{"env":"prod","n":"4.50","none":"","on":"true"}`,
		`"env": "prod", "org": "trey"`:                                             `{"env":"prod","org":"trey"}`,
		`[{"key":"env","value":"prod","inherited":false},{"key":"a","value":"b"}]`: `{"a":"b","env":"prod"}`,
		`{}`: "", "NULL": "", "": "", "[]": "",
	} {
		if have, err := parseTags(in); err != nil || have != want {
			t.Errorf("%s: %s, %v", in, have, err)
		}
	}
	for _, in := range []string{"2026-10-01T00:00:00Z", "2026-10-01T00:00:00.000Z", "2026-10-01 00:00:00", "2026-10-01 00:00:00 UTC", "2026-10-01 00:00:00.000 UTC", "2026-10-01T00:00Z", "2026-10-01",
		"2026-10-01 00:00:00+00:00", "2026-09-30T17:00:00-07:00", "2026-10-01 00:00:00 +0000 UTC", "20261001T000000Z"} {
		if have, err := parseTime(in); err != nil || have.Unix() != 1790812800 {
			t.Errorf("%s: %v, %v", in, have, err)
		}
	}
}

// What is wrong is told with file and line, and how to mend it.
func TestReadRefuses(t *testing.T) {
	good := csvOf(t, charge{})
	header, line, _ := strings.Cut(good, "\n")
	row := func(c charge) string { return csvOf(t, charge{}, c) }
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty":              {"", []string{"line 1", "empty"}},
		"only a header":      {header + "\n", []string{"no line"}},
		"no export":          {"a,b\n1,2\n", []string{"line 1", "Is this a FOCUS export?"}},
		"semicolons":         {strings.ReplaceAll(good, ",", ";"), []string{"line 1", "commas"}},
		"a column missing":   {strings.Replace(good, "BilledCost", "x_Cost", 1), []string{"line 1", "BilledCost", "Add them"}},
		"a column twice":     {strings.Replace(good, "ContractedCost", "BilledCost", 1), []string{"line 1", "two columns"}},
		"1.3":                {strings.Replace(good, "ContractedCost", "ServiceProviderName", 1), []string{"1.3 or later", "Choose"}},
		"a preview":          {strings.NewReplacer("ChargeClass", "ChargeSubcategory", "ContractedCost", "x", "RegionId", "Region").Replace(good), []string{"1.0-preview"}},
		"a formula":          {row(charge{"BilledCost": "=1+1"}), []string{"line 3: BilledCost", "formula"}},
		"a separator":        {row(charge{"BilledCost": "1,000.00"}), []string{"line 3: BilledCost", "1234.56"}},
		"no amount":          {row(charge{"EffectiveCost": "NULL"}), []string{"line 3: EffectiveCost", "no value"}},
		"a huge exponent":    {row(charge{"BilledCost": "1e400"}), []string{"line 3: BilledCost", "out of bounds"}},
		"a tiny exponent":    {row(charge{"ListCost": "1e-400"}), []string{"line 3: ListCost", "out of bounds"}},
		"not a number":       {row(charge{"ListCost": "NaN"}), []string{"line 3: ListCost", "no number"}},
		"an ambiguous day":   {row(charge{"ChargePeriodStart": "10/11/2026"}), []string{"line 3: ChargePeriodStart", "month first"}},
		"an unknown zone":    {row(charge{"ChargePeriodStart": "2026-10-01 00:00:00 XST"}), []string{"line 3: ChargePeriodStart", "zone XST"}},
		"a period backwards": {row(charge{"BillingPeriodEnd": "2026-10-01"}), []string{"line 3: BillingPeriodEnd", "not after"}},
		"a category":         {row(charge{"ChargeCategory": "Refund"}), []string{"line 3: ChargeCategory", "Usage, Purchase"}},
		"a class":            {row(charge{"ChargeClass": "Regular"}), []string{"line 3: ChargeClass", "Correction"}},
		"a currency":         {row(charge{"BillingCurrency": "Dollar"}), []string{"line 3: BillingCurrency", "USD"}},
		"tags":               {row(charge{"Tags": "env=prod"}), []string{"line 3: Tags", "JSON object"}},
		"tags of tags":       {row(charge{"Tags": `{"a":{"b":"c"}}`}), []string{"line 3: Tags", "list or an object"}},
		"fields":             {good + "1,2,3\n", []string{"line 3", "3 fields", fmt.Sprint(len(head))}},
		"quoting":            {good + `"a"b,` + line, []string{"line 3", "doubled"}},
		"a quote in midst":   {good + `a"b",` + line, []string{"line 3", "quote in its midst"}},
		"an open quote":      {good + `"abc,` + line, []string{"line 3", "never ended"}},
		"a huge field":       {good + `"` + strings.Repeat("x", maxField+1) + `",` + line, []string{"line 3", "longer than"}},
		"a huge record":      {good + `"` + strings.Repeat("x\n", maxRecord), []string{"line 3", "longer than"}},
		"a zero byte":        {good + "\x00" + line, []string{"line 3", "zero byte"}},
		"no UTF-8":           {good + "\xff" + line, []string{"line 3", "UTF-8"}},
		"UTF-16":             {"\xff\xfeB\x00i\x00\n", []string{"line 1"}},
		"several":            {csvOf(t, charge{"BilledCost": "x"}, charge{}, charge{"BilledCost": "y"}), []string{"line 2: BilledCost \"x\"", "line 4: BilledCost \"y\""}},
	} {
		_, err := readText(t, c.text, Options{})
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name != "only a header" {
			c.want = append(c.want, "export.csv")
		}
		contains(t, name+": "+errs.Sentence(err), c.want...)
	}
}

func TestReadPacked(t *testing.T) {
	text := csvOf(t, charge{"BilledCost": "1.5"}, charge{"BilledCost": "2"})
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	archive := func(files map[string]string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range files {
			f, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := groupsOf(t, mustRead(t, charge{"BilledCost": "3.5"}))
	for name, text := range map[string]string{"gzip": gz.String(), "zip": archive(map[string]string{"a/part.csv": text, "manifest.json": "{}"}), "gzip in zip": archive(map[string]string{"part.csv.gz": gz.String()})} {
		r, err := readText(t, text, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := groupsOf(t, r)
		if len(got) != 1 || strings.Replace(got[0], "n=2/0", "n=1/0", 1) != want[0] {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	// What is cut is no end.
	for name, text := range map[string]string{"gzip": gz.String()[:gz.Len()-12], "zip": archive(map[string]string{"a.csv": text})[:200]} {
		if _, err := readText(t, text, Options{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("cut %s: %v", name, err)
		}
	}
	if _, err := readText(t, archive(map[string]string{"manifest.json": "{}"}), Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("no CSV in it: %v", err)
	}
}

// A file of a few kilobytes that unpacks to gigabytes is stopped, by its ratio
// or by how much there is.
func TestThreat_BillingExportBomb(t *testing.T) {
	var gz bytes.Buffer
	w, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	head, line, _ := strings.Cut(csvOf(t, charge{}), "\n")
	fmt.Fprintln(w, head)
	block := bytes.Repeat([]byte(line), (1<<20)/len(line))
	for range 8 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readText(t, gz.String(), Options{Limits: Limits{RatioFrom: 4 << 20}}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("ratio %d: %v", 8<<20/gz.Len(), err)
	} else {
		contains(t, errs.Sentence(err), "export.csv, after line ", "trap")
	}
	if _, err := readText(t, gz.String(), Options{Limits: Limits{Bytes: 1 << 20, Ratio: 1 << 40}}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("bytes: %v", err)
	}
}

// The files of one export are each as large as they are: that one of many is
// small beside what came out of those before it is no trap.
func TestReadManyFiles(t *testing.T) {
	var paths []string
	for i := range 6 {
		var all []charge
		for n := range 200 {
			all = append(all, charge{"ResourceId": fmt.Sprint("r-", i, "-", n)})
		}
		paths = append(paths, fileOf(t, fmt.Sprint(i, ".csv"), csvOf(t, all...)))
	}
	r, err := Read(t.Context(), paths, Options{Limits: Limits{RatioFrom: 64 << 10, Ratio: 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Lines != 1200 {
		t.Errorf("%d lines", r.Lines)
	}
}

func TestThreat_BillingExportOfManyCurrencies(t *testing.T) {
	var all []charge
	for i := range maxCurrencies + 1 {
		all = append(all, charge{"BillingCurrency": string([]byte{'A' + byte(i/676), 'A' + byte(i/26%26), 'A' + byte(i%26)})})
	}
	if _, err := readText(t, csvOf(t, all...), Options{}); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), "currencies") {
		t.Error(err)
	}
}

// randomCharges are exports of few words, so that many lines are alike.
func randomCharges(r *rand.Rand, n int) []charge {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	var all []charge
	for range n {
		all = append(all, charge{
			"BilledCost": fmt.Sprintf("%d.%0*d", r.IntN(200)-100, 1+r.IntN(9), r.IntN(10)), "EffectiveCost": fmt.Sprintf("%de-%d", r.IntN(1000), r.IntN(12)), "ListCost": pick("NULL", "1", "2.50", ""),
			"BillingCurrency": pick("USD", "EUR", "USD"), "ChargeCategory": pick(categories...), "ChargeClass": pick("", "Correction", "null"), "ResourceId": pick("", "i-0", "vol-1", "x"),
			"SubAccountId": pick("1", "2", ""), "BillingPeriodStart": pick("2026-09-01", "2026-10-01"), "ServiceName": pick("A", "B"), "Tags": pick("", `{"a":"b"}`, `{"a":"c","d":"e,\"f\""}`), "RegionId": pick("", "eu", "us"),
		})
	}
	return all
}

// Whatever the order of lines, and whether the sums fit into the memory or not:
// what is kept is the same, and adds up to what the file has.
func TestReadProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 9))
	for range 8 {
		charges := randomCharges(r, 1+r.IntN(200))
		want := map[string]decimal.Decimal{}
		for _, c := range charges {
			want[c["BillingCurrency"]] = want[c["BillingCurrency"]].Add(dec(c["BilledCost"]))
		}
		first := mustRead(t, charges...)
		have, lines := map[string]decimal.Decimal{}, int64(0)
		for _, p := range first.Parts {
			lines += p.Lines
			for currency, a := range p.Totals {
				have[currency] = have[currency].Add(a.Billed)
			}
		}
		if lines != int64(len(charges)) || len(have) != len(want) {
			t.Fatalf("%d lines of %d, %v, want %v", lines, len(charges), have, want)
		}
		for currency := range want {
			if !have[currency].Equal(want[currency]) {
				t.Fatalf("%s: %s, want %s", currency, have[currency], want[currency])
			}
		}
		r.Shuffle(len(charges), func(i, j int) { charges[i], charges[j] = charges[j], charges[i] })
		dir := t.TempDir()
		second, err := readText(t, csvOf(t, charges...), Options{Limits: Limits{Memory: 4000}, TempDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "groups", groupsOf(t, second), groupsOf(t, first))
		for i, p := range first.Parts {
			if second.Parts[i].Digest != p.Digest {
				t.Fatalf("part %v has another digest", p.unit)
			}
		}
		spilled := len(second.groups.files)
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 || len(charges) > 100 && spilled < 2 {
			t.Fatalf("%d files were made of %d lines, left %v, %v", spilled, len(charges), left, err)
		}
	}
}

func TestReadSameFileTwice(t *testing.T) {
	text := csvOf(t, charge{})
	a, b := fileOf(t, "a.csv", text), fileOf(t, "b.csv", text)
	if _, err := Read(t.Context(), []string{a, b}, Options{}); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "counted twice") {
		t.Errorf("%v", err)
	}
	if _, err := Read(t.Context(), []string{filepath.Dir(a)}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Read(t.Context(), []string{a + "x"}, Options{}); !errs.Is(err, errs.NotFound) {
		t.Errorf("nothing: %v", err)
	}
	r, err := Read(t.Context(), []string{a, fileOf(t, "c.csv", csvOf(t, charge{"BilledCost": "2"}))}, Options{})
	if err != nil || r.Lines != 2 || len(r.Parts) != 1 || !r.Parts[0].Totals["USD"].Billed.Equal(dec("3")) {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzRead: whatever a file has, reading ends, holds what it took to its sums,
// and breaks nothing.
func FuzzRead(f *testing.F) {
	f.Add([]byte(csvOf(f, charge{"Tags": `{"a":"b"}`}, charge{"ChargeClass": "Correction"})))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("PAR1PAR1"))
	f.Add([]byte("\"\n\"\n"))
	head, _, _ := strings.Cut(csvOf(f), "\n")
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, data := range [][]byte{text, append([]byte(head+"\n"), text...)} {
			path := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Read(t.Context(), []string{path}, Options{Limits: Limits{Bytes: 1 << 20}, TempDir: t.TempDir()})
			if err != nil {
				if errs.KindOf(err) == errs.Internal {
					t.Fatalf("%v", err)
				}
				continue
			}
			var lines int64
			for _, p := range r.Parts {
				lines += p.Lines
			}
			if lines != r.Lines {
				t.Fatalf("%d lines of %d", lines, r.Lines)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
