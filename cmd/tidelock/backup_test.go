package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The disk of a server is lost between plan and merge. Its database comes back
// from the replica, and nothing is applied until a person has said so.
func TestFault35_AppliesAreHeldAfterARestore(t *testing.T) {
	g, replica := newGate(t), t.TempDir()
	data := filepath.Join(t.TempDir(), "data")
	s := newStage(t, stageOptions{data: data, env: []string{"TIDELOCK_REPLICA_URL=" + replica}})
	p := s.open("feature", map[string]string{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	g.open()
	s.stop()
	lost, err := filepath.Glob(filepath.Join(data, "*tidelock.db*"))
	if err != nil || len(lost) == 0 {
		t.Fatal(lost, err)
	}
	hidden, err := filepath.Glob(filepath.Join(data, ".tidelock.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(lost, hidden...) {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := s.tidelock("restore", "--from-replica"); code != 0 || !strings.Contains(out, "Nothing is applied") {
		t.Fatalf("%d: %s", code, out)
	}
	s.start()
	s.merge(p)
	body := s.says(p, "tidelock restore finish")
	if g.times() != 0 {
		t.Errorf("applied %d times:\n%s", g.times(), body)
	}
	s.exec(`UPDATE states SET frozen = ''`) // as tidelock state thaw does, which its own tests show
	if out, code := s.tidelock("restore", "finish", "--reason", "compared"); code != 0 {
		t.Fatalf("%d: %s", code, out)
	}
	p.Comment("grace", "plan")
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("grace", "apply")
	s.says(p, "✅ Applied 1 project")
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
}
