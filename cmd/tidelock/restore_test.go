package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// A backup is made, one of two projects is applied once more, and the backup
// comes back. Both keep their states elsewhere. A plan finds the state of one as
// its last apply has left it, and lets it go; of the other it finds what the
// database does not know, and tells both serials.
func TestFault35_APlanLetsGoWhatNobodyAppliedSince(t *testing.T) {
	t.Parallel()
	states, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.tlb")
	code := func(project, version string) string {
		return "terraform {\n  backend \"local\" {\n    path = \"" + filepath.Join(states, project) + "\"\n  }\n}\nresource \"terraform_data\" \"a\" {\n  input = \"" + version + "\"\n}\n"
	}
	of := func(project string) (at run.Serial) {
		t.Helper()
		var err error
		if at.Lineage, at.Serial, err = tfrun.StateHead(filepath.Join(states, project)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	s := newStage(t, stageOptions{files: githubtest.Files{"same/main.tf": code("same", "v0"), "moved/main.tf": code("moved", "v0")}})
	applied := func(branch, plan, done string, files githubtest.Files) {
		t.Helper()
		p := s.open(branch, files)
		s.says(p, plan)
		s.merge(p)
		s.says(p, done)
	}
	applied("first", "### 📋 Plan: 2 to add", "✅ Applied 2 projects", githubtest.Files{"same/main.tf": code("same", "v1"), "moved/main.tf": code("moved", "v1")})
	if out, code := s.tidelock("backup", "--out", file); code != 0 {
		t.Fatalf("%d: %s", code, out)
	}
	known := of("moved")
	applied("second", "### 📋 Plan: 0 to add, 1 to change", "✅ Applied 1 project", githubtest.Files{"moved/main.tf": code("moved", "v2")})
	found := of("moved")
	if found.Serial <= known.Serial {
		t.Fatalf("%s, then %s", known, found)
	}

	s.stop()
	lost, err := filepath.Glob(filepath.Join(s.data, "tidelock.db*"))
	if err != nil || len(lost) == 0 {
		t.Fatal(lost, err)
	}
	for _, path := range lost {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := s.tidelock("restore", file); code != 0 || !strings.Contains(out, "Nothing is applied") {
		t.Fatalf("%d: %s", code, out)
	}
	status := func() (got recoveryJSON) {
		t.Helper()
		out, code := s.tidelock("restore", "status", "--json")
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
			t.Fatalf("%d, %v: %s", code, err, out)
		}
		return got
	}
	if got := status(); !got.Held || len(got.Projects) != 0 {
		t.Fatalf("after the restore: %+v", got)
	}
	s.start()
	p := s.open("third", githubtest.Files{"same/main.tf": code("same", "v3"), "moved/main.tf": code("moved", "v3")})
	s.says(p, "### 📋 Plan: 0 to add, 2 to change")
	got := status()
	if len(got.Projects) != 2 || got.Projects[0].Project != "moved:default" || got.Projects[1].Project != "same:default" {
		t.Fatalf("%+v", got)
	}
	if one := got.Projects[0]; one.Status != run.Differs || one.Known != known || one.Found != found {
		t.Errorf("%+v; want %s, and %s found", one, known, found)
	}
	if one := got.Projects[1]; one.Status != run.Equal || one.Known != of("same") || one.Found != one.Known {
		t.Errorf("%+v; want %s", one, of("same"))
	}
	before := of("same")
	s.merge(p)
	s.says(p, "found "+found.String()+", and the database that came back recorded "+known.String()+" last")
	eventually(t, "the one that was let go to be applied", func() bool { return of("same").Serial > before.Serial })
	if now := of("moved"); now != found {
		t.Errorf("the one that is held was applied: %s, then %s", found, now)
	}
}
