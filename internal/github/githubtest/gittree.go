package githubtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/utils/diff"
)

// tree is one folder of a commit, by name.
type tree map[string]object.TreeEntry

func (g store) tree(hash plumbing.Hash) (tree, error) {
	out := tree{}
	if hash.IsZero() {
		return out, nil
	}
	t, err := g.TreeObject(hash)
	if err != nil {
		return nil, err
	}
	for _, e := range t.Entries {
		out[e.Name] = e
	}
	return out, nil
}

// putTree writes a tree; an empty one is not written, since git has no empty
// folders, and gives the zero hash.
func (g store) putTree(t tree) (plumbing.Hash, error) {
	if len(t) == 0 {
		return plumbing.ZeroHash, nil
	}
	o := &object.Tree{}
	for _, e := range t {
		o.Entries = append(o.Entries, e)
	}
	sort.Sort(object.TreeEntrySorter(o.Entries))
	return g.put(o)
}

func (g store) put(o interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	enc := g.Storer.NewEncodedObject()
	if err := o.Encode(enc); err != nil {
		return plumbing.ZeroHash, err
	}
	return g.Storer.SetEncodedObject(enc)
}

func (g store) putBlob(content string) (plumbing.Hash, error) {
	enc := g.Storer.NewEncodedObject()
	enc.SetType(plumbing.BlobObject)
	w, err := enc.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if _, err := io.WriteString(w, content); err != nil {
		return plumbing.ZeroHash, err
	}
	if err := w.Close(); err != nil {
		return plumbing.ZeroHash, err
	}
	return g.Storer.SetEncodedObject(enc)
}

// edit returns base with the files changed.
func (g store) edit(base plumbing.Hash, files Files) (plumbing.Hash, error) {
	t, err := g.tree(base)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	below := map[string]Files{}
	for path, content := range files {
		name, rest, deep := strings.Cut(path, "/")
		if name == "" || name == ".git" || name == ".." || name == "." {
			return plumbing.ZeroHash, fmt.Errorf("no path of a git tree: %q", path)
		}
		if deep {
			if below[name] == nil {
				below[name] = Files{}
			}
			below[name][rest] = content
			continue
		}
		if content == deleteMark {
			delete(t, name)
			continue
		}
		if commit, ok := strings.CutPrefix(content, subMark); ok {
			t[name] = object.TreeEntry{Name: name, Mode: filemode.Submodule, Hash: plumbing.NewHash(commit)}
			continue
		}
		mode := filemode.Regular
		if target, ok := strings.CutPrefix(content, linkMark); ok {
			mode, content = filemode.Symlink, target
		} else if script, ok := strings.CutPrefix(content, execMark); ok {
			mode, content = filemode.Executable, script
		}
		hash, err := g.putBlob(content)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		t[name] = object.TreeEntry{Name: name, Mode: mode, Hash: hash}
	}
	for name, files := range below {
		sub := plumbing.ZeroHash
		if e, ok := t[name]; ok && e.Mode == filemode.Dir {
			sub = e.Hash
		}
		hash, err := g.edit(sub, files)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if hash.IsZero() {
			delete(t, name)
			continue
		}
		t[name] = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash}
	}
	return g.putTree(t)
}

// change is a file that differs between two commits; the zero entry stands for
// not being there.
type change struct {
	path     string
	from, to object.TreeEntry
}

