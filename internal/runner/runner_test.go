package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestMain lets the test binary be what it tests: `runner --dir DIR` is the
// runner process, `server DIR SPEC` a server that starts a run and waits.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "runner" {
		os.Exit(Main(context.Background(), os.Args[3]))
	}
	if len(os.Args) == 4 && os.Args[1] == "server" {
		os.Exit(serve(os.Args[2], os.Args[3]))
	}
	if filepath.Base(os.Args[0]) == "tool" && len(os.Args) > 1 {
		os.Exit(attackTool(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func serve(dir, specJSON string) int {
	var spec tfrun.Spec
	if err := json.Unmarshal([]byte(specJSON), &spec); err != nil {
		panic(err)
	}
	r := newRunner(dir)
	if err := r.Start(context.Background(), spec); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println("started")
	select {} // until it is killed
}

func newRunner(dir string) *Runner {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	r, err := New(Options{Dir: dir, Self: self, Grace: 20 * time.Second, Sandbox: testSandbox(filepath.Dir(dir))})
	if err != nil {
		panic(err)
	}
	return r
}

// site is a work tree and a folder of runs.
type site struct {
	t      *testing.T
	binary tfrun.Binary
	dir    string
	runner *Runner
}

func newSite(t *testing.T, code string) *site {
	t.Helper()
	return newSiteIn(t, t.TempDir(), code)
}

func newSiteIn(t *testing.T, dir, code string) *site {
	t.Helper()
	tool, err := toolchain.Terraform(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	b := tfrun.Binary{Path: tool.Path, Version: tool.Version}
	s := &site{t: t, binary: b, dir: dir}
	s.write("tree/main.tf", code)
	s.write("cli.tfrc", string(tfrun.CLIConfig("", false)))
	s.runner = newRunner(filepath.Join(s.dir, "runs"))
	t.Cleanup(func() { // a test that failed leaves nothing running
		now, cancel := context.WithCancel(context.Background())
		cancel()
		runs, _ := os.ReadDir(s.path("runs"))
		for _, run := range runs {
			if err := s.runner.Stop(now, run.Name()); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, content string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) spec(id string, kind tfrun.Kind) tfrun.Spec {
	spec := tfrun.Spec{
		RunID: id, Kind: kind, Binary: s.binary.Path, BinaryVersion: s.binary.Version, Root: s.path("tree"), Dir: ".",
		CLIConfig: s.path("cli.tfrc"), ManagedBackend: s.path("state/s.tfstate"),
	}
	return spec
}

// planned plans, and returns the spec of the apply of that plan.
func (s *site) planned() tfrun.Spec {
	s.t.Helper()
	if r := s.run(s.spec("plan", tfrun.KindPlan)); r.Outcome != tfrun.OutcomePlanned {
		s.t.Fatalf("plan: %+v", r)
	}
	apply := s.spec("apply", tfrun.KindApply)
	apply.PlanFile, apply.PlanJSON = s.runner.PlanPath("plan"), s.runner.PlanJSONPath("plan")
	return apply
}

func (s *site) run(spec tfrun.Spec) tfrun.Result {
	s.t.Helper()
	if err := s.runner.Start(s.t.Context(), spec); err != nil {
		s.t.Fatal(err)
	}
	r, err := s.runner.Wait(s.t.Context(), spec.RunID, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *site) state(id string) State {
	s.t.Helper()
	state, err := s.runner.State(id)
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

// gate is a pair of pipes by which a provisioner tells that it began, with
// the pids of its processes, and waits to be let go on.
type gate struct {
	t       *testing.T
	told    string
	release string
	never   string
}

func (s *site) gate() gate {
	g := gate{t: s.t, told: s.path("told"), release: s.path("go"), never: s.path("never")}
	for _, p := range []string{g.told, g.release, g.never} {
		if err := syscall.Mkfifo(p, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return g
}

// code is an object whose creation counts itself, leaves a daemon in a session
// of its own that never ends by itself, and then waits at the gate.
func (s *site) code(g gate) string {
	script := fmt.Sprintf("echo once >> %s; setsid cat %s > /dev/null 2>&1 & echo $$ $! > %s; cat %s", s.path("effects"), g.never, g.told, g.release)
	return "resource \"terraform_data\" \"a\" {\n  input = 1\n  provisioner \"local-exec\" {\n    command = <<-EOT\n" + script + "\nEOT\n  }\n}\n"
}

// pids waits until the provisioner began.
func (g gate) pids() []int {
	g.t.Helper()
	// Opened for both, opening does not wait for one who writes: a provisioner
	// that never begins is a failure that tells itself, and not a test that hangs.
	f, err := os.OpenFile(g.told, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		g.t.Fatal(err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		g.t.Fatalf("the provisioner did not begin: %v\n%s", err, g.records())
	}
	var out []int
	for _, w := range strings.Fields(line) {
		pid, err := strconv.Atoi(w)
		if err != nil {
			g.t.Fatal(err)
		}
		out = append(out, pid)
	}
	return outside(g.t, filepath.Dir(g.told), out)
}

// records is what the site's runs have written about themselves.
func (g gate) records() string {
	var b strings.Builder
	for _, name := range []string{journalFile, stderrFile, logFile, resultFile} {
		paths, _ := filepath.Glob(filepath.Join(filepath.Dir(g.told), "runs", "*", name))
		for _, p := range paths {
			text, _ := os.ReadFile(p)
			fmt.Fprintf(&b, "%s:\n%s\n", p, text)
		}
	}
	return b.String()
}

// outside returns the numbers by which the machine knows processes that told
// their own: in a namespace they have others. Their environment names dir.
func outside(t *testing.T, dir string, told []int) []int {
	t.Helper()
	out := make([]int, len(told))
	// A process has no environment to be read while it becomes another program.
	eventually(t, fmt.Sprintf("the processes %v are found", told), func() bool {
		find(dir, told, out)
		return !slices.Contains(out, 0)
	})
	return out
}

// find fills out with the numbers of those that it finds.
func find(dir string, told, out []int) {
	for _, p := range processes() {
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
		if !strings.Contains(string(environ), dir) {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "\nNSpid:")
		line, _, _ := strings.Cut(rest, "\n")
		numbers := strings.Fields(line)
		for i, pid := range told {
			if len(numbers) > 0 && numbers[len(numbers)-1] == strconv.Itoa(pid) {
				out[i] = p.pid
			}
		}
	}
}

// open lets the provisioner go on.
func (g gate) open() {
	g.t.Helper()
	f, err := os.OpenFile(g.release, os.O_WRONLY, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	f.Close()
}

func (s *site) effects() string {
	b, _ := os.ReadFile(s.path("effects"))
	return strings.ReplaceAll(string(b), "\n", " ")
}

func alive(pids []int) []int {
	var out []int
	for _, pid := range pids {
		if p, ok := readProcess(pid); ok && !p.zombie {
			out = append(out, pid)
		}
	}
	return out
}

// runnerOf waits until the run has a runner process, and returns it.
func (s *site) runnerOf(id string) process {
	s.t.Helper()
	h, err := readHistory(s.runner.Dir(id))
	if err != nil || !h.started {
		s.t.Fatalf("no runner of %s: %v", id, err)
	}
	p, ok := readProcess(h.runner.PID)
	if !ok || p.start != h.runner.StartTime {
		s.t.Fatalf("the runner of %s is gone", id)
	}
	return p
}

// terraformOf finds the terraform process below a runner.
func (s *site) terraformOf(runner process) process {
	s.t.Helper()
	for _, p := range descendants(runner.pid) {
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.pid)); exe == s.realBinary() {
			return p
		}
	}
	s.t.Fatal("no terraform below the runner")
	return process{}
}

func (s *site) realBinary() string {
	p, err := filepath.EvalSymlinks(s.binary.Path)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

const plain = "resource \"terraform_data\" \"a\" {\n  input = 1\n}\nresource \"terraform_data\" \"b\" {\n  input = 2\n}\n"

func TestPlanThenApply(t *testing.T) {
	s := newSite(t, plain)
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	var last Progress
	r, err := s.runner.Wait(t.Context(), "apply", func(p Progress) { last = p })
	if err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Fatalf("%+v, %v", r, err)
	}
	if last.Done != 2 || last.Total != 2 || last.Address == "" {
		t.Errorf("last progress %+v", last)
	}
	log, err := os.ReadFile(s.runner.LogPath("apply"))
	if err != nil || !strings.Contains(string(log), "Apply complete! Resources: 2 added") {
		t.Errorf("log: %v\n%s", err, log)
	}
	for _, id := range []string{"plan", "apply"} {
		if err := s.runner.Remove(id); err != nil {
			t.Error(err)
		}
		if s.state(id) != StateAbsent {
			t.Errorf("%s is %s after Remove", id, s.state(id))
		}
	}
}

func TestStates(t *testing.T) {
	s := newSite(t, plain)
	if got := s.state("none"); got != StateAbsent {
		t.Errorf("%s, want absent", got)
	}
	if _, err := s.runner.Wait(t.Context(), "none", nil); !errors.Is(err, ErrNotStarted) {
		t.Errorf("Wait for nothing: %v", err)
	}
	for _, id := range []string{"", "../x", "a/b", ".", strings.Repeat("x", 65)} {
		if _, err := s.runner.State(id); err == nil {
			t.Errorf("the ID %q is taken", id)
		}
		if err := s.runner.Start(t.Context(), tfrun.Spec{RunID: id}); err == nil {
			t.Errorf("a run %q is started", id)
		}
	}
}

// TestFault08_StartedOnlyWhenNothingStarted: the server died after it meant to
// apply. What the folder holds then decides.
func TestFault08_StartedOnlyWhenNothingStarted(t *testing.T) {
	s := newSite(t, plain)
	apply := s.planned()
	if err := s.runner.Prepare("apply"); err != nil {
		t.Fatal(err)
	}
	// A runner that got the lock and died before it began.
	j, err := openJournal(s.runner.Dir("apply"))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.write(entry{Event: eventStarted, PID: 1 << 30, Boot: bootID()}, true); err != nil {
		t.Fatal(err)
	}
	if got := s.state("apply"); got != StatePrepared {
		t.Fatalf("state %s, want prepared", got)
	}
	if _, err := s.runner.Wait(t.Context(), "apply", nil); !errors.Is(err, ErrNotStarted) {
		t.Errorf("Wait: %v, want ErrNotStarted", err)
	}
	if r := s.run(apply); r.Outcome != tfrun.OutcomeApplied {
		t.Fatalf("%+v", r)
	}
	// Another one that had begun: nobody may start it again.
	if err := s.runner.Prepare("lost"); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(s.runner.Dir("lost")); err != nil {
		t.Fatal(err)
	}
	for _, e := range []entry{{Event: eventStarted, PID: 1 << 30, Boot: bootID()}, {Event: eventExecuting}} {
		if err := j.write(e, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.runner.Wait(t.Context(), "lost", nil); !errors.Is(err, ErrInterrupted) {
		t.Errorf("Wait: %v, want ErrInterrupted", err)
	}
	apply.RunID = "lost"
	if err := s.runner.Start(t.Context(), apply); !errs.Is(err, errs.Conflict) {
		t.Errorf("Start: %v, want a conflict", err)
	}
}

// TestFault08_SlowRunnerOfADeadServer: a runner process that an earlier server
// started gets to run only after another was started. It must do nothing.
func TestFault08_SlowRunnerOfADeadServer(t *testing.T) {
	s := newSite(t, plain)
	apply := s.planned()
	if err := s.runner.Prepare("apply"); err != nil {
		t.Fatal(err)
	}
	s.runner.fill(&apply)
	old, err := s.runner.lay(apply)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := s.runner.lay(apply)
	if err != nil {
		t.Fatal(err)
	}
	for nonce, want := range map[string]string{old: "superseded", "": "superseded"} {
		cmd := exec.Command(s.runner.opts.Self, "runner", "--dir", s.runner.Dir("apply"))
		cmd.Stdin = strings.NewReader(`{"nonce":"` + nonce + `"}`)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %s", err, out)
		}
	}
	cmd := exec.Command(s.runner.opts.Self, "runner", "--dir", s.runner.Dir("apply"))
	cmd.Stdin = strings.NewReader(`{"nonce":"` + fresh) // the server died while it wrote
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("a cut pass was taken: %s", out)
	}
	if got := s.state("apply"); got != StatePrepared {
		t.Fatalf("state %s, want prepared", got)
	}
	if err := s.runner.spawn(t.Context(), apply, fresh); err != nil {
		t.Fatal(err)
	}
	if r, err := s.runner.Wait(t.Context(), "apply", nil); err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestStartsAtMostOnce(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		wg.Go(func() {
			err := newRunner(s.path("runs")).Start(context.Background(), apply)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errs.Is(err, errs.Conflict) {
				t.Logf("a start that lost: %v", err)
			}
		})
	}
	g.pids()
	g.open()
	wg.Wait()
	if r, err := s.runner.Wait(t.Context(), "apply", nil); err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Fatalf("%+v, %v", r, err)
	}
	if s.effects() != "once " {
		t.Errorf("the effects happened %q", s.effects())
	}
	if won == 0 {
		t.Error("nobody was told that the run was started")
	}
}

// TestFault09_ServerKilledMidApply: the runner goes on, and the next server
// adopts it.
func TestFault09_ServerKilledMidApply(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	js, err := json.Marshal(apply)
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(s.runner.opts.Self, "server", s.path("runs"), string(js))
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("the server said %q, %v", line, err)
	}
	pids := g.pids()
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	next := newRunner(s.path("runs"))
	if state, err := next.State("apply"); err != nil || state != StateRunning {
		t.Fatalf("state %s, %v: the runner did not survive", state, err)
	}
	if err := next.Start(t.Context(), apply); !errs.Is(err, errs.Conflict) {
		t.Errorf("Start: %v, want a conflict", err)
	}
	if err := next.Remove("apply"); !errs.Is(err, errs.Conflict) {
		t.Errorf("Remove: %v, want a conflict", err)
	}
	done := make(chan tfrun.Result, 1)
	go func() {
		r, err := next.Wait(context.Background(), "apply", nil)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	g.open()
	if r := <-done; r.Outcome != tfrun.OutcomeApplied || r.StateSerial == 0 {
		t.Errorf("%+v", r)
	}
	if s.effects() != "once " {
		t.Errorf("the effects happened %q", s.effects())
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	// Fault 11: the result was not stored by then: it is read again, not run again.
	if r, err := newRunner(s.path("runs")).Wait(t.Context(), "apply", nil); err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Errorf("read again: %+v, %v", r, err)
	}
}

func TestFault10_RunnerKilledMidApply(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	pids := g.pids()
	runner := s.runnerOf("apply")
	pids = append(pids, runner.pid, s.terraformOf(runner).pid)
	if err := syscall.Kill(runner.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r, err := s.runner.Wait(t.Context(), "apply", nil); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("%+v, %v; want ErrInterrupted", r, err)
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if got := s.state("apply"); got != StateLost {
		t.Errorf("state %s, want lost", got)
	}
	if err := s.runner.Start(t.Context(), apply); !errs.Is(err, errs.Conflict) {
		t.Errorf("Start: %v, want a conflict", err)
	}
	if s.effects() != "once " {
		t.Errorf("the effects happened %q", s.effects())
	}
}

// The next attempt works in the same tree: what the last one left must be gone
// before its folder is.
func TestFault04_RemoveEndsWhatALostRunLeft(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	pids := g.pids()
	runner := s.runnerOf("apply")
	pids = append(pids, runner.pid, s.terraformOf(runner).pid)
	if err := syscall.Kill(runner.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	next := newRunner(s.path("runs")) // a server that never waited for the run
	for errs.Is(next.Remove("apply"), errs.Conflict) {
		runtime.Gosched() // until the kernel has ended the runner and with it its lock
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if got := s.state("apply"); got != StateAbsent {
		t.Errorf("state %s, want absent", got)
	}
}

func TestFault10_TerraformKilledMidApply(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	pids := g.pids()
	terraform := s.terraformOf(s.runnerOf("apply"))
	if err := syscall.Kill(terraform.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r, err := s.runner.Wait(t.Context(), "apply", nil)
	if err != nil || r.Outcome != tfrun.OutcomeInterrupted || !r.Started {
		t.Fatalf("%+v, %v; want interrupted", r, err)
	}
	if left := alive(append(pids, terraform.pid)); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

func TestStopLetsTerraformEnd(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	pids := g.pids()
	if err := s.runner.Stop(t.Context(), "apply"); err != nil {
		t.Fatal(err)
	}
	r, err := s.runner.Wait(t.Context(), "apply", nil)
	if err != nil || r.Outcome != tfrun.OutcomeCanceled || !r.Started {
		t.Errorf("%+v, %v; want canceled", r, err)
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	// Terraform wrote the state: the object is there, tainted.
	if b, _ := os.ReadFile(s.path("state/s.tfstate")); !strings.Contains(string(b), "tainted") {
		t.Errorf("the state does not tell of the object: %s", b)
	}
	if err := s.runner.Stop(t.Context(), "apply"); err != nil {
		t.Errorf("Stop of what has ended: %v", err)
	}
}

// TestFault27_TerraformHangs: it does not answer the interrupt.
func TestFault27_TerraformHangs(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	apply.Grace = 200 * time.Millisecond
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	pids := g.pids()
	terraform := s.terraformOf(s.runnerOf("apply"))
	if err := syscall.Kill(terraform.pid, syscall.SIGSTOP); err != nil { // as deaf as can be
		t.Fatal(err)
	}
	if err := s.runner.Stop(t.Context(), "apply"); err != nil {
		t.Fatal(err)
	}
	r, err := s.runner.Wait(t.Context(), "apply", nil)
	if err != nil || r.Outcome != tfrun.OutcomeInterrupted {
		t.Errorf("%+v, %v; want interrupted", r, err)
	}
	if left := alive(append(pids, terraform.pid)); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestFault27_RunnerHangs: not even the runner answers.
func TestFault27_RunnerHangs(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	pids := g.pids()
	runner := s.runnerOf("apply")
	pids = append(pids, runner.pid, s.terraformOf(runner).pid)
	if err := syscall.Kill(runner.pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no more patience
	if err := s.runner.Stop(ctx, "apply"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.runner.Wait(t.Context(), "apply", nil); !errors.Is(err, ErrInterrupted) {
		t.Errorf("%v, want ErrInterrupted", err)
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

func TestThreat_CredentialsNeverTouchTheDisk(t *testing.T) {
	const canary = "canary-41ab-credential"
	t.Setenv("TIDELOCK_BOT_SECRET", "canary-of-the-bot")
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	apply.Env = map[string]string{"AWS_SECRET_ACCESS_KEY": canary}
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	g.pids()
	runner := s.runnerOf("apply")
	terraform := s.terraformOf(runner)
	if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", terraform.pid)); !strings.Contains(string(b), canary) || strings.Contains(string(b), "canary-of-the-bot") {
		t.Errorf("terraform's environment is wrong: %q", b)
	}
	if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", runner.pid)); strings.Contains(string(b), "canary") {
		t.Errorf("the runner's environment is not clean: %q", b)
	}
	for _, p := range append(descendants(runner.pid), runner) {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid)); strings.Contains(string(b), "canary") {
			t.Errorf("a command line shows a secret: %q", b)
		}
	}
	g.open()
	if r, err := s.runner.Wait(t.Context(), "apply", nil); err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Fatalf("%+v, %v", r, err)
	}
	err := filepath.WalkDir(s.path("runs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), "canary") {
			t.Errorf("%s holds a secret", path)
		}
		if info, ierr := d.Info(); ierr == nil && info.Mode().Perm()&0o077 != 0 && !strings.Contains(path, "/data/") && !strings.Contains(path, "/home/") {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStartFailsPlainly(t *testing.T) {
	s := newSite(t, plain)
	r, err := New(Options{Dir: s.path("runs"), Self: "/nonexistent/tidelock"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), s.spec("x", tfrun.KindPlan)); err == nil {
		t.Error("a binary that is not there was started")
	}
	if r, err = New(Options{Dir: s.path("runs"), Self: "/bin/false"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), s.spec("x", tfrun.KindPlan)); err == nil || !strings.Contains(err.Error(), "did not begin") {
		t.Errorf("a binary that does nothing: %v", err)
	}
	if got := s.state("x"); got != StatePrepared {
		t.Errorf("state %s, want prepared", got)
	}
	if r := s.run(s.spec("x", tfrun.KindPlan)); r.Outcome != tfrun.OutcomePlanned {
		t.Errorf("%+v", r)
	}
}

func TestFollowerReadsWholeLinesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	f := follower{path: path}
	for _, step := range []struct {
		add  string
		want int
	}{{"", 0}, {`{"event":"a"}` + "\n" + `{"eve`, 1}, {`nt":"b"}`, 0}, {"\n" + `{"event":"c"}` + "\n", 2}} {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(step.add); err != nil {
			t.Fatal(err)
		}
		file.Close()
		if got, err := f.next(); err != nil || len(got) != step.want {
			t.Errorf("after %q: %v, %v", step.add, got, err)
		}
	}
}
