package policy_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/policies"
)

// TestBundledMetadata: people read of every bundled rule what it is, how bad,
// why, and how to mend it, with two examples; auditors, which controls it gives
// evidence for; and its own test stands in its pack.
func TestBundledMetadata(t *testing.T) {
	frameworks, err := policy.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	for _, f := range frameworks {
		for _, c := range f.Controls {
			known[f.ID] = append(known[f.ID], c.ID)
		}
	}
	tests := regoTests(t)
	form := regexp.MustCompile(`^[a-z]+(\.[a-z0-9]+)*\.[a-z0-9]+(_[a-z0-9]+)*$`)
	titles := map[string]string{}
	for _, r := range engine(t, policy.Options{}, nil).Rules() {
		t.Run(r.ID, func(t *testing.T) {
			pack, _, _ := strings.Cut(r.ID, ".")
			if !form.MatchString(r.ID) || r.File != strings.ReplaceAll(r.ID, ".", "/")+".rego" {
				t.Errorf("the ID and the file %s do not belong together", r.File)
			}
			if other, ok := titles[r.Title]; ok {
				t.Errorf("%s has the same title: %s", other, r.Title)
			}
			titles[r.Title] = r.ID
			if r.Title == "deny" || strings.HasSuffix(r.Title, ".") {
				t.Errorf("title %q", r.Title)
			}
			for name, text := range map[string]string{"description": r.Description, "why": r.Why, "mend": r.Mend} {
				if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") || len(text) < 20 {
					t.Errorf("%s is no sentence: %q", name, text)
				}
			}
			if !r.Level.Blocks() && r.Level != policy.Advisory || r.Severity == "" {
				t.Errorf("level %q, severity %q", r.Level, r.Severity)
			}
			if r.Good == nil || r.Bad == nil || r.Good.HCL == "" || r.Bad.HCL == "" {
				t.Error("an example is missing")
			} else if r.Good.HCL == r.Bad.HCL && cmp.Equal(r.Good, r.Bad) {
				t.Error("the examples are the same")
			}
			if pack == "security" {
				for _, framework := range []string{"soc2", "iso27001_2022"} {
					if len(r.Controls[framework]) == 0 {
						t.Errorf("no control of %s", framework)
					}
				}
			}
			for framework, ids := range r.Controls {
				for _, id := range ids {
					if !slices.Contains(known[framework], id) {
						t.Errorf("%s has no control %s: policies/compliance/frameworks.rego lists them", framework, id)
					}
				}
			}
			if !strings.Contains(tests[pack], "data.tidelock."+r.ID+"\n") && !strings.Contains(tests[pack], "package tidelock."+r.ID+"_test\n") {
				t.Error("no Rego test of the pack imports it")
			}
		})
	}
}

// regoTests are the texts of the packs' tests, by pack.
func regoTests(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(policies.FS, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.rego") {
			return err
		}
		text, err := policies.FS.ReadFile(path)
		pack, _, _ := strings.Cut(path, "/")
		out[pack] += string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCompareControls(t *testing.T) {
	want := []string{"1.2", "1.10", "2.1", "2.1.1", "A1.2", "A.5.9", "A.5.10", "A.8.2", "CC6.1", "CC6.10", "CC7.1", "PI1.1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, policy.CompareControls)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestControlTitle(t *testing.T) {
	if got := policy.ControlTitle("soc2", "CC6.1"); got == "" {
		t.Error("CC6.1 of SOC 2 has no title")
	}
	if got := policy.ControlTitle("soc2", "CC99.1") + policy.ControlTitle("none", "CC6.1"); got != "" {
		t.Errorf("what does not exist is called %q", got)
	}
}
