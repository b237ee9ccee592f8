package policy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// TestRealCode asks the rules about code of what Terraform itself says of a
// configuration with modules in modules, provisioners, variables and outputs.
// It needs no provider but the one that is built in.
func TestRealCode(t *testing.T) {
	tool, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, home := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"main.tf": `
			variable "api_key" { default = "0123456789" }
			variable "password" {
				type      = string
				sensitive = true
				default   = "hunter2222"
			}
			variable "region" { default = "eu-west-1" }
			resource "terraform_data" "here" {
				input = var.region
				provisioner "local-exec" {
					when    = destroy
					command = "echo gone"
				}
			}
			module "outer" { source = "./outer" }
			output "shown" { value = nonsensitive(upper(var.password)) }
			output "hidden" {
				value     = var.password
				sensitive = true
			}
			output "region" { value = var.region }
		`,
		"outer/main.tf": `
			module "inner" {
				for_each = toset(["a", "b"])
				source   = "../inner"
			}
		`,
		"inner/main.tf": `
			resource "terraform_data" "Far-Down" {
				provisioner "remote-exec" {
					inline = ["true"]
					connection { host = "192.0.2.1" }
				}
			}
		`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(home, "cli.tfrc"), "")
	run := func(args ...string) string {
		t.Helper()
		var problem strings.Builder
		cmd := exec.CommandContext(t.Context(), tool.Path, args...)
		cmd.Dir, cmd.Stderr = dir, &problem
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TF_CLI_CONFIG_FILE=" + filepath.Join(home, "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s%s", tool.Name, args, err, out, problem.String())
		}
		return string(out)
	}
	run("init", "-input=false", "-no-color")
	run("plan", "-input=false", "-no-color", "-out=plan")
	r := judge(t, engine(t, policy.Options{}, nil), policy.Input{Plan: parse(t, run("show", "-json", "plan"))})
	got := []string{}
	for _, f := range r.Findings {
		got = append(got, f.Rule+" "+f.Address)
	}
	want := []string{
		"terraform.secret_defaults var.api_key",
		"terraform.secret_defaults var.password",
		"terraform.unmarked_outputs output.shown",
		"terraform.provisioners module.outer.module.inner.terraform_data.Far-Down",
		"terraform.provisioners terraform_data.here",
		`naming.labels module.outer.module.inner["a"].terraform_data.Far-Down`,
		`naming.labels module.outer.module.inner["b"].terraform_data.Far-Down`,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(r.Problems) > 0 {
		t.Errorf("problems %v, findings (-want +got):\n%s", r.Problems, diff)
	}
}
