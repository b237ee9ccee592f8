package comment

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/run"
)

// templated returns the comment that a template makes of a view.
func templated(t *testing.T, text string, v View) string {
	t.Helper()
	v.Settings.Template = text
	parts := Comments(v)
	if len(parts) != 1 {
		t.Fatalf("%d comments", len(parts))
	}
	return parts[0]
}

// The example of the documentation is a template that works.
func TestTemplateOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```gotemplate\n(.*?)```").FindStringSubmatch(string(text))
	if found == nil {
		t.Fatal("docs/templates.md has no example")
	}
	if err := CheckTemplate(found[1]); err != nil {
		t.Fatal(err)
	}
	for name, view := range map[string]string{"template": "many", "template_failed": "failed", "template_empty": "empty"} {
		golden(t, name, strings.TrimRight(templated(t, found[1], scenes()[view]), "\n"))
	}
}

// Every field that the documentation names exists, and the other way about.
func TestTemplateFieldsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	whole, ofProject, ok := strings.Cut(string(text), "Of each project:")
	if !ok {
		t.Fatal("docs/templates.md has another form")
	}
	ofProject, _, _ = strings.Cut(ofProject, "## ")
	rows := func(s string) (fields []string) {
		for _, row := range regexp.MustCompile("(?m)^\\| (`\\..*?) \\|").FindAllStringSubmatch(s, -1) {
			for _, f := range regexp.MustCompile("`\\.(\\w+)`").FindAllStringSubmatch(row[1], -1) {
				fields = append(fields, f[1])
			}
		}
		return fields
	}
	var b strings.Builder
	for _, f := range rows(whole) {
		fmt.Fprintf(&b, "{{with .%s}}{{end}}", f)
	}
	b.WriteString("{{range .Projects}}")
	for _, f := range rows(ofProject) {
		fmt.Fprintf(&b, "{{with .%s}}{{end}}", f)
	}
	b.WriteString("{{end}}x")
	if err := CheckTemplate(b.String()); err != nil {
		t.Error(err)
	}
	if got, want := len(rows(whole)), 15; got != want {
		t.Errorf("%d fields are documented, not %d", got, want)
	}
	if got, want := len(rows(ofProject)), 17; got != want {
		t.Errorf("%d fields of a project are documented, not %d", got, want)
	}
}

func TestTemplateFoldsUnderAReadableTitle(t *testing.T) {
	got := templated(t, `{{range .Projects}}{{fold (printf "Plan of %s" .Name) .Plan}}{{end}}`, scene(only(planned("my_net`<b>`*x*"))))
	if want := "<summary>Plan of my_net&#96;&lt;b&gt;&#96;*x*</summary>"; !strings.Contains(got, want) {
		t.Errorf("not %s in\n%s", want, got)
	}
}

func TestTemplateWrapsTheUsualComment(t *testing.T) {
	v := scenes()["many"]
	got := templated(t, "Before.\n\n{{.Default}}\nAfter.", v)
	if !strings.HasPrefix(got, "Before.\n\n### 📋 Plan") || !strings.HasSuffix(got, "\nAfter.") || !strings.Contains(got, "```diff") {
		t.Errorf("got\n%s", got)
	}
	// Where there is much, plans are shortened before the template is given up.
	v = locked(scene(only(long("network", 300))))
	got = templated(t, "{{range .Projects}}{{.Plan}}{{end}}", v)
	if !strings.Contains(got, "# aws_instance.web-299 will be") || strings.Contains(got, "instance_type") || strings.Contains(got, "can't be used") {
		t.Errorf("got %d bytes\n%.600s", len(got), got)
	}
}

// A template that can't be used is told of, and keeps nothing back.
func TestTemplateThatFailsFallsBack(t *testing.T) {
	v := scenes()["one"]
	for text, why := range map[string]string{
		"{{.Headline":                           "line 1",
		"\n{{.Nothing}}":                        "line 2",
		"{{index .Projects 7}}":                 "index out of range",
		"{{if .URL}}x{{end}}":                   "empty comment",
		"{{range .Projects}}{{.Owner}}{{end}}":  "Owner",
		strings.Repeat("x", maxTemplateOutput):  "longer than 16 kB",
		"{{exec \"rm\"}}":                       "exec",
		"{{.Headline | printf \"%s\" | html }}": "html",
	} {
		got := templated(t, text, v)
		if !strings.Contains(got, "The comment template can't be used") || !strings.Contains(got, why) {
			t.Errorf("%.40q is told as\n%s", text, got[max(0, len(got)-300):])
		}
		if !strings.HasPrefix(got, Render(v)) {
			t.Errorf("%.40q: the usual comment is not there", text)
		}
		if text != "{{if .URL}}x{{end}}" {
			if err := CheckTemplate(text); !errs.Is(err, errs.Invalid) {
				t.Errorf("%.40q passes the check: %v", text, err)
			}
		}
	}
}

