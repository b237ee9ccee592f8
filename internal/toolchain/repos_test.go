package toolchain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/toolchain"
)

const testdata = "../../testdata"

// plan inits and plans one root module and counts its changes by action.
func plan(t *testing.T, tf toolchain.Binary, env []string, dir string, args ...string) map[string]int {
	t.Helper()
	terraform(t, tf, env, dir, "init", "-input=false")
	terraform(t, tf, env, dir, append([]string{"plan", "-input=false", "-out=plan.bin"}, args...)...)
	var p struct {
		ResourceChanges []struct {
			Change struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(terraform(t, tf, env, dir, "show", "-json", "plan.bin"), &p); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, c := range p.ResourceChanges {
		if action := strings.Join(c.Change.Actions, "-"); action != "no-op" && action != "read" {
			count[action]++
		}
	}
	return count
}

func terraform(t *testing.T, tf toolchain.Binary, env []string, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tf.Path, append(args, "-no-color")...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s in %s: %v\n%s%s", strings.Join(cmd.Args, " "), dir, err, out, stderr.String())
	}
	return out
}

func environment(t *testing.T, mirror string) []string {
	t.Helper()
	rc := filepath.Join(t.TempDir(), "cli.tfrc")
	if err := os.WriteFile(rc, []byte("provider_installation {\n  filesystem_mirror { path = \""+filepath.ToSlash(mirror)+"\" }\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
}

func tools(t *testing.T) (toolchain.Binary, string) {
	t.Helper()
	o := toolchain.Options{Progress: os.Stderr}
	tf, err := toolchain.Terraform(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := toolchain.ProviderMirror(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tf, mirror
}

// lay copies folders over one another.
func lay(t *testing.T, into string, from ...string) {
	t.Helper()
	for _, dir := range from {
		if _, err := os.Stat(dir); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			to := filepath.Join(into, rel)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, text, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The clients' repositories under testdata plan and apply with what this
// package provides, and the pull requests change what they say they do.
func TestClientRepositories(t *testing.T) {
	tf, mirror := tools(t)
	for _, c := range []struct {
		repo, dir string
		args      []string
		creates   int
		pulls     map[string]map[string]int // what each pull does once all is applied
	}{
		{repo: "acme-infra", dir: "network", creates: 14},
		{repo: "acme-infra", dir: "app", creates: 14, pulls: map[string]map[string]int{
			"grow-web":  {"create": 2, "update": 2},
			"open-ssh":  {"create": 2},
			"mend-ssh":  {"create": 2},
			"docs-only": {},
		}},
		{repo: "acme-infra", dir: "data", creates: 8, pulls: map[string]map[string]int{"drop-database": {"delete-create": 1}}},
		{repo: "globex-platform", dir: "azure", args: []string{"-var-file=staging.tfvars"}, creates: 7},
		{repo: "globex-platform", dir: "azure", args: []string{"-var-file=prod.tfvars"}, creates: 7, pulls: map[string]map[string]int{"bigger-nodes": {"update": 1}}},
		{repo: "globex-platform", dir: "gcp", args: []string{"-var-file=prod.tfvars"}, creates: 7},
		{repo: "twenty", dir: ".", creates: 20},
	} {
		t.Run(strings.Join(append([]string{c.repo, c.dir}, c.args...), " "), func(t *testing.T) {
			env := environment(t, mirror)
			tree := t.TempDir()
			lay(t, tree, filepath.Join(testdata, "repos", c.repo))
			dir := filepath.Join(tree, c.dir)
			if diff := cmp.Diff(map[string]int{"create": c.creates}, plan(t, tf, env, dir, c.args...)); diff != "" {
				t.Errorf("the first plan:\n%s", diff)
			}
			terraform(t, tf, env, dir, "apply", "-input=false", "plan.bin")
			for name, want := range c.pulls {
				branch := t.TempDir()
				lay(t, branch, filepath.Join(testdata, "repos", c.repo), filepath.Join(testdata, "pulls", c.repo, name))
				state, err := os.ReadFile(filepath.Join(dir, "terraform.tfstate"))
				if err != nil {
					t.Fatal(err)
				}
				at := filepath.Join(branch, c.dir)
				if err := os.WriteFile(filepath.Join(at, "terraform.tfstate"), state, 0o644); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, plan(t, tf, env, at, c.args...)); diff != "" {
					t.Errorf("pull request %s:\n%s", name, diff)
				}
			}
		})
	}
}

// The provider's program is found by the content of its own files: it must not
// import others of ours, whose change would go unseen.
func TestProviderStandsAlone(t *testing.T) {
	out, err := exec.CommandContext(context.Background(), "go", "list", "-deps", "github.com/tidelock/tidelock/cmd/terraform-provider-standin").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		p := strings.TrimSpace(line)
		if strings.HasPrefix(p, "github.com/tidelock/tidelock/") && p != "github.com/tidelock/tidelock/cmd/terraform-provider-standin" {
			t.Errorf("the stand-in provider imports %s", p)
		}
	}
}
