package runner

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner/tfrun"
)

const secretText = "canary-3d9e1f7a6c20"

// prey is a machine to attack: a server with its data and secrets, other
// runs, processes and listeners, beside a site of the attacker's.
type prey struct {
	*site
	data, outside, secret string
	server, victim        *exec.Cmd
	victim2               *exec.Cmd
	listener, abstract    string
}

// newPrey lays a hostile pull request out of testdata/hostile into a site whose
// runs are kept in the sandbox.
func newPrey(t *testing.T, name string, box Sandbox) *prey {
	t.Helper()
	if box.on() && LookAtHost().Landlock < abiSignals {
		t.Skipf("this machine's Landlock has version %d, and the whole of it needs %d", LookAtHost().Landlock, abiSignals)
	}
	p := &prey{site: newSite(t, "")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.data, p.outside = p.path("data"), p.path("outside")
	for _, dir := range []string{p.outside, p.path("mirror")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.secret = p.path("outside/secret-name")
	for _, file := range []string{
		"outside/secret-name", "data/tidelock.db", "data/encryption.key", "data/victim", "data/removable", "data/trees/b/main.tf", "data/runs/other/log.txt",
	} {
		p.write(file, secretText+"\n")
	}
	p.write("data/states/b/terraform.tfstate", `{"version":4,"terraform_version":"1.5.0","serial":1,"lineage":"theirs","outputs":{"password":{"value":"`+secretText+`","type":"string"}},"resources":[]}`)
	p.runner, err = New(Options{Dir: p.path("data/runs"), Self: self, Grace: 3 * time.Second, Sandbox: box})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(p.path("tree"), os.DirFS(filepath.Join("..", "..", "testdata", "hostile", name))); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join("..", "..", "testdata", "hostile", name, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("tree/main.tf", string(code))
	p.server, p.victim, p.victim2 = p.process(), p.process(), p.process()
	p.listen()
	return p
}

// process starts one of another's, with a secret in its environment.
func (p *prey) process() *exec.Cmd {
	p.t.Helper()
	cmd := exec.Command("sleep", "600")
	cmd.Env = []string{"SECRET=" + secretText}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// listen answers on TCP, UDP and an abstract socket.
func (p *prey) listen() {
	p.t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	p.abstract = "tidelock-test-" + filepath.Base(p.dir) + fmt.Sprint(os.Getpid(), tcp.Addr())
	abstract, err := net.Listen("unix", "@"+p.abstract)
	if err != nil {
		p.t.Fatal(err)
	}
	p.listener = tcp.Addr().String()
	p.t.Cleanup(func() { tcp.Close(); udp.Close(); abstract.Close() })
	for _, l := range []net.Listener{tcp, abstract} {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "world")
				c.Close()
			}
		}()
	}
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo(b[:n], from)
		}
	}()
}

// arm lays attack.sh into the tree, with the tool and what they aim at.
func (p *prey) arm(script string) {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.Link(self, p.path("tree/tool")); err != nil {
		program, err := os.ReadFile(self)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(p.path("tree/tool"), program, 0o755); err != nil {
			p.t.Fatal(err)
		}
	}
	if script == "" {
		b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "hostile", "attack.sh"))
		if err != nil {
			p.t.Fatal(err)
		}
		script = string(b)
	}
	p.write("tree/attack.sh", script)
	var targets strings.Builder
	for name, value := range map[string]any{
		"SECRET": p.secret, "DATA": p.data, "OUTSIDE": p.outside, "SERVER": p.server.Process.Pid, "VICTIM": p.victim.Process.Pid, "VICTIM2": p.victim2.Process.Pid,
		"LISTENER": p.listener, "ABSTRACT": p.abstract,
	} {
		fmt.Fprintf(&targets, "%s='%v'\n", name, value)
	}
	p.write("tree/targets.sh", targets.String())
	// The provider is the same program, started by Terraform at plan.
	program := "mirror/registry.terraform.io/evil/evil/1.0.0/linux_amd64/terraform-provider-evil_v1.0.0"
	p.write(program, "#!/bin/sh\n# Its own output stays open: Terraform ends a provider that closes it.\nsh ./attack.sh >/dev/null 2>&1\nexit 0\n")
	if err := os.Chmod(p.path(program), 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.write("cli.tfrc", string(tfrun.CLIConfig(p.path("mirror"), false)))
}

// found returns what attack.sh tried and what it got.
func (p *prey) found() (tried, got []string) {
	p.t.Helper()
	b, err := os.ReadFile(p.path("tree/found"))
	if err != nil {
		p.t.Fatalf("the attack did not run: %v", err)
	}
	for line := range strings.Lines(string(b)) {
		switch verb, name, _ := strings.Cut(strings.TrimSpace(line), " "); verb {
		case "tried":
			tried = append(tried, name)
		case "got":
			got = append(got, name)
		}
	}
	if !slices.Contains(tried, "everything") {
		p.t.Fatalf("the attack did not come to its end; it tried %v", tried)
	}
	return tried, got
}

