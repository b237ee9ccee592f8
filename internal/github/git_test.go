package github_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// git runs git with a token that stands in the environment of this one
// process, as basic authentication.
func git(t *testing.T, dir, token string, args ...string) error {
	t.Helper()
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=http.extraHeader", "GIT_CONFIG_VALUE_0=Authorization: Basic " + basic,
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@t", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@t"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}

func lsRemote(t *testing.T, url, token string) error {
	t.Helper()
	return git(t, t.TempDir(), token, "ls-remote", "-q", url)
}

// push pushes an empty commit to a new branch.
func push(t *testing.T, url, token string) error {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	if err := git(t, filepath.Dir(dir), token, "clone", "-q", url, dir); err != nil {
		t.Fatal(err)
	}
	if err := git(t, dir, token, "commit", "-q", "--allow-empty", "-m", "x"); err != nil {
		t.Fatal(err)
	}
	return git(t, dir, token, "push", "-q", "origin", "HEAD:refs/heads/pushed")
}
