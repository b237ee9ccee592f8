package demo

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// person is somebody with a clone on his machine. His git is the real one, with
// a configuration of its own, and his token reaches it through a credential
// helper that reads it from the environment: it stands in no address, on no
// command line and in no file.
type person struct {
	name  string // as commits show it
	login string
	token string
	home  string
	clone string // the work tree, once cloned
	git   string // the binary
	path  string // the PATH that git gets
}

// findGit returns the git binary: the stand-in GitHub serves clones and pushes
// with it too.
func findGit() (string, error) {
	p, err := exec.LookPath("git")
	if err != nil {
		return "", errs.Wrap(errs.NotFound, err, "The demo needs git: the client's repository is a real one. Install it and try again.")
	}
	return p, nil
}

// credentials is a git credential helper that hands out what the environment
// holds.
const credentials = `!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$DEMO_LOGIN" "$DEMO_TOKEN"; }; f`

func (p *person) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.git, args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + p.path, "HOME=" + p.home, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=",
		"GIT_AUTHOR_NAME=" + p.name, "GIT_AUTHOR_EMAIL=" + p.login + "@acme.example",
		"GIT_COMMITTER_NAME=" + p.name, "GIT_COMMITTER_EMAIL=" + p.login + "@acme.example",
		"DEMO_LOGIN=" + p.login, "DEMO_TOKEN=" + p.token,
		"GIT_CONFIG_COUNT=3", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=" + credentials,
		"GIT_CONFIG_KEY_1=commit.gpgsign", "GIT_CONFIG_VALUE_1=false",
		"GIT_CONFIG_KEY_2=init.defaultBranch", "GIT_CONFIG_VALUE_2=main",
	}
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s: git %s: %w: %s", p.login, args[0], err, strings.TrimSpace(problem.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// checkOut clones the repository, or brings the clone up to date, and begins a
// branch.
func (p *person) checkOut(ctx context.Context, url, branch string) error {
	if p.clone != "" {
		if _, err := p.run(ctx, p.clone, "fetch", "-q", "origin"); err != nil {
			return err
		}
	} else {
		p.clone = filepath.Join(p.home, path.Base(strings.TrimSuffix(url, ".git")))
		if _, err := p.run(ctx, p.home, "clone", "-q", url, p.clone); err != nil {
			return err
		}
	}
	_, err := p.run(ctx, p.clone, "switch", "-q", "-c", branch, "--no-track", "origin/main")
	return err
}

// commit commits everything that changed in the work tree and returns git's
// count of it: "2 files changed, 14 insertions(+)".
func (p *person) commit(ctx context.Context, message string) (string, error) {
	if _, err := p.run(ctx, p.clone, "add", "-A"); err != nil {
		return "", err
	}
	if _, err := p.run(ctx, p.clone, "commit", "-q", "-m", message); err != nil {
		return "", err
	}
	return p.run(ctx, p.clone, "show", "--format=", "--shortstat", "HEAD")
}

func (p *person) push(ctx context.Context, branch string) error {
	_, err := p.run(ctx, p.clone, "push", "-q", "-u", "origin", branch)
	return err
}

// lay writes the files below dir of fsys over the work tree.
func (p *person) lay(fsys fs.FS, dir string) error {
	files, err := read(fsys, dir)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := p.write(name, content); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file of the work tree.
func (p *person) write(file, content string) error {
	target := filepath.Join(p.clone, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, []byte(content), 0o644)
}

// edit replaces one text by another in a file of the work tree, where it must
// stand once.
func (p *person) edit(file, before, after string) error {
	name := filepath.Join(p.clone, filepath.FromSlash(file))
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if n := strings.Count(string(content), before); n != 1 {
		return fmt.Errorf("%s has %q %d times, and the story asks for once", file, before, n)
	}
	return os.WriteFile(name, []byte(strings.Replace(string(content), before, after, 1)), 0o644)
}

// read returns the files below dir, by their path from there.
func read(fsys fs.FS, dir string) (githubtest.Files, error) {
	files := githubtest.Files{}
	err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		files[strings.TrimPrefix(name, dir+"/")] = string(content)
		return err
	})
	return files, err
}
