package cost

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
)

const usageFile = `# what we expect
version: 0.1
resource_type_default_usage:
  aws_lambda_function:
    monthly_requests: 100_000
    request_duration_ms: 500
resource_usage:
  module.api["*"].aws_lambda_function.f:
    request_duration_ms: 250
  module.api[*].aws_lambda_function.f:
    request_duration_ms: 999
    monthly_requests: 1
  module.api["eu"].aws_lambda_function.f:
    request_duration_ms: 100.5
  aws_lambda_function.f[*]:
    monthly_requests: 1e6
  aws_s3_bucket.b:
    standard: # of one class
      storage_gb: 10
      monthly_tier_1_requests: null
  aws_nat_gateway:
    monthly_data_processed_gb: 7
  aws_instance.w:
    operating_system: windows
`

func TestUsageOfAResource(t *testing.T) {
	u, err := ReadUsage("usage.yml", []byte(usageFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		address string
		want    map[string]string
	}{
		{"aws_lambda_function.g", map[string]string{"monthly_requests": "100000", "request_duration_ms": "500"}},
		{"aws_lambda_function.f[3]", map[string]string{"monthly_requests": "1000000", "request_duration_ms": "500"}},
		{`aws_lambda_function.f["a.b"]`, map[string]string{"monthly_requests": "1000000", "request_duration_ms": "500"}},
		{`module.api["us"].aws_lambda_function.f`, map[string]string{"monthly_requests": "100000", "request_duration_ms": "250"}},
		{`module.api["eu"].aws_lambda_function.f`, map[string]string{"monthly_requests": "100000", "request_duration_ms": "100.5"}},
		{"module.api[0].aws_lambda_function.f", map[string]string{"monthly_requests": "1", "request_duration_ms": "999"}},
		{"aws_s3_bucket.b", map[string]string{"standard.storage_gb": "10"}},
		{"module.x.aws_nat_gateway.n", map[string]string{"monthly_data_processed_gb": "7"}},
		{"aws_instance.w", map[string]string{"operating_system": "windows"}},
		{"aws_instance.other", nil},
	} {
		parts := strings.Split(c.address, ".")
		typ := parts[len(parts)-2]
		if strings.Contains(c.address, `"a.b"`) {
			typ = "aws_lambda_function"
		}
		var got map[string]string
		if e := u.of(c.address, typ); e != nil {
			got = map[string]string{}
			for k, v := range e.values {
				if got[k] = v.text; v.text == "" {
					got[k] = v.number.String()
				}
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.address, d)
		}
	}
}

func TestUsageFileThatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "version: 0.1\nresource_usage:\n  a.b: [", "usage.yml:3: "},
		{"tabs", "version: 0.1\nresource_usage:\n\ta.b:\n", "usage.yml:3: "},
		{"empty", "\n", "is empty"},
		{"comments alone", "# nothing\n", "is empty"},
		{"two documents", "version: 0.1\n---\nversion: 0.1\n", "a second document"},
		{"no version", "resource_usage:\n  aws_x.y:\n    a: 1\n", "usage.yml:1: the version is missing"},
		{"another version", "version: 0.9\n", `usage.yml:1: the version of the usage file's format is "0.9"`},
		{"an unknown part", "version: 0.1\nresources:\n", `usage.yml:2: "resources" is no part`},
		{"a list", "version: 0.1\nresource_usage:\n- a\n", `usage.yml:3: resource_usage must be`},
		{"a resource that is a number", "version: 0.1\nresource_usage:\n  aws_x.y: 3\n", `usage.yml:3: "aws_x.y" must be`},
		{"negative", "version: 0.1\nresource_usage:\n  aws_x.y:\n    storage_gb: -5\n", `usage.yml:4: aws_x.y: storage_gb must be a number that is not negative, not "-5"`},
		{"a word", "version: 0.1\nresource_usage:\n  aws_x.y:\n    storage_gb: many\n", "usage.yml:4"},
		{"a list of amounts", "version: 0.1\nresource_usage:\n  aws_x.y:\n    storage_gb: [1, 2]\n", "not a list"},
		{"twice", "version: 0.1\nresource_usage:\n  aws_x.y:\n    a: 1\n  aws_x.y:\n    a: 2\n", "line 3"},
		{"an address for a type", "version: 0.1\nresource_type_default_usage:\n  aws_x.y:\n    a: 1\n", `usage.yml:3: "aws_x.y" is an address`},
		{"absurd", "version: 0.1\nresource_usage:\n  aws_x.y:\n    a: 1e999999999\n", "usage.yml:4"},
		{"not a number", "version: 0.1\nresource_usage:\n  aws_x.y:\n    a: .nan\n", "usage.yml:4"},
		{"several at once", "version: 0.1\nresource_usage:\n  aws_x.y:\n    a: x\n    b: y\n", "usage.yml:5"},
		{"too deep", "version: 0.1\nresource_usage:\n  aws_x.y:\n" + nested(20), "levels deep"},
	} {
		u, err := ReadUsage("usage.yml", []byte(c.text))
		if err == nil || u != nil {
			t.Errorf("%s: it was read", c.name)
			continue
		}
		if text := errs.Sentence(err); !strings.Contains(text, c.want) || !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %q, want %q in it", c.name, text, c.want)
		}
	}
}

func nested(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", 4+i) + "a:\n")
	}
	return b.String()
}

