package tfrun

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

const remote = "Successfully configured the backend" // what init alone says

// keptCode is a project that needs a module, a provider and a backend.
func (s *site) keptCode(value string) map[string]string {
	return map[string]string{
		"live/main.tf":   "terraform {\n  backend \"local\" {\n    path = \"" + filepath.Join(s.dir, "state") + "\"\n  }\n}\nmodule \"m\" {\n  source = \"../m\"\n  value  = \"" + value + "\"\n}\n",
		"m/main.tf":      "variable \"value\" {}\nprovider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = var.value\n}\n",
		"other/main.tf":  resource,
		"modules/x.tf":   "",
		"live/README.md": value,
	}
}

// keptSite is a site whose plans of one project share a data directory, as
// those of a pull request's commits do.
func keptSite(t *testing.T, b Binary) (s *site, plan func(value string, edit func(*Spec)) (Result, string)) {
	s = newSite(t, b, nil)
	s.lay(s.keptCode("a"))
	toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), toolchaintest.Mirror(t))
	return s, func(value string, edit func(*Spec)) (Result, string) {
		t.Helper()
		s.lay(s.keptCode(value))
		spec := s.spec("live")
		spec.ManagedBackend = ""
		spec.DataDir = filepath.Join(s.dir, "data", "p")
		if edit != nil {
			edit(&spec)
		}
		return s.execute(spec)
	}
}

func TestInitIsLeftOutWhereItWouldDoTheSame(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s, plan := keptSite(t, b)
		step := func(what string, r Result, log string, want Outcome, init bool) {
			t.Helper()
			if r.Outcome != want || strings.Contains(log, remote) != init || !r.LockFileChanged {
				t.Fatalf("%s: outcome %q, init ran: %v, lock file added to: %v\n%s\n%s", what, r.Outcome, strings.Contains(log, remote), r.LockFileChanged, r.Error, log)
			}
		}
		r, log := plan("a", nil)
		step("the first plan", r, log, OutcomePlanned, true)
		first := r.PlanDigest
		r, log = plan("a", nil)
		step("the same code", r, log, OutcomePlanned, false)
		if r.PlanDigest != first {
			t.Error("and another digest")
		}
		r, log = plan("b", nil)
		step("another value", r, log, OutcomePlanned, false)
		if r.PlanDigest == first {
			t.Error("another value has the same digest")
		}
		// What init reads.
		r, log = plan("a", func(*Spec) {
			toolchaintest.Write(t, filepath.Join(s.root, "m/more.tf"), "terraform {\n  required_version = \">= 1.0\"\n}\n")
		})
		step("another terraform block", r, log, OutcomePlanned, true)
		r, log = plan("a", nil)
		step("and back", r, log, OutcomePlanned, true)
		r, log = plan("a", func(spec *Spec) {
			spec.CLIConfig = filepath.Join(s.dir, "other.tfrc")
			toolchaintest.Write(t, spec.CLIConfig, toolchaintest.Mirror(t)+"# another\n")
		})
		step("another CLI configuration", r, log, OutcomePlanned, true)
		r, log = plan("a", func(spec *Spec) { spec.BinaryVersion = "" })
		step("the version that is asked for is the same", r, log, OutcomePlanned, true) // the configuration is the first again
		r, log = plan("a", nil)
		step("and once more", r, log, OutcomePlanned, false)
	})
}

// A saved plan is never applied on the chance that init is not needed, and a
// plan that turns out to need it gets it.
func TestInitIsMadeUpFor(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s, plan := keptSite(t, b)
		var spec Spec
		r, log := plan("a", func(p *Spec) { spec = *p })
		if r.Outcome != OutcomePlanned {
			t.Fatal(r.Error, log)
		}
		s.lay(s.keptCode("a"))
		if r, log := s.execute(applyOf(spec)); r.Outcome != OutcomeApplied || !strings.Contains(log, remote) && !strings.Contains(log, "Initializing the backend") {
			t.Fatalf("apply: %q\n%s\n%s", r.Outcome, r.Error, log)
		}
		if r, log := plan("a", nil); r.Outcome != OutcomeNoChange || strings.Contains(log, "Initializing the backend") {
			t.Fatalf("after the apply: %q\n%s\n%s", r.Outcome, r.Error, log)
		}
		// The record lies: it says of another backend that init was made for it.
		moved := func(*Spec) {
			text := strings.Replace(s.keptCode("a")["live/main.tf"], "/state\"", "/state2\"", 1)
			toolchaintest.Write(t, filepath.Join(s.root, "live/main.tf"), text)
		}
		forge(t, s, moved)
		if r, log := plan("a", moved); r.Outcome != OutcomePlanned || !strings.Contains(log, remote) || slices.ContainsFunc(r.Diagnostics, func(d Diagnostic) bool { return d.Severity == "error" }) {
			t.Errorf("with a wrong record: %q\n%s\n%+v\n%s", r.Outcome, r.Error, r.Diagnostics, log)
		}
	})
}

