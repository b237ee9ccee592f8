package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/tidelock/tidelock/internal/errs"
)

// Working is a Git repository that somebody works in, with its work tree as
// the commit that it would become if all of it were committed now: what Git
// ignores is not in that, and what nobody has added yet is. So a work tree is
// read, compared and refused just as a commit is.
//
// Nothing is written into the repository: the objects of what is not committed
// go to a folder of their own, until Close.
type Working struct {
	*Local
	Root   string // the top of the work tree, absolute
	Within string // the folder that was asked for, relative to Root, with slashes; "." for Root itself
	Branch string // the one that is checked out; "" for none
	Head   string // its tip; "" before the first commit
	Commit string // the work tree's: Head itself where nothing differs from it

	gitDir string // that of all work trees
	tmp    string
}

// OpenWorking opens the repository around dir. It uses the git binary, which
// knows what is ignored and which files are as they were; see
// docs/decisions.md. What it writes goes below scratch, "" being the system's
// folder for that. No repository is errs.NotFound, no git errs.Unavailable.
func OpenWorking(ctx context.Context, dir, scratch string, opts Options) (_ *Working, err error) {
	top, err := runGit(ctx, dir, nil, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir", "--git-path", "index", "--show-prefix")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(top+"\n\n\n", "\n")
	w := &Working{Root: filepath.FromSlash(lines[0]), gitDir: filepath.FromSlash(lines[1]), Within: path.Clean(lines[3])}
	index := filepath.FromSlash(lines[2])
	if w.Head, err = w.Resolve(ctx, "HEAD"); err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	if w.Branch, err = runGit(ctx, w.Root, nil, "symbolic-ref", "--quiet", "--short", "HEAD"); err != nil {
		w.Branch = "" // a commit is checked out
	}
	if w.tmp, err = os.MkdirTemp(scratch, "tidelock-tree-"); err != nil {
		return nil, fmt.Errorf("make a folder for what is not committed: %w", err)
	}
	defer func() {
		if err != nil {
			_ = w.Close()
		}
	}()
	if err := w.write(ctx, index); err != nil {
		return nil, fmt.Errorf("read the work tree %s: %w", w.Root, err)
	}
	if w.Local, err = openLocal(w.gitDir, opts); err != nil {
		return nil, err
	}
	committed, own := w.reader.local, filesystem.NewStorage(osfs.New(w.tmp), cache.NewObjectLRU(readerCache))
	w.reader.local = func(h plumbing.Hash) (plumbing.EncodedObject, error) {
		o, err := committed(h)
		if errs.Is(err, errs.NotFound) {
			if mine, merr := own.EncodedObject(plumbing.AnyObject, h); merr == nil {
				return mine, nil
			}
		}
		return o, err
	}
	return w, nil
}

// write makes the work tree's commit. It works on a copy of the index, which
// spares reading what did not change.
func (w *Working) write(ctx context.Context, index string) error {
	if err := os.Mkdir(filepath.Join(w.tmp, "objects"), 0o700); err != nil {
		return err
	}
	env := []string{
		"GIT_INDEX_FILE=" + filepath.Join(w.tmp, "index"),
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(w.tmp, "objects"),
		"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + filepath.Join(w.gitDir, "objects"),
		"GIT_AUTHOR_NAME=Tidelock", "GIT_AUTHOR_EMAIL=tidelock@localhost", "GIT_COMMITTER_NAME=Tidelock", "GIT_COMMITTER_EMAIL=tidelock@localhost",
	}
	if err := copyIndex(index, filepath.Join(w.tmp, "index")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// No hook of the repository runs for this, and nothing is packed tight that
	// is thrown away soon.
	if _, err := runGit(ctx, w.Root, env, "-c", "core.hooksPath="+os.DevNull, "-c", "core.looseCompression=0", "-c", "core.splitIndex=false",
		"-c", "advice.addEmbeddedRepo=false", "-c", "core.safecrlf=false", "add", "--all", "--", "."); err != nil {
		return err
	}
	tree, err := runGit(ctx, w.Root, env, "write-tree")
	if err != nil {
		return err
	}
	commit := []string{"commit-tree", "-m", "The work tree", tree}
	if w.Head != "" {
		same, err := runGit(ctx, w.Root, nil, "rev-parse", w.Head+"^{tree}")
		if err != nil {
			return err
		}
		if same == tree {
			w.Commit = w.Head
			return nil
		}
		commit = append(commit, "-p", w.Head)
	}
	w.Commit, err = runGit(ctx, w.Root, env, commit...)
	return err
}

// Close removes what was written.
func (w *Working) Close() error { return os.RemoveAll(w.tmp) }

// Dirty reports whether the work tree differs from its head commit.
func (w *Working) Dirty() bool { return w.Commit != w.Head }

// Resolve returns the commit that a branch, tag or hash names; errs.NotFound
// where there is none.
func (w *Working) Resolve(ctx context.Context, rev string) (string, error) {
	return Resolve(ctx, w.Root, rev)
}

// Resolve returns the commit that a branch, tag or hash names in the repository
// around dir; errs.NotFound where there is none.
func Resolve(ctx context.Context, dir, rev string) (string, error) {
	sha, err := runGit(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if !errs.Is(err, errs.Invalid) {
		return sha, err
	}
	missing := errs.New(errs.NotFound, "The repository in %s has no branch, tag or commit %q.", dir, rev)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", missing // git says no more than that
	}
	return "", errs.Wrap(errs.NotFound, err, "%s", missing)
}

// Top returns the top of the work tree around dir, absolute; errs.NotFound
// where there is none.
func Top(ctx context.Context, dir string) (string, error) {
	top, err := runGit(ctx, dir, nil, "rev-parse", "--path-format=absolute", "--show-toplevel")
	return filepath.FromSlash(top), err
}

// DefaultBase returns the branch that work in the repository is merged into, as
// far as the clone tells: the remote's default branch as it was last fetched,
// else the local one that is named so. errs.NotFound where there is none.
func (w *Working) DefaultBase(ctx context.Context) (ref string, err error) {
	var refs []string
	if head, err := runGit(ctx, w.Root, nil, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"); err == nil {
		refs = append(refs, head)
	}
	refs = append(refs, "origin/main", "origin/master")
	if name, err := runGit(ctx, w.Root, nil, "config", "--get", "init.defaultBranch"); err == nil {
		refs = append(refs, name)
	}
	for _, ref := range append(refs, "main", "master") {
		if _, err := w.Resolve(ctx, ref); err == nil {
			return ref, nil
		} else if !errs.Is(err, errs.NotFound) {
			return "", err
		}
	}
	return "", errs.New(errs.NotFound, "The repository in %s has no default branch to compare with. Name one with --base, or plan everything with --all.", w.Root)
}

// Remote returns the owner and the name of the repository that origin is, as
// its address ends: empty where there is no origin.
func (w *Working) Remote(ctx context.Context) (owner, name string) {
	address, err := runGit(ctx, w.Root, nil, "config", "--get", "remote.origin.url")
	if err != nil {
		return "", ""
	}
	address = strings.TrimSuffix(strings.TrimRight(filepath.ToSlash(address), "/"), ".git")
	address, name = path.Split(address)
	address = strings.TrimRight(address, "/")
	return address[strings.LastIndexAny(address, "/:")+1:], name
}

// localVariables are those of Git's that say which repository is meant: a hook
// that calls has them set, and dir says it better.
var localVariables = []string{"GIT_DIR=", "GIT_WORK_TREE=", "GIT_INDEX_FILE=", "GIT_OBJECT_DIRECTORY=", "GIT_ALTERNATE_OBJECT_DIRECTORIES=", "GIT_COMMON_DIR=", "GIT_PREFIX=", "GIT_NAMESPACE="}

// runGit asks the git binary about the repository around dir and returns what
// it says, without the last line end. A git that refuses is errs.Invalid.
func runGit(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", errs.New(errs.NotFound, "There is no folder %s.", dir)
	}
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var inherited []string
	for _, v := range cmd.Environ() {
		if !hasPrefix(v, localVariables) {
			inherited = append(inherited, v)
		}
	}
	cmd.Env = append(inherited, append([]string{"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0"}, env...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return strings.TrimRight(string(out), "\r\n"), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return "", errs.Wrap(errs.Unavailable, err, "The program git is not there, and a work tree can't be read without it. Install it.")
	case strings.Contains(stderr.String(), "not a git repository"), strings.Contains(stderr.String(), "must be run in a work tree"):
		return "", errs.Wrap(errs.NotFound, err, "%s is not in the work tree of a Git repository.", dir)
	}
	return "", errs.Wrap(errs.Invalid, err, "git can't read the repository in %s: %s", dir, strings.TrimSpace(stderr.String()))
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// copyIndex copies Git's index with its time: a file that was edited in the
// moment in which the index was written is told from one that was not by that.
func copyIndex(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}