func (p *prey) box(mode Mode) Sandbox {
	return Sandbox{Mode: mode, Read: []string{p.path("mirror")}, NoPlanNetwork: true}
}

// attackAtPlan runs attack.sh as a provider, attackAtApply as a provisioner.
func (p *prey) attackAtPlan() {
	p.t.Helper()
	p.arm("")
	if r := p.run(p.spec("plan", tfrun.KindPlan)); r.Outcome != tfrun.OutcomeFailed {
		p.t.Fatalf("a provider that is none: %+v", r)
	}
}

func (p *prey) attackAtApply() tfrun.Result {
	p.t.Helper()
	p.arm("")
	return p.planAndApply()
}

func (p *prey) planAndApply() tfrun.Result {
	p.t.Helper()
	plan := p.run(p.spec("plan", tfrun.KindPlan))
	if plan.Outcome != tfrun.OutcomePlanned {
		p.t.Fatalf("%+v", plan)
	}
	apply := p.spec("apply", tfrun.KindApply)
	apply.PlanFile = p.runner.PlanPath("plan")
	return p.run(apply)
}

// reopen has runs kept in another sandbox from now on: which folders it opens
// is only known once the site is there.
func (p *prey) reopen(box Sandbox) {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	if p.runner, err = New(Options{Dir: p.path("data/runs"), Self: self, Grace: 3 * time.Second, Sandbox: box}); err != nil {
		p.t.Fatal(err)
	}
}

// unhurt checks that everything stands as it stood.
func (p *prey) unhurt() {
	p.t.Helper()
	for _, file := range []string{"outside/secret-name", "data/tidelock.db", "data/encryption.key", "data/victim", "data/removable"} {
		if b, err := os.ReadFile(p.path(file)); err != nil || string(b) != secretText+"\n" {
			p.t.Errorf("%s: %q, %v", file, b, err)
		}
	}
	if entries, err := os.ReadDir(p.outside); err != nil || len(entries) != 1 {
		p.t.Errorf("outside are %v, %v", entries, err)
	}
	if pids := []int{p.server.Process.Pid, p.victim.Process.Pid, p.victim2.Process.Pid}; len(alive(pids)) != 3 {
		p.t.Errorf("of %v only %v are alive", pids, alive(pids))
	}
	for _, file := range []string{"tree/loot", "data/runs/plan/log.txt", "data/runs/plan/plan.json", "data/runs/plan/result.json", "data/runs/apply/log.txt", "data/runs/apply/result.json"} {
		b, err := os.ReadFile(p.path(file))
		if err == nil && strings.Contains(string(b), secretText) {
			p.t.Errorf("%s holds the secret", file)
		}
	}
}

// TestThreat_SandboxProvider: a provider of the attacker's, at plan.
func TestThreat_SandboxProvider(t *testing.T) {
	p := newPrey(t, "provider", Sandbox{Mode: ModeAuto})
	p.reopen(p.box(ModeAuto))
	p.attackAtPlan()
	tried, got := p.found()
	if len(tried) < 40 || len(got) > 0 {
		t.Errorf("of %d attacks these succeeded: %v", len(tried), got)
	}
	p.unhurt()
}

// TestThreat_SandboxProvisioner: local-exec at apply, which has the network.
func TestThreat_SandboxProvisioner(t *testing.T) {
	p := newPrey(t, "provisioner", Sandbox{Mode: ModeAuto})
	if r := p.attackAtApply(); r.Outcome != tfrun.OutcomeApplied {
		t.Fatalf("%+v", r)
	}
	tried, got := p.found()
	if len(tried) < 40 || !slices.Equal(got, []string{"tcp", "udp"}) {
		t.Errorf("of %d attacks these succeeded: %v; want tcp and udp", len(tried), got)
	}
	p.unhurt()
}

// TestThreat_SandboxAttacksAreReal: without the sandbox they succeed, or they
// would prove nothing.
func TestThreat_SandboxAttacksAreReal(t *testing.T) {
	p := newPrey(t, "provider", Sandbox{})
	p.attackAtPlan()
	tried, got := p.found()
	// What an ordinary user can't do anyway, and what this kernel or its
	// settings may refuse to all.
	mayFail := []string{"read-shadow", "mount", "make-device", "ptrace", "read-hard-link", "hard-link", "raise-limits", "read-parent-environ", "read-all-environs", "move-outside", "everything"}
	if os.Geteuid() == 0 {
		mayFail = []string{"raise-limits", "mount", "make-device", "ptrace", "read-parent-environ", "move-outside", "everything"}
	}
	t.Logf("without a sandbox, %d of %d succeed", len(got), len(tried)-1)
	for _, name := range tried {
		if !slices.Contains(got, name) && !slices.Contains(mayFail, name) {
			t.Errorf("%s fails without a sandbox, too", name)
		}
	}
}

