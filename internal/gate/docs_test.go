package gate

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDocumentation reads every example of docs/gates.md, and evaluates it
// over facts that open it and facts that close it.
func TestDocumentation(t *testing.T) {
	page := documentation(t)
	at := func(s string) func(f *Facts) {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return func(f *Facts) { f.Now = when }
	}
	none := func(*Facts) {}
	database := func(f *Facts) { f.Plan.Resources = []Resource{{"aws_db_instance.x", "aws_db_instance", "replace"}} }
	cases := []struct {
		begins      string // the line before the example, or its heading
		act         Act
		open, close func(f *Facts)
		gate        string // that closes
	}{
		{"- in a repository's", ActApply, none, func(f *Facts) { f.Pull.Mergeable = ptr(false) }, Mergeable},
		{"## approvals", ActApply, none, func(f *Facts) { f.Reviews.ApprovedBy = nil }, Approvals},
		{"## code_owners", ActApply, none, func(f *Facts) { f.Reviews.ApprovedBy = f.Reviews.ApprovedBy[:1] }, CodeOwners},
		{"## mergeable", ActApply, none, func(f *Facts) { f.Pull.Mergeable = nil }, Mergeable},
		{"## checks", ActApply, func(f *Facts) { f.Checks.Passed = []string{"ci/a", "security scan"} }, none, Checks},
		{"## up_to_date", ActApply, none, func(f *Facts) { f.Pull.Behind = ptr(1) }, UpToDate},
		{"## policies", ActApply, none, func(f *Facts) { f.Policy.Verdict = "fail" }, Policies},
		{"## max_monthly_cost_increase", ActApply, none, func(f *Facts) { f.Cost.Delta = usd("500.01") }, Cost},
		{"## labels and without_labels", ActApply, none, func(f *Facts) { f.Pull.Labels = append(f.Pull.Labels, "do-not-apply") }, WithoutLabels},
		{"## role", ActDestroy, func(f *Facts) { f.Actor.Role = "admin" }, none, Role},
		{"## users and teams", ActApply, none, func(f *Facts) { f.Actor.Login, f.Actor.Teams["acme/platform"] = "zoe", false }, Users},
		{"Everything else is a `rule`", ActApply, none, func(f *Facts) { f.Plan.Delete = 1; at("2026-03-06T10:00:00Z")(f) }, "no-friday"},
		{"No database is deleted", ActApply, database, func(f *Facts) { database(f); f.Actor.Role = "write" }, "databases"},
		{"A change window", ActApply, at("2026-03-05T10:00:00Z"), at("2026-03-05T17:00:00Z"), "office-hours"},
		{"A freeze", ActApply, none, at("2026-12-24T18:00:00Z"), "freeze"},
		{"More approvals", ActApply, none, func(f *Facts) {
			f.Plan.Workspace, f.Plan.Replace, f.Reviews.ApprovedBy = "production", 1, f.Reviews.ApprovedBy[:1]
		}, "second-pair-of-eyes"},
		{"Who may even plan", ActPlan, func(f *Facts) { f.Actor.Teams["acme/interns"] = false }, func(f *Facts) { f.Actor.Teams["acme/interns"] = true }, "no-interns-on-main"},
	}
	before := ""
	examples := 0
	for i, part := range strings.Split(page, "```hcl\n") {
		if i == 0 {
			before = part
			continue
		}
		example, rest, _ := strings.Cut(part, "\n```")
		lines := strings.Split(strings.TrimSpace(before), "\n")
		last := lines[len(lines)-1]
		before = rest
		n := slices.IndexFunc(cases, func(c struct {
			begins      string
			act         Act
			open, close func(f *Facts)
			gate        string
		}) bool {
			return strings.HasPrefix(last, c.begins)
		})
		if n < 0 {
			t.Errorf("no case for the example after %q", last)
			continue
		}
		examples++
		c := cases[n]
		set, problems := decode(t, example+"\n")
		if len(problems) > 0 {
			t.Errorf("%s: %v", last, problems)
			continue
		}
		for want, change := range map[bool]func(f *Facts){true: c.open, false: c.close} {
			f := good()
			change(&f)
			var closed []string
			for _, v := range Closed(Evaluate(set.Of(c.act), f)) {
				closed = append(closed, v.Gate)
			}
			if want && len(closed) > 0 || !want && strings.Join(closed, " ") != c.gate {
				t.Errorf("%s: closed %v; want open %v (%s)", last, closed, want, c.gate)
			}
		}
	}
	if examples != len(cases) {
		t.Errorf("%d examples, %d cases", examples, len(cases))
	}
}

// TestDocumentationNamesEverything holds the page against the attributes and
// the fields of expressions.
func TestDocumentationNamesEverything(t *testing.T) {
	page := documentation(t)
	for _, a := range Attributes() {
		if !regexp.MustCompile(`(?m)^ *` + a.Name + ` += `).MatchString(page) {
			t.Errorf("no example sets %s", a.Name)
		}
	}
	for name, o := range objects() {
		row := "| `" + name + "` |"
		if name == "resource" {
			row = "| a resource of `plan.resources` |"
		}
		_, after, found := strings.Cut(page, row)
		line, _, _ := strings.Cut(after, "\n")
		if !found {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, f := range slices.Sorted(maps.Keys(o.fields)) {
			if !strings.Contains(line, "`"+f+"`") {
				t.Errorf("%s.%s is not in the table", name, f)
			}
		}
	}
}

func documentation(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "gates.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
