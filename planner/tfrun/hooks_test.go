package tfrun

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
)

// tool lays an executable script into the work tree.
func (s *site) tool(name, script string) {
	s.t.Helper()
	toolchaintest.Write(s.t, filepath.Join(s.root, name), "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(filepath.Join(s.root, name), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func TestHooksRunAroundAPlanAndAnApply(t *testing.T) {
	t.Setenv("TIDELOCK_CANARY", "canary-91f2")
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": "resource \"terraform_data\" \"a\" {\n  input = local.made\n}\n"})
		seen := filepath.Join(s.dir, "seen")
		s.tool("tools/gen", `printf 'locals {\n  made = "%s"\n}\n' "$1" > made.tf; ls .terraform.lock.hcl terraform.tfstate 2>/dev/null; echo "gen in $TIDELOCK_DIR of $TIDELOCK_WORKSPACE"; env >> `+seen)
		s.tool("live/show", `test -s "$PLANFILE" && grep -c resource_changes "$SHOWFILE" && echo '{"@level":"error","@message":"forged","type":"diagnostic","diagnostic":{"severity":"error","summary":"forged"}}'; env >> `+seen)
		hooks := []planner.Hook{
			{When: planner.BeforePlan, Run: []string{"../tools/gen", "$(echo no shell)"}},
			{When: planner.AfterPlan, Run: []string{"./show"}},
			{When: planner.BeforeApply, Run: []string{"test", "-s", "main.tf"}},
			{When: planner.AfterApply, Run: []string{"./show"}},
		}
		plan := s.spec("live")
		plan.Hooks, plan.Env = hooks, map[string]string{"AWS_REGION": "eu-west-1"}
		r, log := s.execute(plan)
		if r.Outcome != OutcomePlanned || len(r.Diagnostics) > 0 {
			t.Fatalf("%+v\n%s", r, log)
		}
		if got := planned(t, plan).Changes[0].After["input"]; got != "$(echo no shell)" {
			t.Errorf("the hook's argument became %q", got)
		}
		order := []string{"Hook at before_plan: ../tools/gen \"$(echo no shell)\"", "gen in live of default", "Plan to create", "Hook at after_plan: ./show", "\n1\n"}
		for at := log; len(order) > 0; order = order[1:] {
			_, after, ok := strings.Cut(at, order[0])
			if !ok {
				t.Fatalf("no %q, or not in order, in\n%s", order[0], log)
			}
			at = after
		}
		environ, err := os.ReadFile(seen)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"AWS_REGION=eu-west-1", "HOME=" + plan.Home, RunVariable + "=" + plan.RunID, "PLANFILE=" + plan.PlanFile, "SHOWFILE=" + plan.PlanJSON, "TIDELOCK_DIR=live"} {
			if !strings.Contains(string(environ), want+"\n") {
				t.Errorf("no %q in the hooks' environment", want)
			}
		}
		if strings.Contains(string(environ), "canary") {
			t.Errorf("the caller's environment got through:\n%s", environ)
		}
		r, log = s.execute(applyOf(plan))
		if r.Outcome != OutcomeApplied || r.Warning != "" || !strings.Contains(log, "Hook at before_apply: test -s main.tf\n") || !strings.Contains(log, "Hook at after_apply: ./show\n1\n") || strings.Contains(log, "before_plan") {
			t.Errorf("%+v\n%s", r, log)
		}
	})
}

