package cost

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/shopspring/decimal"
)

// example is a resource as a plan creates it, what the usage file says of it,
// and its month's cost as a sum written out: the test works the sum out by
// itself.
type example struct {
	typ, name string
	after     object
	usage     string // lines of the usage file
	status    Status
	how       string // of what is priced; "" for nothing
	others    []change
	conf      object
}

// work works a sum out: numbers, + - × /, and brackets.
func work(t testing.TB, sum string) decimal.Decimal {
	t.Helper()
	if sum == "" {
		return decimal.Zero
	}
	rest := []rune(strings.ReplaceAll(sum, " ", ""))
	next := func() rune {
		if len(rest) == 0 {
			return 0
		}
		return rest[0]
	}
	var add func() decimal.Decimal
	factor := func() decimal.Decimal {
		if next() == '(' {
			rest = rest[1:]
			d := add()
			if next() != ')' {
				t.Fatalf("no closing bracket in %q", sum)
			}
			rest = rest[1:]
			return d
		}
		var digits []rune
		for unicode.IsDigit(next()) || next() == '.' {
			digits, rest = append(digits, next()), rest[1:]
		}
		d, err := decimal.NewFromString(string(digits))
		if err != nil {
			t.Fatalf("%q: a number is missing before %q", sum, string(rest))
		}
		return d
	}
	mul := func() decimal.Decimal {
		d := factor()
		for next() == '×' || next() == '/' {
			op := next()
			rest = rest[1:]
			if op == '×' {
				d = d.Mul(factor())
			} else {
				d = d.Div(factor())
			}
		}
		return d
	}
	add = func() decimal.Decimal {
		d := mul()
		for next() == '+' || next() == '-' {
			op := next()
			rest = rest[1:]
			if op == '+' {
				d = d.Add(mul())
			} else {
				d = d.Sub(mul())
			}
		}
		return d
	}
	d := add()
	if len(rest) > 0 {
		t.Fatalf("%q: can't read from %q", sum, string(rest))
	}
	return d
}

// usageOf makes a usage file of lines for one address.
func usageOf(t testing.TB, address, lines string) *Usage {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "version: 0.1\nresource_usage:\n  %s:\n", address)
	for line := range strings.Lines(lines) {
		b.WriteString("    " + strings.TrimSuffix(line, "\n") + "\n")
	}
	u, err := ReadUsage("usage.yml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (x example) changes(actions string) []change {
	c := change{address: x.typ + ".x", actions: actions, conf: x.conf}
	if c.conf == nil {
		c.conf = object{}
	}
	if actions != "delete" {
		c.after = x.after
	}
	if actions != "create" {
		c.before = x.after
	}
	return append([]change{c}, x.others...)
}

func TestExamples(t *testing.T) {
	for _, x := range examples() {
		t.Run(x.typ+"/"+x.name, func(t *testing.T) {
			opts := Options{}
			if x.usage != "" {
				opts.Usage = usageOf(t, x.typ+".x", x.usage)
			}
			run := func(actions string) (Estimate, ResourceCost) {
				e, err := catalog(t).Estimate(planOf(t, virginia, x.changes(actions)...), opts)
				if err != nil {
					t.Fatal(err)
				}
				check(t, e)
				for _, r := range e.Resources {
					if r.Address == x.typ+".x" {
						return e, r
					}
				}
				return e, ResourceCost{Status: StatusFree, Before: &decimal.Zero, After: &decimal.Zero}
			}
			want := work(t, x.how)
			e, r := run("create")
			got := decimal.Zero
			if r.After != nil {
				got = *r.After
			}
			if r.Status != x.status || !near(got, want) {
				t.Fatalf("%s, %s; want %s, %s = %s\n%+v", r.Status, got, x.status, want, x.how, r)
			}
			if len(e.UsageUnread) > 0 {
				t.Errorf("of the usage file was not used: %v", e.UsageUnread)
			}
			if (x.usage != "") != (e.ByUse != nil) {
				t.Errorf("by use: %+v", e.ByUse)
			}
			if len(x.others) > 0 {
				return
			}
			if _, gone := run("delete"); !want.IsZero() && (gone.Before == nil || !near(*gone.Before, want)) {
				t.Errorf("deleted, it cost %v before", gone.Before)
			}
			if same, _ := run("no-op"); !same.Delta.IsZero() || same.Bound != BoundExact {
				t.Errorf("unchanged: delta %s, %s", same.Delta, same.Bound)
			}
		})
	}
}

// near compares sums of which one may have a thirtieth of something in it.
func near(a, b decimal.Decimal) bool {
	return a.Sub(b).Abs().LessThan(decimal.New(1, -12))
}

func examples() []example {
	var all []example
	for _, l := range [][]example{awsExamples, azureExamples, googleExamples} {
		all = append(all, l...)
	}
	return all
}

// Every type that is priced, by code or by its meters, has an example.
func TestEveryTypeHasAnExample(t *testing.T) {
	has := map[string]bool{}
	for _, w := range worked {
		has[w.typ] = true
	}
	for _, x := range examples() {
		has[x.typ] = true
	}
	for _, other := range []string{"aws_autoscaling_group", "google_compute_instance_group_manager", "google_compute_region_instance_group_manager"} {
		has[other] = true // config_test.go, joins_test.go
	}
	types := map[string]bool{}
	for typ := range pricers {
		types[typ] = true
	}
	for typ := range metered {
		types[typ] = true
	}
	count := map[string]int{}
	for typ := range types {
		cloud, _, _ := strings.Cut(typ, "_")
		count[cloud]++
		if !has[typ] {
			t.Errorf("%s has no worked example", typ)
		}
	}
	if count["aws"] < 60 || count["azurerm"] < 45 || count["google"] < 35 {
		t.Errorf("types that are priced: %v", count)
	}
}
