package metrics_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/metrics"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md anew")

func document(name string) string { return filepath.Join("..", "..", "docs", name) }

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The manual's table is made from the figures themselves.
func TestTheManualHasEveryFigure(t *testing.T) {
	var b strings.Builder
	b.WriteString("| figure | type | labels | of | what it is |\n|---|---|---|---|---|\n")
	for _, f := range metrics.All() {
		of, help := "server", f.Help
		if f.Shared {
			of, help = "database", strings.TrimSuffix(help, " Of the database: each server on it tells the same.")
		}
		labels := "–"
		if len(f.Labels) > 0 {
			labels = "`" + strings.Join(f.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Type, labels, of, help)
	}
	path := document("metrics.md")
	text := read(t, path)
	const from, to = "<!-- figures: made by go test ./internal/metrics -run TestTheManual -update -->\n", "<!-- end of figures -->"
	begin, end := strings.Index(text, from), strings.Index(text, to)
	if begin < 0 || end < begin {
		t.Fatalf("%s lacks the marks of the table", path)
	}
	want := text[:begin+len(from)] + "\n" + b.String() + "\n" + text[end:]
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("%s is old; go test ./internal/metrics -run TestTheManual -update makes it anew:\n%s", path, diff)
	}
}

// The examples of alerts ask for figures and labels that there are.
func TestAlertsAskForFiguresThatThereAre(t *testing.T) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, document("prometheus-alerts.yml"))), &file); err != nil {
		t.Fatal(err)
	}
	x := newExamples(t)
	known := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if known[r.Alert] || r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("the alert %q is there twice, or lacks something: %+v", r.Alert, r)
			}
			known[r.Alert] = true
			labels := x.check(r.Alert, r.Expr)
			for _, text := range r.Annotations {
				for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
					if !labels[m[1]] {
						t.Errorf("%s tells of the label %s, which its expression does not have", r.Alert, m[1])
					}
				}
			}
		}
	}
	for _, needed := range []string{"TidelockReplicaBehind", "TidelockJobsWait", "TidelockApplyInterrupted", "TidelockDiskLow", "TidelockWebhookSetAside"} {
		if !known[needed] {
			t.Errorf("no alert %s", needed)
		}
	}
}

// So does the example of a dashboard.
func TestTheDashboardAsksForFiguresThatThereAre(t *testing.T) {
	type panel struct {
		Title   string
		Type    string
		Targets []struct{ Expr string }
	}
	var board struct {
		Title  string
		UID    string
		Panels []panel
	}
	if err := json.Unmarshal([]byte(read(t, document("grafana-dashboard.json"))), &board); err != nil {
		t.Fatal(err)
	}
	x := newExamples(t)
	n := 0
	for _, p := range board.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			n++
			x.check(p.Title, target.Expr)
		}
	}
	if board.Title == "" || board.UID == "" || n < 15 {
		t.Errorf("%q, %q: %d queries", board.Title, board.UID, n)
	}
}

// examples checks expressions of PromQL against the figures.
type examples struct {
	t       *testing.T
	figures map[string]metrics.Figure
	scraped string
}

func newExamples(t *testing.T) examples {
	x := examples{t: t, figures: map[string]metrics.Figure{}}
	for _, f := range metrics.All() {
		x.figures[f.Name] = f
		if f.Type == "histogram" {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				x.figures[f.Name+part] = f
			}
		}
	}
	w := newWorld(t, dbtest.SQLite(t))
	w.everything()
	x.scraped = string(w.scrape())
	return x
}

var (
	grouping = regexp.MustCompile(`\b(?:by|on|ignoring|without|group_left|group_right)\s*\(([^)]*)\)`)
	selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\})?\s*(\()?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	words    = []string{"and", "or", "unless", "offset", "bool"}
	number   = regexp.MustCompile(`\b[0-9.]+(?:e[0-9]+|[smhdwy]|ms)?\b`)
	aside    = regexp.MustCompile(`\[[^\]]*\]|\$__rate_interval`)
)

// check reports names and labels that there are not, and returns the labels
// that an answer may have.
func (x examples) check(of, expr string) map[string]bool {
	labels := map[string]bool{}
	grouped := false
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		grouped = true
		for _, l := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			labels[l] = true
		}
	}
	aggregated := regexp.MustCompile(`\b(sum|max|min|avg|count|histogram_quantile)\b`).MatchString(expr)
	bare := number.ReplaceAllString(aside.ReplaceAllString(grouping.ReplaceAllString(expr, ""), ""), "")
	found := 0
	for _, m := range selector.FindAllStringSubmatch(bare, -1) {
		name, match, function := m[1], m[2], m[3] != ""
		if function || slices.Contains(words, name) {
			continue
		}
		found++
		if name == "up" || strings.HasPrefix(name, "process_") || strings.HasPrefix(name, "go_") {
			if name != "up" && !strings.Contains(x.scraped, "\n"+name) {
				x.t.Errorf("%s: nothing is called %s", of, name)
			}
			labels["instance"], labels["job"] = true, true
			continue
		}
		f, ok := x.figures[name]
		if !ok {
			x.t.Errorf("%s: nothing is called %s", of, name)
			continue
		}
		has := append([]string{"instance", "job"}, f.Labels...)
		if strings.HasSuffix(name, "_bucket") {
			has = append(has, "le")
		}
		for l := range labels {
			if !slices.Contains(has, l) {
				x.t.Errorf("%s: %s has no label %s", of, name, l)
			}
		}
		if !aggregated && !grouped {
			for _, l := range has {
				labels[l] = true
			}
		}
		for _, l := range matcher.FindAllStringSubmatch(match, -1) {
			if !slices.Contains(has, l[1]) {
				x.t.Errorf("%s: %s has no label %s", of, name, l[1])
			}
			for _, v := range strings.Split(l[3], "|") {
				// Kinds of jobs, routes and the like are not those of this world.
				if slices.Contains([]string{"outcome", "state", "status", "standing", "source"}, l[1]) && v != "5xx" && !strings.Contains(x.scraped, l[1]+`="`+v+`"`) {
					x.t.Errorf("%s: %s is never %q", of, l[1], v)
				}
			}
		}
		x.checkUse(of, bare, name, f)
	}
	if found == 0 {
		x.t.Errorf("%s asks for nothing: %s", of, expr)
	}
	return labels
}

// checkUse holds how a figure is asked for against what it is: what each server
// tells the same is not added up, and what only grows is looked at by how fast.
func (x examples) checkUse(of, expr, name string, f metrics.Figure) {
	within := func(functions string) bool {
		return regexp.MustCompile(`\b(?:` + functions + `)\s*\(\s*` + regexp.QuoteMeta(name) + `\b`).MatchString(expr)
	}
	if f.Shared && !within("max|min") {
		x.t.Errorf("%s: %s is the same at each server: max() takes one of them", of, name)
	}
	if f.Type != "gauge" && !within("rate|increase") {
		x.t.Errorf("%s: %s only grows: ask for its rate() or increase()", of, name)
	}
}

func TestChecksOfExamplesFindWhatIsWrong(t *testing.T) {
	for _, expr := range []string{
		`tidelock_nothing > 1`, `sum(tidelock_runs) > 1`, `max(tidelock_runs{project="x"}) > 1`, `max by (repo) (tidelock_runs)`,
		`max(tidelock_runs{status="lost"})`, `sum(tidelock_jobs_worked_total)`, `1 > 0`,
	} {
		fake := &testing.T{}
		x := newExamples(t)
		x.t = fake
		x.check("example", expr)
		if !fake.Failed() {
			t.Errorf("%s passes", expr)
		}
	}
}
