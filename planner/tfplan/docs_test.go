package tfplan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentationShowsARealPlan: the example of docs/pull-requests.md is what
// the comment shows of a plan that Terraform made.
func TestDocumentationShowsARealPlan(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "pull-requests.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```diff\n")
	shown, rest, ok := strings.Cut(rest, "\n```\n")
	if !ok {
		t.Fatal("docs/pull-requests.md has no plan in it")
	}
	p := read(t, "testdata/text/example.json")
	if diff := lineDiff(Text(p, TextOptions{DiffOptions: DiffOptions{Exclaim: true}}), shown); diff != "" {
		t.Errorf("what is shown (T) and what the documentation shows (W) differ:\n%s", diff)
	}
	s := p.Summary()
	line := strings.TrimSuffix(strings.TrimPrefix(s.String(), "Plan: "), ".") + " (" + s.Aside() + ")"
	if !strings.Contains(rest, line) {
		t.Errorf("the documentation does not say %q", line)
	}
	if strings.Contains(shown, "correct horse") || strings.Contains(shown, "battery") {
		t.Error("it shows a secret")
	}
}
