package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// spent is what something took.
type spent struct {
	wall      float64 // seconds
	processor float64 // seconds of all processors together
}

// bare does by hand what a plan needs: clone the branch, then in each project
// init, plan and show, so many projects at a time.
func (t *tools) bare(ctx context.Context, repo *githubtest.Repo, branch string, projects, atOnce int) (spent, error) {
	dir, err := os.MkdirTemp(t.dir, "bare-")
	if err != nil {
		return spent{}, err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	start := time.Now()
	total := &meter{}
	if err := t.command(ctx, total, dir, "git", "clone", "-q", "-b", branch, repo.CloneURL(), tree); err != nil {
		return spent{}, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range projects {
		group.Go(func() error {
			in := filepath.Join(tree, projectDir(i))
			for _, args := range [][]string{
				{"init", "-input=false", "-no-color"},
				{"plan", "-input=false", "-no-color", "-out=plan"},
				{"show", "-no-color", "-json", "plan"},
			} {
				if err := t.command(ctx, total, in, t.terraform.Path, args...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return spent{time.Since(start).Seconds(), total.seconds()}, err
}

// command runs one, with the environment of somebody who knows how to have
// providers installed from a folder.
func (t *tools) command(ctx context.Context, m *meter, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + t.dir, "PATH=" + os.Getenv("PATH"), "TF_CLI_CONFIG_FILE=" + t.cliConfig, "GIT_TERMINAL_PROMPT=0"}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s in %s: %w\n%s", filepath.Base(name), args[0], dir, err, out.Bytes())
	}
	m.add(cmd.ProcessState)
	return nil
}