// diff lists the files that differ between two trees. It reads no folder that
// is the same in both, as go-git's own does.
func (g store) diff(a, b plumbing.Hash, prefix string) ([]change, error) {
	if a == b {
		return nil, nil
	}
	from, err := g.tree(a)
	if err != nil {
		return nil, err
	}
	to, err := g.tree(b)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range from {
		names[name] = true
	}
	for name := range to {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	var out []change
	for _, name := range sorted {
		x, y := from[name], to[name]
		if same(x, y) {
			continue
		}
		var below [2]plumbing.Hash // what is a folder, on either side
		for i, e := range []*object.TreeEntry{&x, &y} {
			if e.Mode == filemode.Dir {
				below[i] = e.Hash
				*e = object.TreeEntry{}
			}
		}
		if !same(x, y) {
			out = append(out, change{prefix + name, x, y})
		}
		deeper, err := g.diff(below[0], below[1], prefix+name+"/")
		if err != nil {
			return nil, err
		}
		out = append(out, deeper...)
	}
	return out, nil
}

// lines counts the lines that a change adds and removes.
func (g store) lines(c change) (added, removed int) {
	var text [2]string
	for i, e := range []object.TreeEntry{c.from, c.to} {
		if !e.Hash.IsZero() && e.Mode.IsFile() {
			text[i], _ = g.content(e.Hash)
		}
	}
	for _, d := range diff.Do(text[0], text[1]) {
		n := strings.Count(d.Text, "\n")
		if d.Text != "" && !strings.HasSuffix(d.Text, "\n") {
			n++
		}
		switch { // -1 is gone, 1 is new
		case d.Type > 0:
			added += n
		case d.Type < 0:
			removed += n
		}
	}
	return added, removed
}

func (g store) content(blob plumbing.Hash) (string, error) {
	b, err := g.BlobObject(blob)
	if err != nil {
		return "", err
	}
	r, err := b.Reader()
	if err != nil {
		return "", err
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	return string(raw), err
}

// errConflict says that a merge needs a person.
var errConflict = errors.New("merge conflict")

// mergeTrees merges theirs into ours, file by file: git's own merge is asked
// only where both changed the same file. Renames are not followed.
func (s *Server) mergeTrees(g store, base, ours, theirs plumbing.Hash) (plumbing.Hash, error) {
	switch {
	case ours == theirs, base == theirs:
		return ours, nil
	case base == ours:
		return theirs, nil
	}
	var side [3]tree
	names := map[string]bool{}
	for i, h := range []plumbing.Hash{base, ours, theirs} {
		t, err := g.tree(h)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		side[i] = t
		for name := range t {
			names[name] = true
		}
	}
	out := tree{}
	for name := range names {
		b, o, t := side[0][name], side[1][name], side[2][name]
		pick := o
		switch {
		case same(o, t), same(b, t):
		case same(b, o):
			pick = t
		case isDir(b) && isDir(o) && isDir(t):
			hash, err := s.mergeTrees(g, b.Hash, o.Hash, t.Hash)
			if err != nil {
				return plumbing.ZeroHash, err
			}
			pick = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash}
		case o.Mode.IsRegular() && t.Mode.IsRegular() && b.Mode.IsRegular():
			hash, err := s.mergeFile(g, b.Hash, o.Hash, t.Hash)
			if err != nil {
				return plumbing.ZeroHash, fmt.Errorf("%s: %w", name, err)
			}
			pick.Hash = hash
		default:
			return plumbing.ZeroHash, fmt.Errorf("%s: %w", name, errConflict)
		}
		if !pick.Hash.IsZero() {
			out[name] = pick
		}
	}
	return g.putTree(out)
}

func same(a, b object.TreeEntry) bool { return a.Hash == b.Hash && a.Mode == b.Mode }

// isDir holds for a folder, and for nothing: git knows no empty folders.
func isDir(e object.TreeEntry) bool { return e.Mode == filemode.Dir || e.Hash.IsZero() }

// mergeFile merges three versions of a file by git merge-file.
func (s *Server) mergeFile(g store, base, ours, theirs plumbing.Hash) (plumbing.Hash, error) {
	dir, err := os.MkdirTemp(s.opts.Dir, ".merge-")
	if err != nil {
		return plumbing.ZeroHash, err
	}
	defer os.RemoveAll(dir)
	for name, hash := range map[string]plumbing.Hash{"base": base, "ours": ours, "theirs": theirs} {
		content, err := g.content(hash)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	cmd := exec.CommandContext(s.ctx, "git", "merge-file", "-p", "-q", "ours", "base", "theirs")
	cmd.Dir, cmd.Env = dir, s.gitEnv()
	merged, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() < 128:
		return plumbing.ZeroHash, errConflict
	case err != nil:
		return plumbing.ZeroHash, err
	}
	return g.putBlob(string(merged))
}

// merged returns the tree of head merged into base.
func (s *Server) merged(g store, base, head string) (plumbing.Hash, error) {
	b, err := g.CommitObject(plumbing.NewHash(base))
	if err != nil {
		return plumbing.ZeroHash, err
	}
	h, err := g.CommitObject(plumbing.NewHash(head))
	if err != nil {
		return plumbing.ZeroHash, err
	}
	fork, err := g.mergeBase(b, h)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	root := plumbing.ZeroHash
	if fork != nil {
		root = fork.TreeHash
	}
	return s.mergeTrees(g, root, b.TreeHash, h.TreeHash)
}
