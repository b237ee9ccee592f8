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

// TestPlanAndApplyWithAProvider goes through Execute with real resource types,
// from a place whose path is too long for a provider's socket.
func TestPlanAndApplyWithAProvider(t *testing.T) {
	config := mirror(t)
	short, err := os.MkdirTemp("/tmp", "tl")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"q\"\n}\n"})
		write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		t.Setenv("TMPDIR", short)
		spec := s.spec(".")
		spec.Home = filepath.Join(s.dir, strings.Repeat("long", 20))
		r := s.must(spec, OutcomePlanned)
		if r.Summary.Create != 2 || !r.LockFileChanged {
			t.Errorf("%+v", r)
		}
		s.must(applyOf(spec), OutcomeApplied)
		if r := s.must(s.spec("."), OutcomeNoChange); r.LockFileChanged {
			t.Error("the lock file of the first plan was lost or changed")
		}
		left, err := os.ReadDir(short)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// TestApplyUsesThePlansProviders: the code pins nothing any more when the plan
// is applied, and a newer version is to be had.
func TestApplyUsesThePlansProviders(t *testing.T) {
	config := mirror(t)
	code := func(constraint string) map[string]string {
		return map[string]string{"main.tf": "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n      " + constraint + "\n    }\n  }\n}\nprovider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"q\"\n}\n"}
	}
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, code(`version = "~> 5.0"`))
		write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		spec := s.spec(".")
		s.must(spec, OutcomePlanned)
		s.lay(code(""))
		s.must(applyOf(spec), OutcomeApplied)
		lock, err := os.ReadFile(filepath.Join(s.root, lockName))
		if err != nil || !strings.Contains(string(lock), "5.100.0") {
			t.Errorf("lock file: %v\n%s", err, lock)
		}
	})
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
