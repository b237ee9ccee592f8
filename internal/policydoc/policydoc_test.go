package policydoc_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policydoc"
	"github.com/tidelock/tidelock/policies"
)

var update = flag.Bool("update", false, "rewrite docs/policies-rules.md")

func reference(t *testing.T) (policydoc.Reference, []policy.Rule) {
	t.Helper()
	e, err := policy.New(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return policydoc.New(e), e.Rules()
}

// TestRulesPage keeps docs/policies-rules.md from going stale.
func TestRulesPage(t *testing.T) {
	ref, rules := reference(t)
	got, path := ref.Markdown(), filepath.Join("..", "..", "docs", "policies-rules.md")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is stale, run the test with -update (-want +got):\n%s", path, diff)
	}
	for _, r := range rules {
		if strings.Count(got, "\n### "+r.ID+"\n") != 1 || !strings.Contains(got, "](#"+policydoc.Anchor(r.ID)+")") {
			t.Errorf("%s has not one heading and a link to it", r.ID)
		}
	}
}

// TestPacksAreIntroduced: no pack comes without a word of what it is about.
func TestPacksAreIntroduced(t *testing.T) {
	ref, _ := reference(t)
	var names []string
	for _, p := range ref.Packs {
		names = append(names, p.Name)
		if p.About == "" || p.Title == p.Name {
			t.Errorf("pack %s is not introduced", p.Name)
		}
	}
	if diff := cmp.Diff(policies.Packs(), names); diff != "" {
		t.Errorf("packs (-embedded +documented):\n%s", diff)
	}
}

// TestHTML: the page can be parsed, every link within it leads somewhere, no ID
// is there twice, and nothing is loaded from elsewhere.
func TestHTML(t *testing.T) {
	ref, rules := reference(t)
	var b strings.Builder
	if err := ref.HTML(&b); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	ids, links := map[string]int{}, []string{}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				ids[a.Val]++
			case "href":
				links = append(links, strings.TrimPrefix(a.Val, "#"))
			case "src":
				t.Errorf("%s is loaded", a.Val)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("the ID %s is there %d times", id, n)
		}
	}
	for _, l := range links {
		if ids[l] == 0 {
			t.Errorf("a link leads to #%s, which is not there", l)
		}
	}
	if len(ids) != len(rules)+len(ref.Packs) {
		t.Errorf("%d IDs for %d rules and %d packs", len(ids), len(rules), len(ref.Packs))
	}
}

// TestHTMLEscapes: what a rule's author writes is text.
func TestHTMLEscapes(t *testing.T) {
	const bad = `<script>alert(1)</script>`
	ref := policydoc.Reference{Packs: []policydoc.Pack{{Name: "own", Title: bad, Rules: []policy.Rule{{ID: "a.b", Title: bad, Why: bad, Bad: &policy.Example{HCL: bad}}}}}}
	var b strings.Builder
	if err := ref.HTML(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script>") || strings.Count(b.String(), "&lt;script&gt;") < 4 {
		t.Errorf("the page holds a script:\n%s", b.String())
	}
}

func TestOnly(t *testing.T) {
	ref, _ := reference(t)
	for _, p := range ref.Only("security.aws", "cost.unknown").Packs {
		for _, r := range p.Rules {
			if r.ID != "cost.unknown" && !strings.HasPrefix(r.ID, "security.aws.") {
				t.Errorf("%s was not asked for", r.ID)
			}
		}
	}
	if n := len(ref.Only("security.aws", "cost.unknown").Packs); n != 2 {
		t.Errorf("%d packs, want 2", n)
	}
	if n := len(ref.Only("secur").Packs); n != 0 {
		t.Errorf("%d packs begin with half a word", n)
	}
}

func TestReferenceAsJSON(t *testing.T) {
	ref, rules := reference(t)
	raw, err := json.Marshal(ref)
	if err != nil {
		t.Fatal(err)
	}
	var back policydoc.Reference
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range back.Packs {
		n += len(p.Rules)
	}
	if n != len(rules) {
		t.Errorf("%d rules came back of %d", n, len(rules))
	}
}

func TestExampleWords(t *testing.T) {
	for _, c := range []struct {
		example    policy.Example
		want, text string
	}{
		{policy.Example{HCL: "a"}, "", "a"},
		{policy.Example{HCL: "a", Action: "delete", Count: 21, Labels: []string{"x"}}, "on delete, 21 of each, with the label x", "a"},
		{policy.Example{HCL: "a", Before: "b"}, "", "# As it is now:\nb\n\n# As the pull request has it:\na"},
		{policy.Example{HCL: "a", Environment: "dev", Settings: policy.Settings{"tagging": {"required": []any{"x|y", "<z>"}}}}, `in the environment dev, with tagging.required = ["x|y", "<z>"]`, "a"},
		{policy.Example{HCL: "a", Cost: &policy.Cost{Currency: "EUR", Before: "1", After: "2.50"}}, "at a monthly cost of 1 EUR before and 2.50 after, not all of it known", "a"},
	} {
		if got := policydoc.Circumstances(c.example); got != c.want {
			t.Errorf("circumstances %q, want %q", got, c.want)
		}
		if got := policydoc.ExampleText(c.example); got != c.text {
			t.Errorf("text %q, want %q", got, c.text)
		}
	}
}

// TestTablesHold: no cell of the Markdown breaks its row.
func TestTablesHold(t *testing.T) {
	ref, _ := reference(t)
	unescaped := regexp.MustCompile(`(^|[^\\])\|`)
	want := 0
	for line := range strings.Lines(ref.Markdown()) {
		if !strings.HasPrefix(line, "|") {
			want = 0
			continue
		}
		n := len(unescaped.FindAllString(strings.TrimSpace(line), -1))
		if want != 0 && n != want {
			t.Errorf("%d bars, want %d: %s", n, want, line)
		}
		want = n
	}
}
