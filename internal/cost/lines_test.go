package cost

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// Two sides of a bill set beside each other: what is new, what goes, what
// becomes another, what stays; and together they are the difference.
func TestLines(t *testing.T) {
	e := estimate(t, planOf(t, virginia, change{
		address: "aws_instance.a", actions: "update", conf: object{},
		before: object{"instance_type": "m5.large", "monitoring": true, "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 20}}, "ebs_block_device": []any{object{"volume_type": "gp3", "volume_size": 10}}},
		after:  object{"instance_type": "m5.xlarge", "associate_public_ip_address": true, "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 20}}, "ebs_block_device": []any{object{"volume_type": "gp3", "volume_size": 10}, object{"volume_type": "gp3", "volume_size": 5}}},
	}))
	var got []string
	for _, l := range e.Resources[0].Lines() {
		got = append(got, l.Sign+" "+l.Shown().Name)
	}
	want := "~ Instance, + Public IPv4 address, = Root volume, = Volume, + Volume, - Detailed monitoring"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%s\n%s is wanted", s, want)
	}
}

// Whatever changes, the lines' differences make up the resource's, and a
// resource that changes nothing about what it costs has none that is not equal.
func TestLinesMakeUpTheDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	all := examples()
	for range 300 {
		a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		if a.typ != b.typ || len(a.others)+len(b.others) > 0 {
			continue
		}
		for _, c := range []change{
			{address: a.typ + ".x", actions: "update", before: a.after, after: b.after, conf: object{}},
			{address: a.typ + ".x", actions: "create", after: a.after, conf: object{}},
			{address: a.typ + ".x", actions: "delete", before: a.after, conf: object{}},
			{address: a.typ + ".x", actions: "no-op", before: a.after, after: a.after, conf: object{}},
		} {
			for _, r := range estimate(t, planOf(t, virginia, c)).Resources {
				var sum decimal.Decimal
				stays := true
				for _, l := range r.Lines() {
					sum = sum.Add(l.Delta)
					stays = stays && l.Sign == "="
				}
				if r.Delta != nil && !sum.Equal(*r.Delta) {
					t.Errorf("%s of %s: the lines make %s, the resource %s", c.actions, a.typ, sum, r.Delta)
				}
				if c.actions == "no-op" && (!stays || r.Changes() || r.Sign() != "=") {
					t.Errorf("%s stays and has %+v", a.typ, r.Lines())
				}
			}
		}
	}
}

// A chart has few rows of one width, bars as long as what they stand for, and
// what is not nothing can be seen.
func TestChart(t *testing.T) {
	d := decimal.RequireFromString
	list := []ServiceAmount{
		{Cloud: "aws", Label: "EC2", Before: d("50"), After: d("100")},
		{Cloud: "aws", Label: "RDS", Before: d("75"), After: d("75")},
		{Cloud: "aws", Label: "SQS", Before: d("0"), After: d("0.01")},
		{Cloud: "aws", Label: "KMS"},
	}
	want := "EC2  before  ░░░░░░░░░░░░░░░░                   $50.00\n" +
		"     after   ████████████████████████████████  $100.00\n" +
		"RDS          ████████████████████████           $75.00\n" +
		"SQS  before                                      $0.00\n" +
		"     after   ▏                                   $0.01\n"
	if got := Chart(list, "USD"); got != want {
		t.Errorf("\n%s", got)
	}
	if got := Chart(nil, "USD") + Chart([]ServiceAmount{{Label: "KMS"}}, "USD"); got != "" {
		t.Errorf("a chart of nothing: %s", got)
	}
	var many []ServiceAmount
	for i := range 40 {
		many = append(many, ServiceAmount{Cloud: []string{"aws", "gcp"}[i%2], Label: strings.Repeat("x", i%7+1), Before: d("1"), After: decimal.NewFromInt(int64(i + 2))})
	}
	if got := Chart([]ServiceAmount{{Label: "KMS", After: d("1")}, {Label: "SQS", After: d("0.5")}}, "USD"); got != "KMS  ████████████████████████████████  $1.00\nSQS  ████████████████                  $0.50\n" {
		t.Errorf("what is all new:\n%s", got)
	}
	rows := strings.Split(strings.TrimSpace(Chart(many, "EUR")), "\n")
	if len(rows) != 2*(chartRows+1) || !strings.HasPrefix(rows[0], "Google ") || !strings.Contains(rows[2*chartRows], "other (32)") {
		t.Errorf("%d rows:\n%s", len(rows), strings.Join(rows, "\n"))
	}
	for _, r := range rows {
		if n := utf8.RuneCountInString(r); n != utf8.RuneCountInString(rows[0]) {
			t.Errorf("a row of %d characters: %s", n, r)
		}
	}
}

func TestQuantityAndUnitPrice(t *testing.T) {
	for _, tt := range []struct{ n, unit, want string }{
		{"730", "hour", "730 hours"}, {"1", "month", "1 month"}, {"20", "GB-month", "20 GB-months"}, {"3000", "GB", "3000 GB"}, {"0.5", "1M requests", "0.5 1M requests"}, {"2", "", "2"}, {"0.33333333", "day", "0.3333 days"},
	} {
		if got := Quantity(decimal.RequireFromString(tt.n), tt.unit); got != tt.want {
			t.Errorf("%q, and %q is wanted", got, tt.want)
		}
	}
	if got := UnitPrice(decimal.RequireFromString("0.0000002"), "USD") + " " + UnitPrice(decimal.RequireFromString("0.123456789012345678"), "EUR"); got != "$0.0000002 EUR 0.123456789012" {
		t.Error(got)
	}
}
