package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// tools are what the tests run on: whatever this machine has, and OpenTofu
// besides where it was built.
var tools = sync.OnceValues(func() ([]toolchain.Binary, error) {
	ctx, o := context.Background(), toolchain.Options{Progress: os.Stderr}
	tf, err := toolchain.Terraform(ctx, o)
	if err != nil {
		return nil, err
	}
	found := []toolchain.Binary{tf}
	tofu, err := toolchain.FindOpenTofu(ctx, o)
	switch {
	case err == nil && tofu.Path != tf.Path:
		found = append(found, tofu)
	case err != nil && !errs.Is(err, errs.NotFound):
		return nil, err
	}
	return found, nil
})

var mirror = sync.OnceValues(func() (string, error) {
	return toolchain.ProviderMirror(context.Background(), toolchain.Options{Progress: os.Stderr})
})

// each runs a test on every tool.
func each(t *testing.T, test func(t *testing.T, tool toolchain.Binary)) {
	t.Helper()
	found, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range found {
		t.Run(tool.Name, func(t *testing.T) { test(t, tool) })
	}
	if len(found) < 2 {
		t.Logf("only %s was tested: no other tool is here", found[0].Name)
	}
}

// folder is a Terraform project in a folder of its own, with a folder of
// objects beside it.
type folder struct {
	t       *testing.T
	tool    toolchain.Binary
	dir     string
	objects string
	env     []string
}

// providers is the head of every project in these tests.
const providers = `
terraform {
  required_providers {
    aws     = { source = "hashicorp/aws", version = "~> 6.0" }
    azurerm = { source = "hashicorp/azurerm", version = "~> 4.0" }
    google  = { source = "hashicorp/google", version = "~> 7.0" }
  }
}
provider "aws" {
  region = "eu-west-1"
  default_tags { tags = { Owner = "platform", Environment = "test" } }
}
provider "azurerm" {
  features {}
}
provider "google" {
  project        = "acme"
  default_labels = { owner = "platform" }
}
`

func newFolder(t *testing.T, tool toolchain.Binary, config string) *folder {
	t.Helper()
	m, err := mirror()
	if err != nil {
		t.Fatal(err)
	}
	f := &folder{t: t, tool: tool, dir: t.TempDir(), objects: t.TempDir()}
	rc := filepath.Join(t.TempDir(), "cli.tfrc")
	write(t, rc, "provider_installation {\n  filesystem_mirror { path = \""+filepath.ToSlash(m)+"\" }\n}\n")
	f.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TF_CLI_CONFIG_FILE=" + rc,
		"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TIDELOCK_STANDIN_DIR=" + f.objects,
	}
	f.config(config)
	f.ok("init", "-input=false")
	return f
}

// stateOnly makes the provider forget its folder of objects.
func (f *folder) stateOnly() { f.env = append(f.env, "TIDELOCK_STANDIN_DIR=") }

func (f *folder) config(text string) {
	f.t.Helper()
	write(f.t, filepath.Join(f.dir, "main.tf"), providers+text)
}

func (f *folder) command(args ...string) *exec.Cmd {
	cmd := exec.Command(f.tool.Path, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = f.dir, f.env
	return cmd
}

// run returns what a command printed and how it ended.
func (f *folder) run(args ...string) (string, int) {
	f.t.Helper()
	var out bytes.Buffer
	cmd := f.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// ok is run for a command that must succeed.
func (f *folder) ok(args ...string) string {
	f.t.Helper()
	out, code := f.run(args...)
	if code != 0 {
		f.t.Fatalf("%s %s ended with %d:\n%s", f.tool.Name, strings.Join(args, " "), code, out)
	}
	return out
}

// fails is run for a command that must fail and say all of these.
func (f *folder) fails(args []string, says ...string) string {
	f.t.Helper()
	out, code := f.run(args...)
	if code == 0 {
		f.t.Fatalf("%s %s succeeded:\n%s", f.tool.Name, strings.Join(args, " "), out)
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ") // Terraform wraps lines
	for _, s := range says {
		if !strings.Contains(flat, s) {
			f.t.Errorf("%s %s does not say %q:\n%s", f.tool.Name, strings.Join(args, " "), s, out)
		}
	}
	return out
}

// change is what a plan's JSON says of one resource.
type change struct {
	Address string
	Change  struct {
		Actions         []string
		Before, After   map[string]any
		AfterUnknown    map[string]any `json:"after_unknown"`
		AfterSensitive  any            `json:"after_sensitive"`
		ReplacePaths    [][]any        `json:"replace_paths"`
		BeforeSensitive any            `json:"before_sensitive"`
	}
}

func (c change) action() string { return strings.Join(c.Change.Actions, "-") }

// plan plans and returns the changes that are any, by address.
func (f *folder) plan(args ...string) map[string]change {
	f.t.Helper()
	f.ok(append([]string{"plan", "-input=false", "-out=plan.bin"}, args...)...)
	var p struct {
		ResourceChanges []change `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(f.ok("show", "-json", "plan.bin")), &p); err != nil {
		f.t.Fatal(err)
	}
	changes := map[string]change{}
	for _, c := range p.ResourceChanges {
		if c.action() != "no-op" && c.action() != "read" {
			changes[c.Address] = c
		}
	}
	return changes
}

func (f *folder) apply() { f.t.Helper(); f.ok("apply", "-input=false", "-auto-approve") }

// actions are those of a plan, by address.
func actions(changes map[string]change) map[string]string {
	m := map[string]string{}
	for address, c := range changes {
		m[address] = c.action()
	}
	return m
}

// objectFiles are the files of the folder of objects.
func (f *folder) objectFiles(pattern string) []string {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(f.objects, filepath.FromSlash(pattern)))
	if err != nil {
		f.t.Fatal(err)
	}
	return files
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