// TestThreat_SandboxFileFunctions: what Terraform itself reads for the code.
func TestThreat_SandboxFileFunctions(t *testing.T) {
	for _, mode := range []Mode{ModeAuto, ModeOff} {
		t.Run(string(mode), func(t *testing.T) {
			p := newPrey(t, "files", Sandbox{Mode: mode})
			vars, err := json.Marshal(map[string]any{"secret": p.secret, "folder": p.outside, "server": fmt.Sprint(p.server.Process.Pid)})
			if err != nil {
				t.Fatal(err)
			}
			p.write("tree/hostile.auto.tfvars.json", string(vars))
			for name, target := range map[string]string{"link": p.secret, "linked": p.outside} {
				if err := os.Symlink(target, p.path("tree/"+name)); err != nil {
					t.Fatal(err)
				}
			}
			if r := p.run(p.spec("plan", tfrun.KindPlan)); r.Outcome != tfrun.OutcomePlanned {
				t.Fatalf("%+v", r)
			}
			b, err := os.ReadFile(p.runner.PlanJSONPath("plan"))
			if err != nil {
				t.Fatal(err)
			}
			var plan struct {
				Planned struct {
					Outputs map[string]struct{ Value any }
				} `json:"planned_values"`
			}
			if err := json.Unmarshal(b, &plan); err != nil {
				t.Fatal(err)
			}
			if len(plan.Planned.Outputs) != 12 {
				t.Fatalf("%d outputs", len(plan.Planned.Outputs))
			}
			for name, o := range plan.Planned.Outputs {
				text := fmt.Sprint(o.Value)
				closed := text == "closed" || text == "[closed]" || text == "[]"
				if mode == ModeAuto && !closed {
					t.Errorf("%s: %.200s", name, text)
				}
				if mode == ModeOff && closed && name != "up" && (name != "shadow" || os.Geteuid() == 0) {
					t.Errorf("%s is closed without a sandbox, too", name)
				}
			}
			log, err := os.ReadFile(p.runner.LogPath("plan"))
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{secretText, base64.StdEncoding.EncodeToString([]byte(secretText))[:20], "secret-name\""} {
				if mode == ModeAuto && (strings.Contains(string(b), secret+"\"") || strings.Contains(string(log), secret)) {
					t.Errorf("%s was told", secret)
				}
			}
		})
	}
}

// TestThreat_SandboxOtherState: another client's state by its path.
func TestThreat_SandboxOtherState(t *testing.T) {
	for _, mode := range []Mode{ModeAuto, ModeOff} {
		t.Run(string(mode), func(t *testing.T) {
			p := newPrey(t, "remote-state", Sandbox{Mode: mode})
			p.write("tree/hostile.auto.tfvars.json", fmt.Sprintf(`{"state":%q}`, p.path("data/states/b/terraform.tfstate")))
			r := p.run(p.spec("plan", tfrun.KindPlan))
			plan, _ := os.ReadFile(p.runner.PlanJSONPath("plan"))
			log, _ := os.ReadFile(p.runner.LogPath("plan"))
			told := strings.Contains(string(plan)+string(log)+r.Error, secretText)
			if told != (mode == ModeOff) {
				t.Errorf("told: %t; %+v", told, r)
			}
		})
	}
}

// TestThreat_SandboxPlanCantWriteItsState: whoever may only plan can read the
// project's state, as a plan must, and not change it.
func TestThreat_SandboxPlanCantWriteItsState(t *testing.T) {
	p := newPrey(t, "provider", Sandbox{Mode: ModeAuto})
	p.reopen(p.box(ModeAuto))
	p.write("state/s.tfstate", `{"version":4,"terraform_version":"1.5.0","serial":7,"lineage":"ours","outputs":{},"resources":[]}`)
	p.arm("cat \"$1\" ../state/s.tfstate >read; echo x >>../state/s.tfstate; rm -f ../state/s.tfstate; echo x >../state/new; echo tried everything >found\n")
	if r := p.run(p.spec("plan", tfrun.KindPlan)); r.Outcome != tfrun.OutcomeFailed {
		t.Fatalf("%+v", r)
	}
	p.found()
	if b, err := os.ReadFile(p.path("state/s.tfstate")); err != nil || !strings.HasSuffix(string(b), "\"resources\":[]}") {
		t.Errorf("the state is %q, %v", b, err)
	}
	if _, err := os.Stat(p.path("state/new")); err == nil {
		t.Error("a file was made beside the state")
	}
	if b, _ := os.ReadFile(p.path("tree/read")); !strings.Contains(string(b), "ours") {
		t.Errorf("the plan could not read its own state: %q", b)
	}
}

