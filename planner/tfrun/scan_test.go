package tfrun

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/planner"
)

// scanSpec is a plan whose only hook is the scanner.
func scanSpec(s *site, h planner.Hook) Spec {
	spec := s.spec("live")
	spec.Hooks, spec.ScanDir = []planner.Hook{h}, filepath.Join(s.dir, "scans")
	return spec
}

func TestScannersLeaveTheirResults(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource, "live/out.sarif": `{"committed": true}`})
		s.tool("scan", `test -e out.sarif && exit 9; printf '{"found": "%s"}' "$2" > out.sarif; exit $1`)
		s.tool("say", `printf '{"said": 1}'; echo complaint >&2; exit 2`)
		for _, c := range []struct {
			name string
			hook planner.Hook
			want string
		}{
			{"a file", planner.Hook{When: planner.AfterInit, Run: []string{"../scan", "0", "a"}, SARIF: "out.sarif"}, `{"found": "a"}`},
			{"an exit code that says so", planner.Hook{When: planner.AfterPlan, Run: []string{"../scan", "3", "b"}, SARIF: "./out.sarif", FindingsExit: []int{2, 3}}, `{"found": "b"}`},
			{"the output", planner.Hook{When: planner.BeforePlan, Run: []string{"../say"}, SARIF: planner.ScanOutput, FindingsExit: []int{2}}, `{"said": 1}`},
		} {
			spec := scanSpec(s, c.hook)
			r, log := s.execute(spec)
			if r.Outcome != OutcomePlanned || len(r.Scans) != 1 || r.Scans[0].Problem != "" || r.Scans[0].Dir != "live" || r.Scans[0].Root != s.root {
				t.Fatalf("%s: %+v\n%s", c.name, r, log)
			}
			got, err := os.ReadFile(r.Scans[0].File)
			if err != nil || string(got) != c.want {
				t.Errorf("%s: %q %v", c.name, got, err)
			}
			if strings.Contains(log, "said") || c.name == "the output" && !strings.Contains(log, "complaint") {
				t.Errorf("%s: what it printed for us is no log, and what it complained of is:\n%s", c.name, log)
			}
			if err := os.WriteFile(filepath.Join(s.root, "live/out.sarif"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// An apply does not scan.
		spec := scanSpec(s, planner.Hook{When: planner.AfterInit, Run: []string{"../scan", "0", "a"}, SARIF: "out.sarif"})
		if r, log := s.execute(spec); r.Outcome != OutcomePlanned {
			t.Fatalf("%+v\n%s", r, log)
		}
		if r, log := s.execute(applyOf(spec)); r.Outcome != OutcomeApplied || len(r.Scans) != 0 || strings.Contains(log, "Hook at") {
			t.Errorf("%+v\n%s", r, log)
		}
	})
}

// What a scanner leaves that can't be read makes no plan fail: the plan is made
// and told that nobody has judged it. The pull request's code may have written
// it.
func TestThreat_ScannersThatLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource, "live/sub/x": ""})
		outside := filepath.Join(t.TempDir(), "clean.sarif")
		if err := os.WriteFile(outside, []byte(`{"clean": true}`), 0o600); err != nil {
			t.Fatal(err)
		}
		script := map[string]string{
			"nothing": "true", "empty": ": > out.sarif", "link": "ln -s " + outside + " out.sarif", "fifo": "mkfifo out.sarif",
			"folder": "mkdir out.sarif", "huge": "head -c 17000000 /dev/zero > out.sarif", "hidden": "echo x > out.sarif; chmod 0 out.sarif",
		}
		for name, want := range map[string]string{
			"nothing": "it left no file out.sarif", "empty": "what it wrote is empty", "link": "its out.sarif is no file", "fifo": "its out.sarif is no file",
			"folder": "its out.sarif is no file", "huge": "its file out.sarif is longer than 16 MB",
		} {
			s.tool(name, script[name])
			r, log := s.execute(scanSpec(s, planner.Hook{When: planner.AfterInit, Run: []string{"../" + name}, SARIF: "out.sarif"}))
			if r.Outcome != OutcomePlanned || len(r.Scans) != 1 || r.Scans[0].Problem != want || r.Scans[0].File != "" || !strings.Contains(log, want) {
				t.Errorf("%s: %+v\n%s", name, r, log)
			}
		}
		s.tool("gush", "head -c 17000000 /dev/zero")
		r, _ := s.execute(scanSpec(s, planner.Hook{When: planner.AfterInit, Run: []string{"../gush"}, SARIF: planner.ScanOutput}))
		if len(r.Scans) != 1 || r.Scans[0].Problem != "it wrote more than 16 MB" {
			t.Errorf("%+v", r)
		}
		// One that fails otherwise fails the plan, as any hook.
		s.tool("fail", "echo '{}' > out.sarif; echo it broke; exit 4")
		r, _ = s.execute(scanSpec(s, planner.Hook{When: planner.AfterInit, Run: []string{"../fail"}, SARIF: "out.sarif", FindingsExit: []int{1}}))
		if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, "exit status 4. It said:\n\nit broke") || len(r.Scans) != 0 {
			t.Errorf("%+v", r)
		}
		// Nor can it have its file read from elsewhere, or another one deleted.
		for _, file := range []string{"../../" + filepath.Base(filepath.Dir(outside)) + "/clean.sarif", outside, "sub"} {
			r, _ = s.execute(scanSpec(s, planner.Hook{When: planner.AfterInit, Run: []string{"../nothing"}, SARIF: file}))
			if r.Outcome != OutcomeFailed || len(r.Scans) != 0 {
				t.Errorf("%s: %+v", file, r)
			}
		}
		if _, err := os.Stat(outside); err != nil {
			t.Error(err)
		}
	})
}

func TestThreat_ScannersTellNoSecret(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource})
		s.tool("scan", `printf '{"a": "%s", "b": "%s"}' "$TOKEN" 'canary\"51c2' > out.sarif`)
		spec := scanSpec(s, planner.Hook{When: planner.AfterInit, Run: []string{"../scan"}, SARIF: "out.sarif"})
		spec.Env, spec.Secrets = map[string]string{"TOKEN": "canary-a07e", "OTHER": `canary"51c2`}, []string{"TOKEN", "OTHER"}
		r, log := s.execute(spec)
		if len(r.Scans) != 1 || r.Scans[0].File == "" {
			t.Fatalf("%+v\n%s", r, log)
		}
		got, err := os.ReadFile(r.Scans[0].File)
		if err != nil || strings.Contains(string(got), "canary") || !strings.HasPrefix(string(got), `{"a": "`) {
			t.Error(string(got), err)
		}
	})
}

func TestScannersInAnyNumber(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource})
		s.tool("scan", `echo "{\"n\": $1}" > out.sarif`)
		spec := s.spec("live")
		spec.ScanDir = filepath.Join(s.dir, "scans")
		for i := range 3 {
			spec.Hooks = append(spec.Hooks, planner.Hook{When: planner.AfterInit, Run: []string{"../scan", fmt.Sprint(i)}, SARIF: "out.sarif"})
		}
		r, log := s.execute(spec)
		if len(r.Scans) != 3 {
			t.Fatalf("%+v\n%s", r, log)
		}
		for i, scan := range r.Scans {
			got, err := os.ReadFile(scan.File)
			if err != nil || scan.Hook != i || strings.TrimSpace(string(got)) != fmt.Sprintf(`{"n": %d}`, i) {
				t.Errorf("%+v: %s %v", scan, got, err)
			}
		}
	})
}
