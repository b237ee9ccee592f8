package tfrun

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
)

// standIn behaves as Terragrunt does, by its documentation, for the units of
// these tests: it copies the unit with the backend that its root.hcl generates
// into the folder for downloads, and runs Terraform there with the unit's inputs.
// %PREFIX% is how it names its variables, %SHIFT% what stands before Terraform's
// arguments.
const standIn = `[ "$1" = --version ] && { echo "terragrunt version v%VERSION%"; exit; }
%SHIFT%
[ -n "$%PREFIX%_NON_INTERACTIVE" ] || { echo "it would ask" >&2; exit 1; }
git rev-parse --show-toplevel >/dev/null || exit 1
echo "running $1" >&2
at="$%DOWNLOAD%/$(printf %s "$PWD" | cksum | tr ' ' -)"
mkdir -p "$at" && cp -R . "$at" || exit 1
if grep -q root.hcl terragrunt.hcl; then
  printf 'terraform {\n  backend "local" {\n    path = "%s"\n  }\n}\n' "%STATES%/$(basename "$PWD").tfstate" > "$at/backend.tf"
fi
export TF_VAR_name="$(sed -n 's/^inputs = { name = "\(.*\)" }$/\1/p' terragrunt.hcl)"
lock=$PWD/.terraform.lock.hcl
cd "$at" && "$%TFPATH%" "$@"; code=$?
[ -f .terraform.lock.hcl ] && cp .terraform.lock.hcl "$lock"
exit $code`

// eachTerragrunt runs a test with a stand-in for Terragrunt, and with the real
// one where that is at hand; with old, also with a stand-in for its old command
// line.
func eachTerragrunt(t *testing.T, old bool, f func(t *testing.T, s *site, tg *Terragrunt)) {
	kinds := []string{"stand-in", "real"}
	if old {
		kinds = append(kinds, "stand-in of old")
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			path := ""
			if kind == "real" {
				path = toolchaintest.Terragrunt(t)
			}
			tried := false
			each(t, func(t *testing.T, b Binary) {
				if tried && (kind == "real" || !old) {
					t.Skip("one of Terraform and OpenTofu is enough here")
				}
				tried = true
				s := newSite(t, b, nil)
				states := filepath.Join(s.dir, "states")
				s.unit("net", "")
				toolchaintest.Write(t, filepath.Join(s.root, "root.hcl"), `remote_state {
  backend  = "local"
  generate = { path = "backend.tf", if_exists = "overwrite" }
  config   = { path = "`+states+`/${basename(get_terragrunt_dir())}.tfstate" }
}
locals { top = get_repo_root() }
`)
				own := path
				if kind != "real" {
					own = filepath.Join(s.dir, "terragrunt")
					words := []string{"%VERSION%", "1.0.0", "%SHIFT%", `[ "$1 $2" = "run --" ] || { echo "no such command: $*" >&2; exit 1; }; shift 2`, "%PREFIX%", "TG", "%DOWNLOAD%", "TG_DOWNLOAD_DIR", "%TFPATH%", "TG_TF_PATH"}
					if kind != "stand-in" {
						words = []string{"%VERSION%", "0.58.0", "%SHIFT%", `[ "$1" != run ] || { echo "no such command: $*" >&2; exit 1; }`, "%PREFIX%", "TERRAGRUNT", "%DOWNLOAD%", "TERRAGRUNT_DOWNLOAD", "%TFPATH%", "TERRAGRUNT_TFPATH"}
					}
					toolchaintest.Write(t, own, "#!/bin/sh\n"+strings.NewReplacer(append(words, "%STATES%", states)...).Replace(standIn)+"\n")
					if err := os.Chmod(own, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				tg, err := FindTerragrunt(t.Context(), own)
				if err != nil {
					t.Fatal(err)
				}
				f(t, s, &tg)
			})
		})
	}
}

// unit lays a unit into the tree, with code of its own beside it.
func (s *site) unit(name, more string) {
	s.t.Helper()
	toolchaintest.Write(s.t, filepath.Join(s.root, "live", name, "terragrunt.hcl"), "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\ninputs = { name = \""+name+"\" }\n"+more)
	toolchaintest.Write(s.t, filepath.Join(s.root, "live", name, "main.tf"), "variable \"name\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.name\n}\noutput \"id\" {\n  value = \"id of ${var.name}\"\n}\n")
}

func (s *site) unitSpec(dir string, tg *Terragrunt) Spec {
	spec := s.spec(dir)
	spec.ManagedBackend, spec.Terragrunt = "", tg
	return spec
}