// forge makes the record claim the inputs of other code.
func forge(t *testing.T, s *site, edit func(*Spec)) {
	t.Helper()
	s.lay(s.keptCode("a"))
	edit(nil)
	spec := s.spec("live")
	spec.ManagedBackend, spec.DataDir = "", filepath.Join(s.dir, "data", "p")
	e := &execution{spec: spec, result: Result{TerraformVersion: s.binary.Version}}
	e.spec.Workspace = "default"
	root, err := os.OpenRoot(s.root)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	e.openKept(root)
	if e.inputs == "" || e.kept != nil || e.emptied {
		t.Fatalf("inputs %q, kept %v, emptied %v", e.inputs, e.kept, e.emptied)
	}
	if err := e.keepInit(); err != nil {
		t.Fatal(err)
	}
}

// One commit's run lays a module of its own where the next commit's plan would
// take it from.
func TestThreat_WhatARunLeavesInItsDataIsNotUsed(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s, plan := keptSite(t, b)
		data := filepath.Join(s.dir, "data", "p")
		for name, spoil := range map[string]func(t *testing.T){
			"a file is added": func(t *testing.T) { toolchaintest.Write(t, filepath.Join(data, "modules/evil/main.tf"), resource) },
			"the list of modules is written over": func(t *testing.T) {
				path := filepath.Join(data, "modules/modules.json")
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				toolchaintest.Write(t, path, strings.Replace(string(text), `"Dir":"../m"`, `"Dir":"../n"`, 1))
				if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
					t.Fatal(err)
				}
			},
			"a provider's link leads elsewhere": func(t *testing.T) {
				links, err := filepath.Glob(filepath.Join(data, "providers/*/*/*/*/*"))
				if err != nil || len(links) == 0 {
					t.Fatal(links, err)
				}
				if err := os.Remove(links[0]); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(s.root, links[0]); err != nil {
					t.Fatal(err)
				}
			},
			"the backend's record is gone": func(t *testing.T) {
				if err := os.Remove(filepath.Join(data, "terraform.tfstate")); err != nil {
					t.Fatal(err)
				}
			},
			"a file has a second name": func(t *testing.T) {
				if err := os.Link(filepath.Join(data, "terraform.tfstate"), filepath.Join(s.dir, "second")); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				plan("a", nil)
				if r, log := plan("a", nil); r.Outcome != OutcomePlanned || strings.Contains(log, remote) {
					t.Fatalf("init was run for nothing: %q\n%s", r.Error, log)
				}
				spoil(t)
				if r, log := plan("a", nil); r.Outcome != OutcomePlanned || !strings.Contains(log, remote) {
					t.Errorf("outcome %q\n%s\n%s", r.Outcome, r.Error, log)
				}
				if _, err := os.Stat(filepath.Join(data, "modules/evil")); err == nil {
					t.Error("what the run left is still there")
				}
			})
		}
	})
}

// Where the state is the one that an earlier plan was made of, nothing is
// planned; where it has moved, or can't be read, the plan is made.
func TestEarlierPlanStandsWhileTheStateIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s, plan := keptSite(t, b)
		first, log := plan("a", nil)
		if first.Outcome != OutcomePlanned || first.StateLineage != "" {
			t.Fatal(first, log)
		}
		ask := func(ref StateRef, want Outcome) Result {
			t.Helper()
			var spec Spec
			r, log := plan("a", func(p *Spec) { p.Standing = &ref; spec = *p })
			_, err := os.Stat(spec.PlanFile)
			if r.Outcome != want || (err == nil) != (want == OutcomeNoChange) {
				t.Errorf("with %+v: outcome %q, plan file: %v\n%s\n%s", ref, r.Outcome, err, r.Error, log)
			}
			if want == OutcomeStands && !strings.Contains(log, "it stands") {
				t.Errorf("the log does not say so:\n%s", log)
			}
			return r
		}
		ask(StateRef{}, OutcomeStands) // there is still no state
		var spec Spec
		plan("a", func(p *Spec) { spec = *p })
		s.must(applyOf(spec), OutcomeApplied)
		r, _ := plan("a", nil)
		now := StateRef{r.StateLineage, r.StateSerial}
		if now.Lineage == "" || now.Serial == 0 {
			t.Fatalf("%+v", now)
		}
		ask(now, OutcomeStands)
		ask(StateRef{}, OutcomeNoChange)
		ask(StateRef{now.Lineage, now.Serial - 1}, OutcomeNoChange)
		ask(StateRef{"another", now.Serial}, OutcomeNoChange)
		toolchaintest.Write(t, filepath.Join(s.dir, "state"), "no state")
		if r := ask(now, OutcomeFailed); r.Error == "" {
			t.Error("a broken state says nothing")
		}
	})
}
