package infracost_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func fixture(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/breakdown.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, data []byte) infracost.Root {
	t.Helper()
	root, err := infracost.Read("base.json", data)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t testing.TB, root infracost.Root) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := root.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decimals(t testing.TB, text string) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWrittenAsRead: a file is written again as it was, in every digit, null
// and name that it has.
func TestWrittenAsRead(t *testing.T) {
	data := fixture(t)
	var was, is any
	if err := json.Unmarshal(data, &was); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(write(t, read(t, data)), &is); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("written is not what was read:\n%s", diff)
	}
}

// TestEstimateOfFile: what the file does not know stays unknown, though the
// format writes a price that was not found as zero.
func TestEstimateOfFile(t *testing.T) {
	root := read(t, fixture(t))
	e := root.Estimate(root.Projects[0])
	for name, pair := range map[string][2]decimal.Decimal{
		"before": {e.Before, decimals(t, "38.01")}, "after": {e.After, decimals(t, "88.378")}, "delta": {e.Delta, decimals(t, "50.368")},
		"by use": {e.ByUse.After, decimals(t, "20")},
	} {
		if !pair[0].Equal(pair[1]) {
			t.Errorf("%s is %s, want %s", name, pair[0], pair[1])
		}
	}
	want := cost.Counts{Priced: 1, Free: 3, Usage: 2, NotPriced: 2, Total: 8, NoPrice: 1, Unsupported: 1}
	if e.Counts != want || !e.AtLeast || e.Bound != cost.BoundPartial || e.Hours != 730 || e.Currency != "USD" || e.AsOf != "2026-05-04" {
		t.Errorf("%+v, at least %v, %s, %d hours, %s as of %s", e.Counts, e.AtLeast, e.Bound, e.Hours, e.Currency, e.AsOf)
	}
	by := map[string]cost.ResourceCost{}
	for _, r := range e.Resources {
		by[r.Address] = r
	}
	if r := by["aws_instance.rare"]; r.After != nil || r.Delta != nil || r.Status != cost.StatusNoPrice || !strings.Contains(r.Note, "no price for Instance usage") {
		t.Errorf("a price that was not found: %+v", r)
	}
	if r := by["aws_sqs_queue.jobs"]; r.Status != cost.StatusUsage || len(r.Components) != 0 || len(r.Usage) != 1 {
		t.Errorf("what nobody says the use of: %+v", r)
	}
	if r := by["1 × aws_braket_device"]; r.Status != cost.StatusUnsupported || r.After != nil {
		t.Errorf("an unsupported one: %+v", r)
	}
	web := by["aws_instance.web"]
	if web.Action != tfplan.ActionUpdate || len(web.Components) != 2 || len(web.Was) != 2 || !web.Delta.Equal(decimals(t, "30.368")) {
		t.Errorf("one that changes: %+v", web)
	}
	if c := web.Components[1]; c.Name != "root_block_device: Storage" || c.Detail != "general purpose SSD, gp2" || c.Unit != "GB" || c.Source != "Infracost" {
		t.Errorf("a part of one: %+v", c)
	}
}