// left returns what runs have left in the work tree beside what was laid there.
// An old Terragrunt generates code in the unit's own directory; the next run
// generates it anew.
func (s *site) left(tg *Terragrunt) string {
	var out []string
	err := filepath.WalkDir(s.root, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if err == nil && (strings.HasPrefix(d.Name(), ".t") && d.Name() != ".terraform.lock.hcl" && d.Name() != ".terragrunt-cache" || d.Name() == "backend.tf" && tg.modern() || strings.Contains(d.Name(), "tfstate")) {
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestTerragruntPlanAndApply(t *testing.T) {
	eachTerragrunt(t, true, func(t *testing.T, s *site, tg *Terragrunt) {
		spec := s.unitSpec("live/net", tg)
		r, log := s.execute(spec)
		if r.Outcome != OutcomePlanned || r.Summary.Create != 1 || r.PlanDigest == "" || len(r.Diagnostics) > 0 {
			t.Fatalf("%+v\n%s", r, log)
		}
		plan := planned(t, spec)
		if got := plan.Changes[0].After["input"]; got != "net" || !strings.Contains(log, "terraform_data.a: Plan to create") {
			t.Errorf("planned %v\n%s", got, log)
		}
		// The code moves on, and what was reviewed is applied.
		s.unit("net", "# more\n")
		toolchaintest.Write(t, filepath.Join(s.root, "live/net/more.tf"), "resource \"terraform_data\" \"unseen\" {}\n")
		r, log = s.execute(applyOf(spec))
		if r.Outcome != OutcomeApplied || !r.Started || strings.Contains(log, "unseen") {
			t.Fatalf("%+v\n%s", r, log)
		}
		state, err := os.ReadFile(filepath.Join(s.dir, "states", "net.tfstate"))
		if err != nil || !strings.Contains(string(state), "id of net") || strings.Contains(string(state), "unseen") {
			t.Errorf("the state: %s, %v", state, err)
		}
		if lineage, serial, err := ReadStateHead(bytes.NewReader(state)); err != nil || serial == 0 || r.StateSerial != serial || r.StateLineage != lineage {
			t.Errorf("the apply tells serial %d of %q, %v\n%s", r.StateSerial, r.StateLineage, err, state)
		}
		if err := os.Remove(filepath.Join(s.root, "live/net/more.tf")); err != nil {
			t.Fatal(err)
		}
		s.must(s.unitSpec("live/net", tg), OutcomeNoChange)
		// The same plan a second time is stale, as Terraform says.
		if r, log := s.execute(applyOf(spec)); r.Outcome != OutcomeFailed || !r.Stale || r.Started {
			t.Errorf("%+v\n%s", r, log)
		}
		if left := s.left(tg); left != "" {
			t.Errorf("the runs left %s", left)
		}
	})
}

func TestTerragruntThatFails(t *testing.T) {
	eachTerragrunt(t, false, func(t *testing.T, s *site, tg *Terragrunt) {
		toolchaintest.Write(t, filepath.Join(s.root, "live/lone/terragrunt.hcl"), "inputs = { name = \"lone\" }\n")
		toolchaintest.Write(t, filepath.Join(s.root, "live/lone/main.tf"), "variable \"name\" {}\n"+resource)
		if r := s.must(s.unitSpec("live/lone", tg), OutcomeFailed); !strings.Contains(r.Error, "The unit live/lone declares no backend: its state would be gone with the run's folder. Give it a remote_state block") {
			t.Error(r.Error)
		}
		toolchaintest.Write(t, filepath.Join(s.root, "live/lone/state.tf"), "terraform {\n  backend \"local\" {\n    path = \"x.tfstate\"\n  }\n}\n")
		if r := s.must(s.unitSpec("live/lone", tg), OutcomeFailed); !strings.Contains(r.Error, "keeps its state in a file beside its code") {
			t.Error(r.Error)
		}
		toolchaintest.Write(t, filepath.Join(s.root, "live/net/more.tf"), "resource \"terraform_data\" \"b\" {\n  input = var.gone\n}\n")
		r := s.must(s.unitSpec("live/net", tg), OutcomeFailed)
		if !strings.Contains(r.Error, "Reference to undeclared input variable") || len(r.Diagnostics) == 0 || r.Diagnostics[0].File == "" || strings.Contains(r.Error, s.dir) {
			t.Errorf("%s\n%+v", r.Error, r.Diagnostics)
		}
		if left := s.left(tg); left != "" {
			t.Errorf("the runs left %s", left)
		}
	})
}

// TestTerragruntDependency is about what only the real one does: outputs of
// another unit, read out of its state.
func TestTerragruntDependency(t *testing.T) {
	path := toolchaintest.Terragrunt(t)
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, nil)
		tg, err := FindTerragrunt(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		toolchaintest.Write(t, filepath.Join(s.root, "root.hcl"), "remote_state {\n  backend  = \"local\"\n  generate = { path = \"backend.tf\", if_exists = \"overwrite\" }\n  config   = { path = \""+s.dir+"/states/${path_relative_to_include()}/x.tfstate\" }\n}\n")
		s.unit("net", "")
		include := "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n"
		toolchaintest.Write(t, filepath.Join(s.root, "live/app/terragrunt.hcl"), include+"terraform {\n  source = \"${get_repo_root()}/modules//app\"\n}\ndependency \"net\" {\n  config_path = \"../net\"\n}\ninputs = { name = dependency.net.outputs.id }\n")
		toolchaintest.Write(t, filepath.Join(s.root, "modules/app/main.tf"), "variable \"name\" {}\nmodule \"deep\" {\n  source = \"../deep\"\n  name   = var.name\n}\n")
		toolchaintest.Write(t, filepath.Join(s.root, "modules/deep/main.tf"), "variable \"name\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.name\n}\n")
		if r := s.must(s.unitSpec("live/app", &tg), OutcomeFailed); !strings.Contains(r.Error, "net") {
			t.Errorf("without the outputs: %s", r.Error)
		}
		net := s.unitSpec("live/net", &tg)
		s.must(net, OutcomePlanned)
		s.must(applyOf(net), OutcomeApplied)
		app := s.unitSpec("live/app", &tg)
		s.must(app, OutcomePlanned)
		if got := planned(t, app).Changes[0]; got.Address != "module.deep.terraform_data.a" || got.After["input"] != "id of net" {
			t.Errorf("%+v", got)
		}
		s.must(applyOf(app), OutcomeApplied)
		if left := s.left(&tg); left != "" {
			t.Errorf("the runs left %s", left)
		}
	})
}

func TestFindTerragrunt(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		t.Helper()
		path := filepath.Join(dir, "tg")
		toolchaintest.Write(t, path, "#!/bin/sh\n"+text+"\n")
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := FindTerragrunt(t.Context(), filepath.Join(dir, "gone")); !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "Install it from https://terragrunt") {
		t.Error(err)
	}
	for text, want := range map[string]string{"echo Terraform v1.2.3": "no Terragrunt", "exit 1": "can't be run", "echo 'terragrunt version latest'": "not understood"} {
		if _, err := FindTerragrunt(t.Context(), write(text)); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for version, modern := range map[string]bool{"0.58.0": false, "0.79.3": false, "0.80.0": true, "1.0.0": true, "2.1.0-rc1": true} {
		tg, err := FindTerragrunt(t.Context(), write("echo 'terragrunt version v"+version+"'"))
		if err != nil || tg.Version != version || tg.modern() != modern {
			t.Errorf("%s: %+v, %v", version, tg, err)
		}
	}
}

// TestThreat_TerragruntWorksInTheRunsOwnFolders: what Terragrunt says of where
// it works is believed only as far as it is the run's.
func TestThreat_TerragruntWorksInTheRunsOwnFolders(t *testing.T) {
	dir := t.TempDir()
	e := &execution{dir: filepath.Join(dir, "tree", "live"), spec: Spec{Root: filepath.Join(dir, "tree"), DataDir: filepath.Join(dir, "data"), Dir: "live", Terragrunt: &Terragrunt{}}}
	e.unit.at = filepath.Join(dir, "data", "unit")
	for _, d := range []string{"tree/live", "data/cache", "outside"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "outside"), filepath.Join(dir, "tree", "link")); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{filepath.Join(dir, "outside"), filepath.Join(dir, "tree", "link"), "/", filepath.Join(dir, "tree", "gone"), "relative", ""} {
		toolchaintest.Write(t, e.unit.at, at)
		if err := e.findUnit(); !errs.Is(err, errs.Invalid) || e.workDir() != e.dir {
			t.Errorf("%q: %v, %s", at, err, e.workDir())
		}
	}
	if err := os.Remove(e.unit.at); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "data", "cache"), e.unit.at); err != nil {
		t.Fatal(err)
	}
	if err := e.findUnit(); !errs.Is(err, errs.Invalid) {
		t.Errorf("a link: %v", err)
	}
}

func TestTerragruntHooksSeeTheUnit(t *testing.T) {
	eachTerragrunt(t, false, func(t *testing.T, s *site, tg *Terragrunt) {
		s.tool("live/net/step", `echo "in $(basename "$PWD")"; echo more >&2`)
		s.tool("live/net/value", `echo from-a-hook`)
		toolchaintest.Write(t, filepath.Join(s.root, "live/net/more.tf"), "variable \"extra\" {}\nresource \"terraform_data\" \"b\" {\n  input = var.extra\n}\n")
		spec := s.unitSpec("live/net", tg)
		spec.Hooks = []planner.Hook{
			{When: planner.BeforePlan, Run: []string{"./value"}, Env: "TF_VAR_extra"}, {When: planner.AfterInit, Run: []string{"./step"}}, {When: planner.AfterPlan, Run: []string{"./step"}},
		}
		r, log := s.execute(spec)
		if r.Outcome != OutcomePlanned || strings.Count(log, "\nin net\n") != 2 {
			t.Fatalf("%+v\n%s", r, log)
		}
		found := false
		for _, c := range planned(t, spec).Changes {
			found = found || c.After["input"] == "from-a-hook"
		}
		if !found {
			t.Error("the hook's value did not reach the unit")
		}
	})
}