// A file of few bytes whose aliases say one thing a billion times is refused
// before it has grown.
func TestThreat_UsageFileOfAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 0.1\nresource_usage:\n  aws_x.y:\n    a0: &a0 {k0: 1, k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, k6: 1, k7: 1, k8: 1, k9: 1}\n")
	for i := 1; i < 8; i++ {
		name, inner := string(rune('0'+i)), string(rune('0'+i-1))
		b.WriteString("    a" + name + ": &a" + name + " {")
		for j := range 10 {
			if j > 0 {
				b.WriteString(", ")
			}
			b.WriteString("k" + string(rune('0'+j)) + ": *a" + inner)
		}
		b.WriteString("}\n")
	}
	if _, err := ReadUsage("usage.yml", []byte(b.String())); err == nil {
		t.Error("it was read")
	}
	if _, err := ReadUsage("usage.yml", make([]byte, maxUsageFile+1)); err == nil {
		t.Error("a file of more than 4 MB was read")
	}
}

func TestBaselineAndUsageApart(t *testing.T) {
	p := planOf(t, virginia,
		change{address: "aws_nat_gateway.a", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_nat_gateway.b", actions: "no-op", before: object{}, after: object{}, conf: object{}},
		change{address: "aws_s3_bucket.c", actions: "delete", before: object{}, conf: object{}},
	)
	u, err := ReadUsage("usage.yml", []byte("version: 0.1\nresource_usage:\n  aws_nat_gateway.*:\n    monthly_data_processed_gb: 100\n  aws_s3_bucket.c:\n    standard:\n      storage_gb: 1000\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := catalog(t).Estimate(p, Options{Usage: u})
	if err != nil {
		t.Fatal(err)
	}
	check(t, e)
	// Before: 730 × 0.045 + 100 × 0.045 and 1000 × 0.023; after, twice the first.
	if e.Before.String() != "60.35" || e.After.String() != "74.7" || e.ByUse.Before.String() != "27.5" || e.ByUse.After.String() != "9" || e.ByUse.Delta.String() != "-18.5" {
		t.Errorf("before %s, after %s, by use %+v", e.Before, e.After, e.ByUse)
	}
	if b := e.Baseline(); b.Before.String() != "32.85" || b.After.String() != "65.7" || b.Delta.String() != "32.85" {
		t.Errorf("baseline %+v", b)
	}
	if c := e.Resources[0].Components; len(c) != 2 || c[0].ByUse || !c[1].ByUse {
		t.Errorf("%+v", c)
	}
	// The same plan without the file has the baseline alone, and says what else
	// is paid.
	plain := estimate(t, p)
	if plain.ByUse != nil || plain.After.String() != "65.7" || len(plain.Resources[0].Usage) != 1 {
		t.Errorf("%+v", plain)
	}
}

func TestUsageThatNothingReads(t *testing.T) {
	p := planOf(t, virginia, change{address: "aws_nat_gateway.a", actions: "create", after: object{}, conf: object{}})
	u, err := ReadUsage("usage.yml", []byte("version: 0.1\nresource_usage:\n  aws_nat_gateway.a:\n    monthly_data_procesed_gb: 100\n  aws_nat_gateway.b:\n    monthly_data_processed_gb: 100\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := catalog(t).Estimate(p, Options{Usage: u})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"usage.yml:4: aws_nat_gateway.a: nothing is priced by monthly_data_procesed_gb",
		"usage.yml:5: the plan has no aws_nat_gateway.b",
	}
	if d := cmp.Diff(want, e.UsageUnread); d != "" {
		t.Error(d)
	}
}

// An amount that nothing is priced by may cost: the resource is not wholly
// priced, and the total reads "at least". Where it stays the same, it cancels.
func TestUsageWithoutAPrice(t *testing.T) {
	u, err := ReadUsage("usage.yml", []byte("version: 0.1\nresource_type_default_usage:\n  aws_s3_bucket:\n    standard:\n      storage_gb: 10\n    glacier_deep_archive:\n      storage_gb: 1000\n      early_delete_gb: 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		actions string
		bound   Bound
	}{{"create", BoundAtLeast}, {"update", BoundExact}} {
		ch := change{address: "aws_s3_bucket.b", actions: c.actions, after: object{"bucket": "b", "tags": object{"a": "b"}}, conf: object{}}
		if c.actions == "update" {
			ch.before = object{"bucket": "b"}
		}
		e, err := catalog(t).Estimate(planOf(t, virginia, ch), Options{Usage: u})
		if err != nil {
			t.Fatal(err)
		}
		check(t, e)
		r := only(t, e)
		if r.Status != StatusPartial || r.After.String() != "0.23" || e.Bound != c.bound || !e.AtLeast || !strings.Contains(r.Note, "glacier_deep_archive.storage_gb") || strings.Contains(r.Note, "early_delete") {
			t.Errorf("%s: %s, %+v", c.actions, e.Bound, r)
		}
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a.b[*]", "a.b[0]", true},
		{"a.b[*]", "a.b", false},
		{`module.m["*"].a.b`, `module.m["x"].a.b`, true},
		{`module.m["*"].a.b`, `module.m[0].a.b`, false},
		{"*", "anything", true},
		{"a*a", "a", false},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "acb", false},
	} {
		if got := fits(c.pattern, c.text); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.text, got)
		}
	}
}

// Whatever a file is, reading it ends, and what is read can be asked.
func FuzzReadUsage(f *testing.F) {
	f.Add([]byte(usageFile))
	f.Add([]byte("version: 0.1\nresource_usage: &a\n  aws_x.y: *a\n"))
	f.Add([]byte("version: 0.1\nresource_usage:\n  ? [a]\n  : b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := ReadUsage("usage.yml", data)
		if (err == nil) != (u != nil) {
			t.Fatal(u, err)
		}
		if e := u.of(`module.a["x"].aws_s3_bucket.b[0]`, "aws_s3_bucket"); e != nil {
			for _, v := range e.values {
				if v.number.IsNegative() {
					t.Fatal(v)
				}
			}
		}
	})
}
