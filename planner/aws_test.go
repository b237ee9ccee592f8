package planner

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/toolchain"
)

// mirror lays the stand-in provider's CLI configuration beside a tree.
func mirror(t *testing.T) (cliConfig string) {
	t.Helper()
	dir, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	return string(CLIConfig(dir, false))
}

// TestDiffOfProviderResources is TestDiffReadsLikeTerraform for what only a
// provider with a schema has: nested blocks, maps, sets, forced replacements.
func TestDiffOfProviderResources(t *testing.T) {
	config := mirror(t)
	for name, binary := range tools(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyFile(t, "testdata/diff/aws/main.tf", filepath.Join(dir, "main.tf"))
			write(t, filepath.Join(dir, "cli.rc"), config)
			cli(t, binary, dir, "init", "-no-color")
			for _, step := range []string{"1", "2"} {
				cli(t, binary, dir, "plan", "-no-color", "-out=p", "-var=step="+step)
				plan := parsed(t, cli(t, binary, dir, "show", "-json", "p"))
				want := blurred(terraformText(t, cli(t, binary, dir, "show", "-no-color", "p")))
				var parts []string
				for _, c := range plan.Changes {
					if text := Diff(c, DiffOptions{}); text != "" {
						parts = append(parts, text)
					}
				}
				if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(blurred(strings.Join(parts, "\n")), "\n")); diff != "" {
					t.Errorf("step %s: Terraform's text (-) and ours (+) differ:\n%s", step, diff)
				}
				cli(t, binary, dir, "apply", "-no-color", "p")
			}
		})
	}
}

var (
	hiddenAttributes = regexp.MustCompile(`(?m)^ +# \(\d+ unchanged attributes? hidden\)\n`)
	emptyGone        = regexp.MustCompile(`(?m)^- .* = \[\] -> null\n`)
)

// blurred takes out what a plan's JSON does not tell: whether an empty list
// that the configuration does not set is an attribute or a kind of block. So
// its deletion is not shown, and it is not counted among what is hidden.
// OpenTofu counts in another way than Terraform, too.
func blurred(text string) string {
	return emptyGone.ReplaceAllString(hiddenAttributes.ReplaceAllString(text, ""), "")
}
