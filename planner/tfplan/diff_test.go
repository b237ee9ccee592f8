package tfplan

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func parsed(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := ParsePlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDiffReadsLikeTerraform compares Diff with what the real tool prints of
// the same plan, for every object, in a plan that creates and in one that
// changes, replaces and destroys.
func TestDiffReadsLikeTerraform(t *testing.T) {
	for name, binary := range toolchaintest.Tools(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyFile(t, "testdata/diff/main.tf", filepath.Join(dir, "main.tf"))
			if name == "terraform" {
				copyFile(t, "testdata/diff/pairs.tf", filepath.Join(dir, "pairs.tf"))
			}
			toolchaintest.CLI(t, binary, dir, "init", "-no-color")
			for _, step := range []string{"1", "2"} {
				toolchaintest.CLI(t, binary, dir, "plan", "-no-color", "-out=p", "-var=step="+step)
				plan := parsed(t, toolchaintest.CLI(t, binary, dir, "show", "-json", "p"))
				want := terraformText(t, toolchaintest.CLI(t, binary, dir, "show", "-no-color", "p"))
				var parts []string
				for _, c := range plan.Changes {
					if text := Diff(c, DiffOptions{}); text != "" {
						parts = append(parts, text)
					}
				}
				if text := DiffOutputs(plan, DiffOptions{}); text != "" {
					parts = append(parts, text)
				}
				// Of a terraform_data Terraform does not say what forces
				// the replacement, though its JSON does.
				got := strings.ReplaceAll(strings.Join(parts, "\n"), " # forces replacement", "")
				if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
					t.Errorf("step %s: Terraform's text (-) and ours (+) differ:\n%s", step, diff)
				}
				toolchaintest.CLI(t, binary, dir, "apply", "-no-color", "p")
			}
		})
	}
}

// TestDiffOfMoves does the same for objects that move, are imported or
// forgotten, and for the reasons that Terraform gives.
func TestDiffOfMoves(t *testing.T) {
	binary, ok := toolchaintest.Tools(t)["terraform"]
	if !ok {
		t.Skip("skipped: terraform is not here, and OpenTofu words these in its own way")
	}
	dir := t.TempDir()
	toolchaintest.Write(t, filepath.Join(dir, "m/main.tf"), "resource \"terraform_data\" \"a\" {}\n")
	for _, step := range []string{"1", "2"} {
		copyFile(t, "testdata/diff/moves/"+step+".tf.txt", filepath.Join(dir, "main.tf"))
		toolchaintest.CLI(t, binary, dir, "init", "-no-color")
		toolchaintest.CLI(t, binary, dir, "plan", "-no-color", "-out=p")
		plan := parsed(t, toolchaintest.CLI(t, binary, dir, "show", "-json", "p"))
		want := terraformText(t, toolchaintest.CLI(t, binary, dir, "show", "-no-color", "p"))
		var parts []string
		for _, c := range plan.Changes {
			if text := Diff(c, DiffOptions{}); text != "" {
				parts = append(parts, text)
			}
		}
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(strings.Join(parts, "\n"), "\n")); diff != "" {
			t.Errorf("step %s: Terraform's text (-) and ours (+) differ:\n%s", step, diff)
		}
		if want := (Summary{Create: 1, Update: 1, Delete: 3, Move: 2, Import: 1, Forget: 1}); step == "2" && plan.Summary() != want {
			t.Errorf("summary %+v, want %+v", plan.Summary(), want)
		}
		if step == "1" {
			toolchaintest.CLI(t, binary, dir, "apply", "-no-color", "p")
		}
	}
}

var marker = regexp.MustCompile(`^( *)(-/\+|\+/-|[-+~.]|<=) (.*)$`)

// terraformText takes the changes out of `terraform show`, with the markers
// moved to the first column. Where Terraform lost the mark of a sensitive
// value on its way through a provider, it is put back.
func terraformText(t *testing.T, text string) string {
	t.Helper()
	_, text, ok := strings.Cut(text, "will perform the following actions:\n\n")
	if !ok {
		t.Fatalf("no actions in %s", text)
	}
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, " # ") || strings.HasPrefix(l, " . ") {
			l = " " + l // an object that is forgotten stands one column further left
		}
		if strings.HasPrefix(l, "Plan: ") {
			out = out[:len(out)-1] // and the empty line before
			continue
		}
		if m := marker.FindStringSubmatch(l); m != nil {
			col := len(m[1]) + len(m[2]) + 1
			l = m[2] + strings.Repeat(" ", col-len(m[2])) + m[3]
		}
		l = strings.ReplaceAll(l, `"correct horse battery"`, "(sensitive value)")
		l = strings.ReplaceAll(l, `"correct horse battery2"`, "(sensitive value)")
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}