func TestHooksThatFail(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource, "plain": "", "dir/x": ""})
		s.tool("fail", "echo 'what went wrong in "+s.root+"'; exit 3")
		s.tool("meddle", `echo more >> "$PLANFILE"`)
		s.tool("plant", "mkdir -p .terraform && echo other > .terraform/environment")
		outside := t.TempDir()
		toolchaintest.Write(t, filepath.Join(outside, "tool"), "#!/bin/sh\n")
		if err := os.Chmod(filepath.Join(outside, "tool"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(s.root, "link")); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name      string
			hook      planner.Hook
			terraform bool // was started all the same
			want      string
		}{
			{"before", planner.Hook{When: planner.BeforePlan, Run: []string{"./fail"}}, false, "The hook at before_plan, ./fail, failed: exit status 3. It said:\n\nwhat went wrong in ."},
			{"after", planner.Hook{When: planner.AfterPlan, Run: []string{"./fail"}}, true, "The hook at after_plan, ./fail, failed: exit status 3."},
			{"changes the plan", planner.Hook{When: planner.AfterPlan, Run: []string{"./meddle"}}, true, "changed the saved plan"},
			{"steers Terraform", planner.Hook{When: planner.BeforePlan, Run: []string{"./plant"}}, false, ".terraform must not be in the repository"},
			{"not there", planner.Hook{When: planner.BeforePlan, Run: []string{"./gone"}}, false, "no such file in the repository"},
			{"not on PATH", planner.Hook{When: planner.BeforePlan, Run: []string{"nosuchtool"}}, false, "there is no such program on the runs' PATH; one of the repository is written with a path, as ./nosuchtool"},
			{"of the tree, by its bare name", planner.Hook{When: planner.BeforePlan, Run: []string{"fail"}}, false, "no such program on the runs' PATH"},
			{"out of the tree", planner.Hook{When: planner.BeforePlan, Run: []string{"../../" + filepath.Base(outside) + "/tool"}}, false, "leads out of the repository"},
			{"out of the tree by a link", planner.Hook{When: planner.BeforePlan, Run: []string{"./link/tool"}}, false, "leads out of it"},
			{"no program", planner.Hook{When: planner.BeforePlan, Run: []string{"./plain"}}, false, "not executable"},
			{"a directory", planner.Hook{When: planner.BeforePlan, Run: []string{"./dir"}}, false, "it is no file"},
		} {
			t.Run(tc.name, func(t *testing.T) {
				spec := s.spec(".")
				spec.Hooks = []planner.Hook{tc.hook, {When: tc.hook.When, Run: []string{"echo", "the next one"}}}
				r, log := s.execute(spec)
				if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, tc.want) || strings.Contains(r.Error, s.dir) {
					t.Errorf("%s: want %q, have\n%s", r.Outcome, tc.want, r.Error)
				}
				if got := strings.Contains(log, "Plan to create"); got != tc.terraform {
					t.Errorf("Terraform was started: %v\n%s", got, log)
				}
				if tc.name != "steers Terraform" && strings.Contains(log, "the next one") {
					t.Errorf("the next hook ran:\n%s", log)
				}
				if err := os.RemoveAll(filepath.Join(s.root, ".terraform")); err != nil {
					t.Fatal(err)
				}
			})
		}
		t.Run("after the apply", func(t *testing.T) {
			spec := s.spec(".")
			spec.Hooks = []planner.Hook{{When: planner.AfterApply, Run: []string{"./fail"}}}
			s.must(spec, OutcomePlanned)
			r := s.must(applyOf(spec), OutcomeApplied)
			if r.Error != "" || !strings.Contains(r.Warning, "./fail, failed: exit status 3") || !strings.Contains(r.Warning, "applied all the same") || r.StateSerial == 0 {
				t.Errorf("%+v", r)
			}
		})
		t.Run("before the apply", func(t *testing.T) {
			s.lay(map[string]string{"main.tf": resource + "resource \"terraform_data\" \"b\" {}\n"})
			spec := s.spec(".")
			spec.Hooks = []planner.Hook{{When: planner.BeforeApply, Run: []string{"false"}}}
			s.must(spec, OutcomePlanned)
			if r := s.must(applyOf(spec), OutcomeFailed); r.Started || !strings.Contains(r.Error, "The hook at before_apply, false, failed: exit status 1.") {
				t.Errorf("%+v", r)
			}
		})
	})
}

// TestHookIsStopped stops a run while a hook waits for ever, having started
// something that holds its output open.
func TestHookIsStopped(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		fifo, never := filepath.Join(s.dir, "fifo"), filepath.Join(s.dir, "never")
		mkfifo(t, fifo)
		mkfifo(t, never)
		s.tool("wait", "cat "+never+" & echo began > "+fifo+"; wait; cat "+never)
		spec := s.spec(".")
		spec.Hooks = []planner.Hook{{When: planner.BeforePlan, Run: []string{"./wait"}}}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan Result, 1)
		var log bytes.Buffer
		go func() { ended <- Execute(ctx, spec, nil, &log) }()
		readLine(t, fifo)
		stop()
		if r := <-ended; r.Outcome != OutcomeCanceled || r.Started || strings.Contains(log.String(), "Terraform") {
			t.Errorf("%+v\n%s", r, log.String())
		}
		// Whoever still reads from the pipe would let it be opened.
		if f, err := os.OpenFile(never, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			f.Close()
			t.Error("what the hook started is alive")
		}
	})
}

func TestThreat_HookProgramStaysInTheTree(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tree/live/tool", "tree/tool", "outside/tool", "bin/git"} {
		toolchaintest.Write(t, filepath.Join(dir, name), "#!/bin/sh\n")
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"tree/live/out": dir + "/outside", "tree/live/up": "../../outside", "tree/live/in": "../tool"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	e := &execution{spec: Spec{Root: filepath.Join(dir, "tree"), Dir: "live"}, home: "live", env: map[string]string{"PATH": filepath.Join(dir, "bin") + "::.:relative"}}
	for name, want := range map[string]string{
		"./tool": "tree/live/tool", "../tool": "tree/tool", "./in": "tree/live/in", "git": "bin/git",
		"tool": "", "../../outside/tool": "", "./out/tool": "", "up/tool": "", "./../../outside/tool": "", "./a\x00b": "", "./": "", "..": "", ".": "", "./gone": "",
	} {
		got, err := e.program(name)
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestHookCheck(t *testing.T) {
	for _, h := range []planner.Hook{{}, {When: "during", Run: []string{"x"}}, {When: planner.BeforePlan, Run: nil}, {When: planner.BeforePlan, Run: []string{""}}, {When: planner.BeforePlan, Run: []string{"a", "b\x00"}}} {
		if err := h.Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", h, err)
		}
	}
	if err := (planner.Hook{When: planner.AfterApply, Run: []string{"x"}}).Check(); err != nil {
		t.Error(err)
	}
}

func TestHookOutputIsBounded(t *testing.T) {
	var log bytes.Buffer
	h := &hookOutput{out: newOutput(Spec{}, &log)}
	for range 100 {
		if n, err := h.Write(bytes.Repeat([]byte("x"), 100_000)); n != 100_000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := h.Write([]byte("\n\nlast\n")); err != nil {
		t.Fatal(err)
	}
	if log.Len() > maxHookLine+100 || len(h.last) > 200_000 || !strings.HasSuffix(log.String(), "bytes are missing.)\nlast\n") {
		t.Errorf("%d bytes in the log, %d kept", log.Len(), len(h.last))
	}
}
