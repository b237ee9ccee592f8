package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

const (
	// TerragruntVersion is the Terragrunt that tests are held against.
	TerragruntVersion = "1.0.0"
	// TerragruntVariable names the environment variable that has tests build
	// it, where it is in nobody's cache yet.
	TerragruntVariable = "TIDELOCK_TEST_TERRAGRUNT"
)

const terragruntModule = "github.com/gruntwork-io/terragrunt"

// FindTerragrunt returns the path of the Terragrunt on PATH or in the cache,
// errs.NotFound when there is none: tests of the real one then skip.
func FindTerragrunt(o Options) (string, error) {
	if path, err := exec.LookPath("terragrunt"); err == nil {
		return filepath.Abs(path)
	}
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	if path := terragruntPath(cache); isFile(path) {
		return path, nil
	}
	return "", errs.New(errs.NotFound, "There is no Terragrunt on PATH, and none was built. %s=1 has it built, once, in about 5 minutes.", TerragruntVariable)
}

// Terragrunt is FindTerragrunt, and builds it where there is none: that takes
// go, its module proxy, some minutes and 2 GB of memory.
func Terragrunt(ctx context.Context, o Options) (string, error) {
	path, err := FindTerragrunt(o)
	if err == nil || !errs.Is(err, errs.NotFound) {
		return path, err
	}
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	r := newReport(o.Progress)
	unlock, err := lock(ctx, cache, "terragrunt", r)
	if err != nil {
		return "", fmt.Errorf("build Terragrunt: %w", err)
	}
	defer unlock()
	if path = terragruntPath(cache); isFile(path) { // somebody else built it while we waited
		return path, nil
	}
	goTool, err := findGo()
	if err != nil {
		return "", err
	}
	r.say("Building Terragrunt %s from source, once. It takes about 5 minutes on two cores.", TerragruntVersion)
	work, err := os.MkdirTemp(cache, "terragrunt-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	command := func(dir string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, goTool, args...)
		cmd.Dir, cmd.Env = dir, goEnv()
		return cmd
	}
	// It replaces dependencies, which "go install" refuses; so it is built as
	// the main module that it is. Its own go.sum pins all that it needs.
	if err := os.WriteFile(filepath.Join(work, "go.mod"), []byte("module build\n"), 0o644); err != nil {
		return "", err
	}
	out, err := command(work, "mod", "download", "-json", terragruntModule+"@v"+TerragruntVersion).Output()
	var module struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "Terragrunt's source could not be fetched. It comes through the Go module proxy: check GOPROXY and the network, or install Terragrunt.")
	}
	source := filepath.Join(work, "source")
	if err := os.CopyFS(source, os.DirFS(module.Dir)); err != nil {
		return "", err
	}
	built := filepath.Join(work, "terragrunt")
	build := command(source, "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X github.com/gruntwork-io/go-commons/version.Version=v"+TerragruntVersion, "-o", built, ".")
	var said bytes.Buffer
	build.Stderr = &said
	if err := build.Run(); err != nil {
		return "", errs.Wrap(errs.Unavailable, fmt.Errorf("%w: %s", err, firstLine(said.String())), "Terragrunt could not be built. It needs 2 GB of memory and some GB of disk; otherwise install Terragrunt.")
	}
	version, err := exec.CommandContext(ctx, built, "--version").Output()
	if err != nil || !strings.Contains(string(version), TerragruntVersion) {
		return "", fmt.Errorf("the Terragrunt that was built does not run: %q, %v", version, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(built, path); err != nil {
		return "", err
	}
	r.say("  Terragrunt %s runs. It is kept in %s", TerragruntVersion, path)
	return path, nil
}

func terragruntPath(cache string) string {
	return filepath.Join(cache, "terragrunt", fmt.Sprintf("%s-%s-%s", TerragruntVersion, runtime.GOOS, runtime.GOARCH), "terragrunt")
}
