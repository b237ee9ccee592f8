package tfplan

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// TestDiffOfProviderResources is TestDiffReadsLikeTerraform for what only a
// provider with a schema has: nested blocks, maps, sets, forced replacements.
func TestDiffOfProviderResources(t *testing.T) {
	config := toolchaintest.Mirror(t)
	for name, binary := range toolchaintest.Tools(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyFile(t, "testdata/diff/aws/main.tf", filepath.Join(dir, "main.tf"))
			toolchaintest.Write(t, filepath.Join(dir, "cli.rc"), config)
			toolchaintest.CLI(t, binary, dir, "init", "-no-color")
			for _, step := range []string{"1", "2"} {
				toolchaintest.CLI(t, binary, dir, "plan", "-no-color", "-out=p", "-var=step="+step)
				plan := parsed(t, toolchaintest.CLI(t, binary, dir, "show", "-json", "p"))
				want := blurred(terraformText(t, toolchaintest.CLI(t, binary, dir, "show", "-no-color", "p")))
				var parts []string
				for _, c := range plan.Changes {
					if text := Diff(c, DiffOptions{}); text != "" {
						parts = append(parts, text)
					}
				}
				if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(blurred(strings.Join(parts, "\n")), "\n")); diff != "" {
					t.Errorf("step %s: Terraform's text (-) and ours (+) differ:\n%s", step, diff)
				}
				toolchaintest.CLI(t, binary, dir, "apply", "-no-color", "p")
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