// TestReadRefuses: each error says the line, and what is wrong there.
func TestReadRefuses(t *testing.T) {
	data := string(fixture(t))
	line := func(text string) int { return 1 + strings.Count(data[:strings.Index(data, text)], "\n") }
	change := func(old, new string) string {
		if !strings.Contains(data, old) {
			t.Fatalf("the fixture has no %s", old)
		}
		return strings.Replace(data, old, new, 1)
	}
	for name, tc := range map[string]struct {
		text string
		line int
		want string
	}{
		"nothing":               {" \n", 0, "base.json is empty"},
		"cut off":               {data[:len(data)/2], strings.Count(data[:len(data)/2], "\n") + 1, "cut off"},
		"no JSON":               {"{\n\"version\": nope}", 2, "no JSON"},
		"something behind":      {strings.TrimSpace(data) + "\n{}", strings.Count(data, "\n") + 1, "follows"},
		"something else":        {`{"hello": 1}`, 0, "no JSON of Infracost's"},
		"another version":       {change(`"version": "0.2"`, `"version": "0.1"`), 2, `version is "0.1"`},
		"a list for an object":  {change(`"diff": {`, `"diff": [], "x": {`), line(`"diff": {`), "projects.diff is an array"},
		"an amount in words":    {change(`"0.0416"`, `"cheap"`), line(`"0.0416"`), "is no amount"},
		"an amount of digits":   {change(`"0.0416"`, `"1e999999999"`), line(`"0.0416"`), "is no amount"},
		"a total that is wrong": {change(`"totalMonthlyCost": "88.378"`, `"totalMonthlyCost": "12"`), line(`"acme/infra/plan.json"`), "its resources cost 88.378 together"},
		"a sum that is wrong":   {change(`"monthlyCost": "68.378"`, `"monthlyCost": "99"`), line(`"aws_instance.web"`), "its parts cost 68.378 together"},
		"no name":               {change(`"name": "aws_instance.web"`, `"name": ""`), 0, "has no name"},
		"a strange currency":    {change(`"currency": "USD"`, `"currency": "dollars"`), line(`"currency"`), "no currency"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := infracost.Read("base.json", []byte(tc.text))
			text := errs.Sentence(err)
			if !errs.Is(err, errs.Invalid) || !strings.Contains(text, tc.want) {
				t.Fatalf("got %v, want one that says %q", err, tc.want)
			}
			if at := "base.json:" + decimal.NewFromInt(int64(tc.line)).String() + ":"; tc.line > 0 && !strings.HasPrefix(text, at) {
				t.Errorf("%q does not begin with %s", text, at)
			}
		})
	}
}

// TestCompare: another file's figures are the past, and totals follow.
func TestCompare(t *testing.T) {
	older, now := read(t, fixture(t)), read(t, fixture(t))
	now.Projects[0].Breakdown.Resources = now.Projects[0].Breakdown.Resources[:1] // the web server alone is left
	got, err := now.Compare(older)
	if err != nil {
		t.Fatal(err)
	}
	readFormat(t).check(t, write(t, got))
	if got.PastTotalMonthlyCost.String() != "88.378" || got.TotalMonthlyCost.String() != "68.378" || got.DiffTotalMonthlyCost.String() != "-20" {
		t.Errorf("%s, %s and %s", got.PastTotalMonthlyCost, got.TotalMonthlyCost, got.DiffTotalMonthlyCost)
	}
	older.Projects = append(older.Projects, read(t, fixture(t)).Projects...)
	older.Projects[0].Name, older.Projects[1].Name = "other", "third"
	if got, err = now.Compare(older); err != nil {
		t.Fatal(err)
	}
	if len(got.Projects) != 3 || got.DiffTotalMonthlyCost.String() != "-108.378" { // 68.378 new, twice 88.378 gone
		t.Errorf("%d projects, %s", len(got.Projects), got.DiffTotalMonthlyCost)
	}
	older.Currency = "EUR"
	if _, err := now.Compare(older); !errs.Is(err, errs.Invalid) {
		t.Errorf("another currency: %v", err)
	}
}

// TestServicesOfWhatCannotBeCompared: a resource of which one side can't be
// priced is in no total, and so in no service's.
func TestServicesOfWhatCannotBeCompared(t *testing.T) {
	side := func(last string) string {
		return `{"resources": [{"name": "aws_instance.a", "metadata": {}, "costComponents": [
			{"name": "Instance usage", "unit": "hours", "monthlyQuantity": "730", "price": "0.1", "monthlyCost": "73"}` + last + `]}], "totalMonthlyCost": null}`
	}
	root := read(t, []byte(`{"version": "0.2", "currency": "USD", "projects": [{"name": "p", "metadata": {}, "pastBreakdown": `+side("")+`,
		"breakdown": `+side(`, {"name": "root volume", "unit": "GB", "monthlyQuantity": "8", "price": "0", "monthlyCost": "0", "priceNotFound": true}`)+`}]}`))
	e := root.Estimate(root.Projects[0])
	if e.Bound != cost.BoundPartial || !e.Before.IsZero() || !e.After.IsZero() {
		t.Fatalf("%+v", e)
	}
	if all := e.ByService(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