// Nothing that a template says makes it long, slow or large, and each refusal
// comes at once.
func TestThreat_TemplateBombs(t *testing.T) {
	var pairs []run.Pair
	for i := range 220 {
		pairs = append(pairs, only(long(fmt.Sprintf("live/p%d", i), 8)))
	}
	v := scene(pairs...)
	doubling := "{{$a := .Default}}" + strings.Repeat("{{$a = print $a $a}}", 60) + "x"
	for name, text := range map[string]string{
		"recursion":                  `{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`,
		"block":                      `{{block "a" .}}x{{end}}`,
		"a template of its own":      `{{template "comment"}}`,
		"counting":                   `{{range 1000000000}}{{end}}x`,
		"counting a variable":        `{{$n := 1000000000}}{{range $n}}{{end}}x`,
		"counting a field":           `{{range .Total.Create}}{{end}}x`,
		"counting a length":          `{{range len .Default}}{{end}}x`,
		"a parenthesis":              `{{range (index .Projects 0).Create}}{{end}}x`,
		"through with":               `{{with 1000000000}}{{range .}}{{end}}{{end}}x`,
		"three deep":                 `{{range .Projects}}{{range $.Projects}}{{range $.Projects}}{{end}}{{end}}{{end}}x`,
		"three deep in else":         `{{range .Projects}}{{range $.Projects}}{{else}}{{range $.Projects}}{{end}}{{end}}{{end}}{{range .Projects}}{{if true}}{{range $.Projects}}{{with 1}}{{range $.Projects}}{{end}}{{end}}{{end}}{{end}}{{end}}x`,
		"two deep with much inside":  `{{range .Projects}}{{range $.Projects}}` + strings.Repeat(`{{if eq .Name "x"}}{{end}}`, 400) + `{{end}}{{end}}x`,
		"a wide number":              `{{printf "%999999999d" 1}}`,
		"a precise number":           `{{printf "%.999999999f" 1.0}}`,
		"a width from elsewhere":     `{{printf "%*d" 999999999 1}}`,
		"an indexed width":           `{{printf "%[1]*d" 999999999}}`,
		"a format from elsewhere":    `{{$f := "%999999999d"}}{{printf $f 1}}`,
		"a format down the pipe":     `{{"%999999999d" | printf}}`,
		"a format in parentheses":    `{{printf (print "%" "999999999d") 1}}`,
		"printf as a value":          `{{(printf) "%999999999d" 1}}`,
		"doubling":                   doubling,
		"doubling by printf":         "{{$a := .Default}}" + strings.Repeat(`{{$a = printf "%s%s%s" $a $a $a}}`, 60) + "x",
		"quoting":                    "{{$a := .Default}}" + strings.Repeat(`{{$a = printf "%q" $a}}`, 60) + "x",
		"doubling in a loop":         `{{$a := "x"}}{{range .Projects}}{{$a = print $a $a}}{{end}}x`,
		"copying in a loop":          `{{range .Projects}}{{range $.Projects}}{{$a := print $.Default "x"}}{{end}}{{end}}x`,
		"printing all there is":      `{{range .Projects}}{{$}}{{end}}`,
		"all plans, again and again": `{{range .Projects}}{{range $.Projects}}{{.Plan}}{{end}}{{end}}`,
		"a call":                     `{{call .Headline}}`,
		"escaping":                   `{{html .Default}}`,
		"cutting":                    `{{slice .Default 0 3}}`,
		"the bot's own function":     `{{` + work + ` -1000000000}}x`,
		"much text":                  strings.Repeat("x", maxTemplate+1),
		"deep parentheses":           "{{" + strings.Repeat("(", 7000) + "1" + strings.Repeat(")", 7000) + "}}",
		"deep conditions":            strings.Repeat("{{if 1}}", 1000) + "x" + strings.Repeat("{{end}}", 1000) + "{{range 9}}{{end}}",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got := templated(t, text, v)
			if took := time.Since(began); took > 20*time.Second { // the race detector's; it takes far less than a second
				t.Errorf("it took %s", took)
			}
			if len(got) > 65_000 {
				t.Errorf("it made %d bytes", len(got))
			}
			if !strings.Contains(got, "can't be used") && name != "deep parentheses" {
				t.Errorf("it was let through:\n%.300s", got)
			}
		})
	}
}

// A template can't make a comment that passes for another of the bot's, nor
// call anybody twice, and what strangers wrote stays text in it.
func TestThreat_TemplatesAreInert(t *testing.T) {
	got := templated(t, "<!-- tidelock:42:9 --> <!-- tidelock-reply:x --> @ada @ada", scenes()["one"])
	if strings.Contains(got, "<!-- tidelock") || strings.Count(got, "@ada") != 1 {
		t.Errorf("got %q", got)
	}
	const every = "{{.Headline}}\n\n{{.Notes}}\n\n{{.CostPart}}\n\n{{.Priced}} {{.PricesOf}}\n\n{{range .Projects}}{{.Name}} {{.Dir}} {{.Workspace}} {{.State}} {{.Cost}} {{.Before}} {{.After}} {{.Policy}} {{.Options}} {{.LockedBy}}\n\n{{.CostTree}}\n\n{{.Plan}}\n\n{{.Error}}\n\n{{end}}{{.Next}}"
	for _, s := range markdowntest.Hostile {
		plan := forbidden("x")
		plan.Project.Name, plan.Project.Dir, plan.Project.Workspace, plan.Diff = s, s, s, s
		plan.Options.Targets = []string{s}
		plan.Estimate.Resources[0].Address, plan.Estimate.Resources[0].Note, plan.Estimate.AsOf, plan.Estimate.AsOfFrom, plan.Estimate.AsOfTo = s, s, s, s, s
		v := scene(only(plan), only(failed(s, s)), with(planned(s), run.Failed, s))
		v.Change.Notes = s
		v.Holders[plan.Key()] = run.Lock{Pull: 3, Holder: s, Taken: noon}
		body := templated(t, every, v)
		if strings.Contains(body, "can't be used") {
			t.Fatalf("it fell back:\n%s", body)
		}
		if bad := markdowntest.Strangers(markdowntest.Page(t, body), "p table thead tbody tr th td code pre details summary ul li strong em sub"); len(bad) > 0 {
			t.Errorf("%q: %q got into\n%s", s, bad, body)
		}
	}
}
