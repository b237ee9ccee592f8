package githubtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// Files are paths and their contents, for commits. A value made by Symlink,
// Executable, Submodule or Delete is what its name says.
type Files map[string]string

const (
	deleteMark = "\x00delete"
	linkMark   = "\x00symlink:"
	execMark   = "\x00exec:"
	subMark    = "\x00submodule:"
)

// Delete, as a file's content, removes the file.
func Delete() string { return deleteMark }

// Symlink, as a file's content, makes a symbolic link to target.
func Symlink(target string) string { return linkMark + target }

// Submodule, as a file's content, makes the path a submodule at the commit. What
// it is of, the file .gitmodules says.
func Submodule(commit string) string { return subMark + commit }

// Executable, as a file's content, sets the executable bit.
func Executable(content string) string { return execMark + content }

// bareConfig keeps pushes out of the refs that are GitHub's own, lets a commit
// be fetched by its hash as GitHub does, and forgoes what durability costs.
const bareConfig = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	fsync = none
[receive]
	hideRefs = refs/pull
	denyDeleteCurrent = refuse
	autogc = false
	unpackLimit = 1000
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[gc]
	auto = 0
`

// initBare makes an empty repository whose HEAD is the branch.
func initBare(dir, branch string) error {
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "HEAD"), []byte("ref: refs/heads/"+branch+"\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config"), []byte(bareConfig), 0o644)
}

// gitEnv is the environment of every git that the stand-in runs: nothing of
// the machine's configuration.
func (s *Server) gitEnv(extra ...string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.opts.Dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"}
	return append(env, extra...)
}

// git runs git in dir.
func (s *Server) git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, s.gitEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// store is a repository, opened for one operation: opening is cheap, and what
// a git process has just pushed is seen for sure. Refs are read and written as
// the files that they are; go-git's way costs ten times as much.
type store struct {
	*git.Repository
	dir string
}

func open(dir string) (store, error) {
	r, err := git.PlainOpen(dir)
	if err != nil {
		return store{}, fmt.Errorf("open %s: %w", dir, err)
	}
	return store{r, dir}, nil
}

// packed returns the refs that git has packed into one file.
func (g store) packed() (map[string]string, error) {
	out := map[string]string{}
	raw, err := os.ReadFile(filepath.Join(g.dir, "packed-refs"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(raw)) {
		if sha, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && len(sha) == 40 {
			out[name] = sha
		}
	}
	return out, nil
}

// refs returns all branches and tags, by full name.
func (g store) refs() (map[string]string, error) {
	out, err := g.packed()
	if err != nil {
		return nil, err
	}
	for name := range out {
		if !strings.HasPrefix(name, "refs/heads/") && !strings.HasPrefix(name, "refs/tags/") {
			delete(out, name)
		}
	}
	for _, below := range []string{"refs/heads", "refs/tags"} {
		err := filepath.WalkDir(filepath.Join(g.dir, below), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, ".lock") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(g.dir, path)
			out[filepath.ToSlash(name)] = strings.TrimSpace(string(raw))
			return err
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return out, nil
}

// tip returns a ref's commit, "" where there is none.
func (g store) tip(ref string) string {
	path, err := g.refPath(ref)
	if err != nil {
		return ""
	}
	if raw, err := os.ReadFile(path); err == nil {
		return strings.TrimSpace(string(raw))
	}
	packed, _ := g.packed()
	return packed[ref]
}

// setRef points a ref at a commit; "" deletes it. The repository's git lock is
// held.
func (g store) setRef(ref, sha string) error {
	if sha == "" {
		return g.Storer.RemoveReference(plumbing.ReferenceName(ref))
	}
	path, err := g.refPath(ref)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".lock", []byte(sha+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".lock", path)
}

func (g store) refPath(ref string) (string, error) {
	if err := plumbing.ReferenceName(ref).Validate(); err != nil || !strings.HasPrefix(ref, "refs/") {
		return "", fmt.Errorf("no name of a ref: %q", ref)
	}
	return filepath.Join(g.dir, filepath.FromSlash(ref)), nil
}

// has reports whether the commit is there.
func (g store) has(sha string) bool {
	_, err := g.CommitObject(plumbing.NewHash(sha))
	return err == nil
}

// ancestor reports whether old is reachable from young.
func (g store) ancestor(old, young string) bool {
	a, err := g.CommitObject(plumbing.NewHash(old))
	if err != nil {
		return false
	}
	b, err := g.CommitObject(plumbing.NewHash(young))
	if err != nil {
		return false
	}
	is, err := a.IsAncestor(b)
	return err == nil && is
}

// mergeBase returns a merge base of two commits, nil where they share no
// history. Of several it takes the first.
func (g store) mergeBase(a, b *object.Commit) (*object.Commit, error) {
	bases, err := a.MergeBase(b)
	if err != nil || len(bases) == 0 {
		return nil, err
	}
	return bases[0], nil
}

// between returns the commits that are in to and not in from, oldest first, at
// most max.
func (g store) between(from, to string, max int) ([]*object.Commit, error) {
	skip := map[plumbing.Hash]bool{}
	if c, err := g.CommitObject(plumbing.NewHash(from)); err == nil {
		err := object.NewCommitPreorderIter(c, nil, nil).ForEach(func(c *object.Commit) error {
			skip[c.Hash] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	head, err := g.CommitObject(plumbing.NewHash(to))
	if err != nil {
		return nil, err
	}
	if skip[head.Hash] {
		return nil, nil
	}
	var out []*object.Commit
	err = object.NewCommitPreorderIter(head, skip, nil).ForEach(func(c *object.Commit) error {
		out = append(out, c)
		if len(out) >= max {
			return storer.ErrStop
		}
		return nil
	})
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, err
}

// commit writes a commit and returns its hash.
func (g store) commit(root plumbing.Hash, author, committer object.Signature, message string, parents ...string) (string, error) {
	if root.IsZero() { // an empty tree has to exist all the same
		var err error
		if root, err = g.put(&object.Tree{}); err != nil {
			return "", err
		}
	}
	c := &object.Commit{Author: author, Committer: committer, Message: message, TreeHash: root}
	for _, p := range parents {
		if p != "" {
			c.ParentHashes = append(c.ParentHashes, plumbing.NewHash(p))
		}
	}
	hash, err := g.put(c)
	return hash.String(), err
}

// signature is how a user signs a commit.
func signature(u *user, at time.Time) object.Signature {
	return object.Signature{Name: u.login, Email: u.login + "@users.noreply.github.invalid", When: at}
}

// webFlow is who commits what is made on GitHub's pages.
func webFlow(at time.Time) object.Signature {
	return object.Signature{Name: "GitHub", Email: "noreply@github.invalid", When: at}
}
