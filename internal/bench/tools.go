package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// tools is what every part works with.
type tools struct {
	source    string // the module's folder
	dir       string // for everything that is made; removed at the end
	tidelock  string // the binary, built as it is shipped
	terraform toolchain.Binary
	mirror    string // of the stand-in provider
	cliConfig string // with which bare Terraform installs from the mirror
	twenty    string // the code of a project of 20 resources
}

// size is the default of the variable that the pull requests change.
const size = `"t3.small"`

func gather(ctx context.Context) (*tools, error) {
	goMod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find the source: %w", err)
	}
	t := &tools{source: filepath.Dir(strings.TrimSpace(string(goMod)))}
	project, err := os.ReadFile(filepath.Join(t.source, "testdata", "repos", "twenty", "main.tf"))
	if err != nil {
		return nil, err
	}
	if t.twenty = string(project); strings.Count(t.twenty, size) != 1 {
		return nil, fmt.Errorf("the project of 20 resources no longer has the one %s that pull requests change", size)
	}
	options := toolchain.Options{Progress: os.Stdout}
	if t.terraform, err = toolchain.Terraform(ctx, options); err != nil {
		return nil, err
	}
	if t.mirror, err = toolchain.ProviderMirror(ctx, options); err != nil {
		return nil, err
	}
	if t.dir, err = os.MkdirTemp("", "tidelock-bench-"); err != nil {
		return nil, err
	}
	if err := t.build(ctx); err != nil {
		os.RemoveAll(t.dir)
		return nil, err
	}
	return t, nil
}

func (t *tools) build(ctx context.Context) error {
	fmt.Println("building tidelock …")
	t.tidelock = filepath.Join(t.dir, "tidelock")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", t.tidelock, "./cmd/tidelock")
	cmd.Dir, cmd.Env = t.source, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build tidelock: %w\n%s", err, out)
	}
	t.cliConfig = filepath.Join(t.dir, "bare.tfrc")
	return os.WriteFile(t.cliConfig, tfrun.CLIConfig(t.mirror, false), 0o600)
}
