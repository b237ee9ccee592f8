package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The disk fills in the middle of an apply, so that the run's copy of the state
// can't be written. What was made is in the room that was held free for it, the
// journal says how the apply ended, and when there is room again the server
// keeps the state, encrypted, and a person pushes it. It was applied once.
func TestFault24_DiskFullDuringAnApply(t *testing.T) {
	disk := smallDisk(t, "200m")
	g := newGate(t)
	s := newStage(t, stageOptions{data: filepath.Join(disk, "data")})
	large := fmt.Sprintf("resource \"terraform_data\" \"large\" {\n  input = sensitive(join(\"\", [for i in range(1000) : %q]))\n}\n", strings.Repeat("canary-24 ", 20))
	p := s.open("feature", map[string]string{"network/main.tf": large + strings.Replace(g.apply("v2"), "  input =", "  depends_on = [terraform_data.large]\n  input =", 1)})
	s.says(p, "### 📋 Plan: 2 to add")
	s.merge(p)
	g.reached()
	// Were it free to be written, the server would do that as soon as there is
	// room, and nobody would have to do anything.
	s.exec("UPDATE states SET frozen = 'Somebody looks at it.'")
	filler := filepath.Join(disk, "filler")
	fillBut(t, disk, filler, 0)
	g.open()
	left := ""
	eventually(t, "the state to lie in the room that was held free", func() bool {
		found, err := filepath.Glob(filepath.Join(s.data, "runs", "*", "errored.tfstate"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Size() > 0 {
				left = path
			}
		}
		return left != ""
	})
	kept, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(kept), "canary-24"); n != 2*20000 { // input and output
		t.Errorf("%d of %d are in the state that is left", n, 2*20000)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	body := s.says(p, "tidelock state push-errored acme/infra/network 1")
	if !strings.Contains(body, "no space left on device") || !strings.Contains(body, "**The state of what was done is kept") || strings.Contains(body, "canary") {
		t.Errorf("the comment:\n%s", body)
	}
	eventually(t, "nothing of the state to be in the clear", func() bool {
		return len(holding(t, s.data, []string{"mirrors", "trees"}, "canary-24 canary-24")) == 0
	})
	s.exec("UPDATE states SET frozen = ''")
	if out, code := s.tidelock("state", "push-errored", "acme/infra/network", "1"); code != 0 {
		t.Fatalf("not pushed: %d\n%s", code, out)
	}
	if got := s.stateOf("network"); got != string(kept) {
		t.Errorf("what counts is not what was left: %d bytes of %d", len(got), len(kept))
	}
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
	if all := s.keptStates(); len(all) != 1 || all[0].Lock != nil {
		t.Errorf("the lock is left: %+v", all)
	}
}