// TestThreat_SandboxLimits: what eats up the machine is stopped, and the
// result says why.
func TestThreat_SandboxLimits(t *testing.T) {
	const forever = "\nexec cat never\n"
	for _, tc := range []struct{ name, script, says string }{
		{"processes", "echo tried everything >found; i=0\nwhile [ $i -lt 300 ]; do sleep 600 & i=$((i+1)); done" + forever, "terraform.max_processes allows 100"},
		{"many files", "echo tried everything >found; for i in 1 2 3 4 5 6; do head -c 8000000 /dev/zero >fill$i; done" + forever, "terraform.disk_limit allows 20"},
		{"one large file", "echo tried large >found; head -c 100000000 /dev/zero >fill && echo got large >>found; rm -f fill; echo tried everything >>found", ""},
		{"memory", "echo tried memory >found; ./tool allocate 3000 >loot 2>&1 && echo got memory >>found; echo tried everything >>found", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPrey(t, "provider", Sandbox{Mode: ModeAuto})
			box := p.box(ModeAuto)
			box.Processes, box.Disk, box.Memory = 100, 20<<20, 2<<30
			p.reopen(box)
			p.arm(tc.script)
			if err := mkfifo(p.path("tree/never")); err != nil {
				t.Fatal(err)
			}
			r := p.run(p.spec("plan", tfrun.KindPlan))
			if r.Outcome != tfrun.OutcomeFailed || !strings.Contains(r.Error, tc.says) {
				t.Errorf("%+v; want %q", r, tc.says)
			}
			if _, got := p.found(); len(got) > 0 {
				t.Errorf("it got %v", got)
			}
		})
	}
}

// TestThreat_SandboxStrictRefuses: a machine that offers less than the
// configuration asks for runs nothing.
func TestThreat_SandboxStrictRefuses(t *testing.T) {
	full := Host{Landlock: 7, Shell: true}
	for _, tc := range []struct {
		name string
		host Host
		box  Sandbox
		ok   bool
	}{
		{"whole", full, Sandbox{Mode: ModeStrict, Memory: 1}, true},
		{"whole, with namespaces of processes", Host{Landlock: 7, Shell: true, PIDs: true}, Sandbox{Mode: ModeStrict, CPU: 1}, true},
		{"no Landlock", Host{Shell: true}, Sandbox{Mode: ModeStrict}, false},
		{"no signals", Host{Landlock: 5, Shell: true}, Sandbox{Mode: ModeStrict}, false},
		{"no network to deny", Host{Landlock: 7, Shell: true}, Sandbox{Mode: ModeStrict, NoPlanNetwork: true}, false},
		{"no shell for the limits", Host{Landlock: 7}, Sandbox{Mode: ModeStrict, Memory: 1}, false},
		{"auto takes what there is", Host{}, Sandbox{Mode: ModeAuto, Memory: 1, NoPlanNetwork: true}, true},
		{"a mode that is none", full, Sandbox{Mode: "some"}, false},
	} {
		if err := tc.box.check(tc.host); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if path, by := (Sandbox{Mode: ModeAuto, Read: []string{t.TempDir()}}).Exposes("/usr/bin"); path == "" || by != "/usr" {
		t.Errorf("/usr/bin: %q %q", path, by)
	}
}

// TestThreat_ServersMemoryIsHidden: what the server calls first keeps its
// environment from whoever has the same user, with and without a sandbox.
func TestThreat_ServersMemoryIsHidden(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root may read everybody's; its runs have that capability taken away, which TestThreat_SandboxProvider shows")
	}
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g))
	apply := s.planned()
	if err := s.runner.Start(context.Background(), apply); err != nil {
		t.Fatal(err)
	}
	g.pids()
	runner := s.runnerOf("apply")
	_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", runner.pid))
	if os.Geteuid() != 0 && err == nil {
		t.Error("a hidden process's environment can be read")
	}
	var info os.FileInfo
	if info, err = os.Stat(fmt.Sprintf("/proc/%d/environ", runner.pid)); err != nil || owner(info) != 0 {
		t.Errorf("it is not hidden: owner %d, %v", owner(info), err)
	}
	g.open()
	if r, err := s.runner.Wait(t.Context(), "apply", nil); err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Errorf("%+v, %v", r, err)
	}
}
