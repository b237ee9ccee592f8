package runner

import (
	"os"
	"testing"

	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestThreat_WhatAPlanLeavesBehindEndsBeforeItIsShown: a program that code under
// plan started, and that made a session of its own, could write the saved plan
// anew once it was shown, and people would approve another than is applied.
// What a hook leaves could lay a module into the data directory while init's
// work is recorded there.
func TestThreat_WhatAPlanLeavesBehindEndsBeforeItIsShown(t *testing.T) {
	s := newSite(t, plain)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The sandbox lets no command ask after another's processes: it is left out.
	if s.runner, err = New(Options{Dir: s.path("runs"), Self: self}); err != nil {
		t.Fatal(err)
	}
	// Terraform, whose plan leaves a program as an external data source could.
	script := "#!/bin/sh\n" +
		"look() { for name in hooked planned; do kill -0 \"$(cat '" + s.dir + "'/$name 2>/dev/null)\" 2>/dev/null && echo \"$1 $name\" >> '" + s.dir + "/alive'; done; }\n" +
		"case \"$1\" in\n" +
		"init) look init ;;\n" +
		"show) look show ;;\n" +
		"plan) '" + s.binary.Path + "' \"$@\"; code=$?; setsid sleep 600 < /dev/null > /dev/null 2>&1 & echo $! > '" + s.dir + "/planned'; exit $code ;;\n" +
		"esac\nexec '" + s.binary.Path + "' \"$@\"\n"
	s.write("terraform", script)
	if err := os.Chmod(s.path("terraform"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.binary = tfrun.Binary{Path: s.path("terraform"), Version: s.binary.Version}
	plan := s.spec("plan", tfrun.KindPlan)
	plan.Hooks = []planner.Hook{{When: planner.BeforePlan, Run: []string{"sh", "-c", "setsid sleep 600 < /dev/null > /dev/null 2>&1 & echo $! > ../hooked"}}}
	if r := s.run(plan); r.Outcome != tfrun.OutcomePlanned {
		t.Fatalf("%+v", r)
	}
	for _, name := range []string{"hooked", "planned"} {
		if text, err := os.ReadFile(s.path(name)); err != nil || len(text) < 2 {
			t.Fatalf("the program was not started: %q, %v", text, err)
		}
	}
	if text, err := os.ReadFile(s.path("alive")); err == nil {
		t.Errorf("alive at that step:\n%s", text)
	}
}
