package planner

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestScannersInTheConfiguration(t *testing.T) {
	src := func(hook string) []byte {
		return []byte("project \"shop\" {\n  dir = \"live\"\n  " + hook + "\n}\n")
	}
	cfg, err := ParseConfig(src(`hook "after_init" {
    run           = ["trivy"]
    sarif         = "out/trivy.sarif"
    levels        = { warning = "hard", note = "off" }
    findings_exit = [1, 2]
  }`), ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	h := cfg.Projects[0].Hooks[0]
	want := Hook{When: AfterInit, Run: []string{"trivy"}, SARIF: "out/trivy.sarif", Levels: map[string]string{"warning": "hard", "note": "off"}, FindingsExit: []int{1, 2}}
	if !reflect.DeepEqual(h, want) || h.Check() != nil || !h.At(AfterInit, PhasePlan) || h.At(AfterInit, PhaseApply) {
		t.Errorf("%+v", h)
	}
	for _, c := range []struct{ when, text, want string }{
		{"after_apply", `sarif = "a"`, "sarif is for hooks of a plan"},
		{"before_apply", `sarif = "a"`, "sarif is for hooks of a plan"},
		{"after_init", "sarif = \"a\"\nphase = \"apply\"", "sarif is for hooks of a plan"},
		{"before_plan", `sarif = "/etc/x"`, "is an absolute path"},
		{"before_plan", `sarif = "../x"`, "leads out of the repository; it stands in the project's directory or below"},
		{"before_plan", "sarif = \"-\"\nenv = \"TF_VAR_a\"", "have the scanner write a file"},
		{"before_plan", `levels = { error = "off" }`, "levels is for hooks with sarif"},
		{"before_plan", `findings_exit = [1]`, "findings_exit is for hooks with sarif"},
		{"before_plan", "sarif = \"a\"\nlevels = { fatal = \"off\" }", `results are of "error", "warning" or "note"`},
		{"before_plan", "sarif = \"a\"\nlevels = { error = \"soft\" }", `it can be "off", "advisory", "mandatory" or "hard"`},
		{"before_plan", "sarif = \"a\"\nfindings_exit = [0]", "from 1 to 255"},
		{"before_plan", "sarif = \"a\"\nfindings_exit = [256]", "from 1 to 255"},
		{"before_plan", "sarif = \"a\"\nfindings_exit = [" + strings.Repeat("1,", 30) + "]", "too many codes"},
	} {
		_, err := ParseConfig(src("hook \""+c.when+"\" {\nrun = [\"x\"]\n"+c.text+"\n}"), ConfigFile)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.want) || !strings.Contains(errs.Sentence(err), "tidelock.hcl:3: ") {
			t.Errorf("%s at %s: %v", c.text, c.when, err)
		}
	}
	// What a scanner's results count as is part of what shapes a plan.
	fsys := tree(map[string]string{"live/main.tf": ""})
	a, err := InputsDigest(fsys, Project{Dir: "live", Hooks: []Hook{want}})
	if err != nil {
		t.Fatal(err)
	}
	want.Levels = nil
	if b, err := InputsDigest(fsys, Project{Dir: "live", Hooks: []Hook{want}}); err != nil || a == b {
		t.Error("the levels are not in the digest", err)
	}
}
