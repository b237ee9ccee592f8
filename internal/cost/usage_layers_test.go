package cost

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func layer(t testing.TB, name, text string) *Usage {
	t.Helper()
	u, err := ReadUsage(name, []byte("version: 0.1\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// What a project says of a resource goes before what the repository says, that
// before the client's, that before the server's: amount by amount.
func TestUsageLayers(t *testing.T) {
	server := layer(t, "server.yml", "resource_type_default_usage:\n  aws_lambda_function: {monthly_requests: 1000000, request_duration_ms: 100}\n  aws_sqs_queue: {monthly_requests: 7}\n").Default()
	client := layer(t, "acme.yml", "resource_type_default_usage:\n  aws_lambda_function: {monthly_requests: 2000000}\n").Default()
	repo := layer(t, "infracost-usage.yml", "resource_usage:\n  aws_lambda_function.a: {monthly_requests: 3000000}\n  aws_lambda_function.elsewhere: {monthly_requests: 9}\n  aws_lambda_function.typo: {montly_requests: 9}\n").Shared()
	project := layer(t, "app/infracost-usage.yml", "resource_usage:\n  aws_lambda_function.b[*]: {monthly_requests: 4000000}\n  aws_lambda_function.gone: {monthly_requests: 9}\n")
	u := project.Over(repo).Over(client).Over(server)
	for _, c := range []struct{ address, requests string }{
		{"aws_lambda_function.a", "3000000"}, {"aws_lambda_function.b[0]", "4000000"}, {"aws_lambda_function.c", "2000000"},
	} {
		e := u.of(c.address, "aws_lambda_function")
		if got := e.values["monthly_requests"].number.String(); got != c.requests {
			t.Errorf("%s: %s requests, want %s", c.address, got, c.requests)
		}
		if got := e.values["request_duration_ms"].number.String(); got != "100" {
			t.Errorf("%s: %s ms, want the server's 100", c.address, got)
		}
	}
	if got := u.of("aws_sqs_queue.q", "aws_sqs_queue").values["monthly_requests"].number.String(); got != "7" {
		t.Error(got)
	}
	if client.under != nil || project.under != nil || server.Over(nil) != server || (*Usage)(nil).Over(server) != server {
		t.Error("the parts are changed by their sum")
	}
	fn := object{"memory_size": 128, "runtime": "go"}
	var cs []change
	for _, a := range []string{"a", "b[0]", "typo"} {
		cs = append(cs, change{address: "aws_lambda_function." + a, typ: "aws_lambda_function", actions: "create", after: fn, conf: object{}})
	}
	e := under(t, planOf(t, virginia, cs...), Options{Usage: u})
	want := []string{
		"app/infracost-usage.yml:5: the plan has no aws_lambda_function.gone", // its own file alone tells what is missing
		"infracost-usage.yml:5: aws_lambda_function.typo: nothing is priced by montly_requests",
	}
	want[0] = strings.Replace(want[0], ":5:", ":4:", 1)
	if !slices.Equal(e.UsageUnread, want) {
		t.Errorf("%q, want %q", e.UsageUnread, want)
	}
}

func TestReadUsageFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "u.yml")
	if err := os.WriteFile(name, []byte("version: 0.1\nresource_usage:\n  aws_sqs_queue.q: {monthly_requests: -1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadUsageFile(name); err == nil || !strings.Contains(err.Error(), name+":3: ") {
		t.Errorf("%v", err)
	}
	if _, err := ReadUsageFile(filepath.Join(dir, "none.yml")); err == nil {
		t.Error("a file that is not there is read")
	}
	if err := os.WriteFile(name, []byte(strings.Repeat("#", maxUsageFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadUsageFile(name); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
}

// Addresses with a star are held against every resource: their number is
// bounded, and as many as that take a moment.
func TestThreat_UsageFileOfStars(t *testing.T) {
	lines := func(n int) string {
		var b strings.Builder
		b.WriteString("version: 0.1\nresource_usage:\n")
		for i := range n {
			fmt.Fprintf(&b, "  module.*.aws_sqs_queue.*q%d*: {monthly_requests: 1}\n", i)
		}
		return b.String()
	}
	if _, err := ReadUsage("u.yml", []byte(lines(maxUsageStars+1))); err == nil || !strings.Contains(err.Error(), "u.yml:1003: ") {
		t.Errorf("%v", err)
	}
	u, err := ReadUsage("u.yml", []byte(lines(maxUsageStars)))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for i := range 2000 {
		u.of(fmt.Sprintf("module.a.aws_sqs_queue.x%d", i), "aws_sqs_queue")
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("2,000 resources took %s", took)
	}
}
