package sarif_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/sarif"
)

func read(t *testing.T, name string) sarif.Log {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := sarif.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// The files are written by hand in the shapes of the tools' own.
func TestReadWhatToolsWrite(t *testing.T) {
	for name, want := range map[string]sarif.Log{
		"trivy.sarif": {Results: []sarif.Result{
			{Tool: "trivy", Rule: "AVD-AWS-0086", Title: "S3 Access block should block public ACL", Message: "No public access block so not blocking public acls",
				URL: "https://avd.aquasec.com/misconfig/avd-aws-0086", Level: sarif.LevelError, Severity: policy.High, Path: "/work/tree/live/main.tf", Given: "main.tf", Line: 3, EndLine: 5},
			{Tool: "trivy", Rule: "AVD-AWS-0089", Title: "S3 Bucket Logging", Message: "Bucket has logging disabled",
				URL: "https://avd.aquasec.com/misconfig/s3-bucket-logging", Level: sarif.LevelNote, Severity: policy.Low, Path: "/work/tree/live/main.tf", Given: "main.tf", Line: 3, EndLine: 5},
		}},
		"checkov.sarif": {Results: []sarif.Result{
			{Tool: "checkov", Rule: "CKV_AWS_20", Title: "S3 Bucket has an ACL defined which allows public READ access.", Message: "S3 Bucket has an ACL defined which allows public READ access.",
				URL: "https://docs.prismacloud.io/en/s3-1", Level: sarif.LevelError, Severity: policy.High, Path: "live/main.tf", Given: "live/main.tf", Line: 3, EndLine: 6},
			{Tool: "checkov", Rule: "CKV_AWS_18", Title: "Ensure the S3 bucket has access logging enabled", Message: "Ensure the S3 bucket has access logging enabled",
				Level: sarif.LevelWarning, Severity: policy.Medium, Path: "live/main.tf", Given: "live/main.tf", Line: 3, EndLine: 6, Suppressed: true, Why: "logs are kept elsewhere"},
		}},
		"tflint.sarif": {Results: []sarif.Result{
			{Tool: "tflint", Rule: "terraform_unused_declarations", Title: "terraform_unused_declarations", Message: `variable "region" is declared but not used`,
				URL: "https://github.com/terraform-linters/tflint-ruleset-terraform/blob/v0.10.0/docs/rules/terraform_unused_declarations.md", Level: sarif.LevelWarning, Severity: policy.Medium,
				Path: "variables.tf", Given: "variables.tf", Line: 1, EndLine: 1},
			{Tool: "tflint-errors", Rule: "application_error", Title: "application_error", Message: "Failed to load configurations", Level: sarif.LevelError, Severity: policy.High},
		}},
		"shapes.sarif": {
			Results: []sarif.Result{
				{Tool: "a-tool-1", Rule: "R2", Title: "Second", Message: `bucket "logs" is wrong {1}`, Level: sarif.LevelNote, Severity: policy.Critical, Path: "/src/mod dir/a.tf", Given: "a.tf", Line: 7, EndLine: 7},
				{Tool: "a-tool-1", Rule: "EXT1", Title: "In an extension", Message: "by index", Level: sarif.LevelWarning, Severity: policy.Medium, Path: "/src/b.tf", Given: "/src/b.tf"},
				{Tool: "a-tool-1", Rule: "R1/7", Title: "First", Message: "from all", Level: sarif.LevelError, Severity: policy.High, Logical: "aws_s3_bucket.logs"},
				{Tool: "a-tool-1", Rule: "no_such_rule", Title: "no_such_rule", Message: "a level of its own", Level: sarif.LevelWarning, Severity: policy.Medium},
			},
			Trouble: []string{"a-tool-1 says that it could not do its work: it fell over", "half tells no results"},
		},
	} {
		if diff := cmp.Diff(want, read(t, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestThreat_ReadRefusesWhatIsNoSARIF(t *testing.T) {
	many := func(n int) string { return strings.Repeat("{},", n-1) + "{}" }
	result := func(r string) string { return `{"version":"2.1.0","runs":[{"results":[` + r + `]}]}` }
	for name, c := range map[string]struct{ text, want string }{
		"empty":                   {"", "it is no SARIF: unexpected end of JSON input"},
		"half":                    {`{"version":"2.1.0","runs":[{"results":[{"ruleId":"a"`, "it is no SARIF"},
		"a list":                  {`[]`, "it is no SARIF"},
		"another object":          {`{}`, "it has no version or no runs"},
		"no runs":                 {`{"version":"2.1.0"}`, "it has no version or no runs"},
		"null runs":               {`{"version":"2.1.0","runs":null}`, "it has no version or no runs"},
		"an empty list":           {`{"version":"2.1.0","runs":[]}`, "no scanner has looked"},
		"older":                   {`{"version":"2.0.0","runs":[{}]}`, `its version of SARIF is "2.0.0"`},
		"types":                   {result(`{"ruleId": 5}`), "it is no SARIF: "},
		"results no list":         {`{"version":"2.1.0","runs":[{"results":{}}]}`, "there is no list where one belongs"},
		"a million results":       {result(many(1_000_000)), "it has more than 20000 results"},
		"two runs of many":        {`{"version":"2.1.0","runs":[{"results":[` + many(15_000) + `]},{"results":[` + many(15_000) + `]}]}`, "it has more than 20000 results"},
		"a million rules":         {`{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[` + many(1_000_000) + `]}},"results":[]}]}`, "it has more than 20000 results, or another list in it is too long"},
		"many runs":               {`{"version":"2.1.0","runs":[` + many(1000) + `]}`, "too long"},
		"deep":                    {result(strings.Repeat("[", 100_000)), "it is nested too deeply"},
		"deep in what is skipped": {result(`{"x":` + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000) + "}"), "it is nested too deeply"},
		"huge":                    {result(`{"message":{"text":"` + strings.Repeat("x", sarif.MaxBytes) + `"}}`), "it is longer than 16 MB"},
	} {
		_, err := sarif.Read(strings.NewReader(c.text))
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// A byte order mark is what some tools begin with.
	if _, err := sarif.Read(strings.NewReader("\xef\xbb\xbf" + result("{}"))); err != nil {
		t.Error(err)
	}
}

// Each of these is small and could take long, or grow.
func TestThreat_ReadIsBounded(t *testing.T) {
	arguments := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("y", 10_000)+`",`, 100), ",")
	locations := strings.TrimSuffix(strings.Repeat("{},", 1_000_000), ",")
	var bases strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&bases, `"b%d":{"uri":"a/","uriBaseId":"b%d"},`, i, (i+1)%1000)
	}
	var rules, results strings.Builder
	for i := range 19_999 {
		fmt.Fprintf(&rules, `{"id":"rule-%d"},`, i)
		fmt.Fprintf(&results, `{"ruleId":"other-%d/x"},`, i)
	}
	for name, text := range map[string]string{
		"arguments": `{"message":{"text":"` + strings.Repeat("{0}{1}", 3000) + `","arguments":[` + arguments + `]}}`,
		"locations": `{"locations":[` + locations + `]}`,
		"braces":    `{"message":{"text":"` + strings.Repeat("{", 1_000_000) + `","arguments":["a"]}}`,
		"rules":     results.String() + "{}",
		"a circle":  `{"locations":[{"physicalLocation":{"artifactLocation":{"uri":"x.tf","uriBaseId":"b0"}}}]}`,
	} {
		log, err := sarif.Read(strings.NewReader(`{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[` + rules.String() + `{}]}},"originalUriBaseIds":{` + bases.String() + `"z":{}},"results":[` + text + `]}]}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, r := range log.Results {
			if len(r.Message) > 20_000 || len(r.Path) > 200 {
				t.Errorf("%s: a message of %d and a path of %d bytes", name, len(r.Message), len(r.Path))
			}
		}
	}
}

func TestFindings(t *testing.T) {
	log := sarif.Log{Results: []sarif.Result{
		{Tool: "trivy", Rule: "A", Title: "Title", Message: "an\nerror", Level: sarif.LevelError, Severity: policy.High, Path: "main.tf", Line: 3, EndLine: 4, URL: "https://example.com/a"},
		{Tool: "trivy", Rule: "B", Title: "Title", Message: "a warning", Level: sarif.LevelWarning, Severity: policy.Medium, Path: "gone.tf", Line: 3, EndLine: 4},
		{Tool: "trivy", Rule: "C", Message: "a note", Level: sarif.LevelNote},
		{Tool: "trivy", Rule: "D", Level: sarif.LevelError, Suppressed: true, Why: "says\nthe code"},
		{Tool: "trivy", Level: sarif.LevelNote},
	}}
	place := func(r sarif.Result) sarif.Place {
		if r.Path == "main.tf" {
			return sarif.Place{File: "live/main.tf", Address: "a.b"}
		}
		return sarif.Place{}
	}
	levels := func(how sarif.Reading) (out []string) {
		how.Place = place
		for _, f := range sarif.Findings(log, how) {
			out = append(out, f.Rule+"="+string(f.Level))
		}
		return out
	}
	for _, c := range []struct {
		how  sarif.Reading
		want []string
	}{
		{sarif.Reading{}, []string{"trivy.A=mandatory", "trivy.B=advisory", "trivy.D=advisory"}},
		{sarif.Reading{Levels: sarif.Levels{sarif.LevelError: policy.Off, sarif.LevelNote: policy.Hard}}, []string{"trivy.B=advisory", "trivy.C=hard", "trivy=hard"}},
		{sarif.Reading{Raise: func(rule string) policy.Level {
			return map[string]policy.Level{"trivy.A": policy.Advisory, "trivy.B": policy.Hard, "trivy.C": policy.Advisory}[rule]
		}}, []string{"trivy.A=mandatory", "trivy.B=hard", "trivy.C=advisory", "trivy.D=advisory"}},
	} {
		if diff := cmp.Diff(c.want, levels(c.how)); diff != "" {
			t.Errorf("%+v: %s", c.how.Levels, diff)
		}
	}
	got := sarif.Findings(log, sarif.Reading{Place: place})
	want := policy.Finding{Rule: "trivy.A", Source: "trivy", Title: "Title", Severity: policy.High, Level: policy.Mandatory, Address: "a.b", Message: "an error",
		URL: "https://example.com/a", File: "live/main.tf", Line: 3, EndLine: 4}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	if got[1].File != "" || got[1].Line != 0 {
		t.Errorf("a file that the commit does not have: %+v", got[1])
	}
	if got[2].Message != "trivy.D (the code asks to overlook it: says the code)" {
		t.Errorf("%q", got[2].Message)
	}
}
