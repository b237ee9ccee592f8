package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/tidelock/tidelock/internal/errs"
)

// TreeFS is a commit's tree as a file system that is read out of the mirror:
// what Tree would write, without writing it. Only the contents that are read
// are unpacked. Links are followed as os.Root follows them. It may be used by
// several goroutines at once, and must be closed.
//
// Recall and Remember keep what was worked out of contents, by their hash, in
// a memory of bounded size that all trees of a repository share: what is the
// same in the next commit need not be worked out again.
type TreeFS struct {
	memory shelf
	mounts string // names what stands in the submodules; "" where none is fetched

	mu  sync.Mutex // a reader serves one at a time
	top *part      // nil once it is closed
}

// checked is what is known of a tree once it was looked through.
type checked struct{}

// TreeFS returns the commit's tree. It fetches the commit where it is not in
// the mirror yet, with the refs, and refuses what Tree refuses, with the same
// errors.
func (s *Store) TreeFS(ctx context.Context, src Source, refs []string, sha string) (*TreeFS, error) {
	var t *TreeFS
	err := s.with(ctx, src, refs, []string{sha}, func(v *view, commits []plumbing.Hash) error {
		top, err := s.open(ctx, src, v, commits[0])
		if err != nil {
			return err
		}
		if t, err = s.openTree(ctx, top); err != nil {
			top.close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open %s of %s: %w", sha, src.named(), err)
	}
	return t, nil
}

// openTree looks the commit's tree through, unless that has been done.
func (s *Store) openTree(ctx context.Context, top *part) (*TreeFS, error) {
	mounts := top.mounts()
	key := fmt.Sprintf("checked %d %s %s", s.opts.MaxFiles, top.root, mounts)
	if _, ok := top.r.memory.recall(key); !ok {
		if _, err := s.list(ctx, top); err != nil {
			return nil, err
		}
		top.r.memory.remember(key, checked{}, 0)
	}
	return &TreeFS{memory: top.r.memory, mounts: mounts, top: top}, nil
}

// Close gives the mirror back. What was opened can't be read any more.
func (t *TreeFS) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.top == nil {
		return fs.ErrClosed
	}
	t.top.close()
	t.top = nil
	return nil
}

// ask runs do, which reads, once more where a mirror was replaced.
func (t *TreeFS) ask(do func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.top == nil {
		return fs.ErrClosed
	}
	err := do()
	var damage *damagedError
	if !errors.As(err, &damage) {
		return err
	}
	if damage.v != nil && t.top.renew(damage.v) {
		if err = do(); !errors.As(err, &damage) {
			return err
		}
	}
	return errs.Wrap(errs.Unavailable, err, "The repository's mirror was replaced while it was read.")
}

// at finds what stands at a path, links followed; last tells whether a link at
// its very end is too.
func (t *TreeFS) at(op, name string, last bool) (n node, err error) {
	if !fs.ValidPath(name) {
		return n, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	err = t.ask(func() error {
		n, err = follow(t.top.top(), name, last)
		return err
	})
	if err != nil {
		return n, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

// errLink says that a link can't be followed.
var errLink = errors.New("the symbolic link leads out of the tree, or in a circle")

func follow(root node, name string, last bool) (node, error) {
	stack := []node{root} // the way here
	if name == "." {
		return root, nil
	}
	todo, hops := strings.Split(name, "/"), 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(stack) == 1 {
				return node{}, errLink
			}
			stack = stack[:len(stack)-1]
			continue
		}
		at, err := stack[len(stack)-1].child(part)
		if err != nil {
			return node{}, err
		}
		if at.e.Mode != filemode.Symlink || len(todo) == 0 && !last {
			stack = append(stack, at)
			continue
		}
		target, err := at.in.r.blob(at.e.Hash)
		if err != nil {
			return node{}, err
		}
		if hops++; hops > maxHops || len(target) == 0 || target[0] == '/' {
			return node{}, errLink
		}
		todo = append(strings.Split(string(target), "/"), todo...)
	}
	return stack[len(stack)-1], nil
}

// Open opens a file or directory. A file's content is read with its first byte.
func (t *TreeFS) Open(name string) (fs.File, error) {
	n, err := t.at("open", name, true)
	if err != nil {
		return nil, err
	}
	info := treeInfo{t, base(name), n}
	if info.IsDir() {
		entries, err := t.ReadDir(name)
		return &openDir{info, entries}, err
	}
	return &openFile{info: info}, nil
}

// Stat implements fs.StatFS; links are followed.
func (t *TreeFS) Stat(name string) (fs.FileInfo, error) {
	n, err := t.at("stat", name, true)
	if err != nil {
		return nil, err
	}
	return treeInfo{t, base(name), n}, nil
}

// Lstat implements fs.ReadLinkFS.
func (t *TreeFS) Lstat(name string) (fs.FileInfo, error) {
	n, err := t.at("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return treeInfo{t, base(name), n}, nil
}

// ReadLink implements fs.ReadLinkFS.
func (t *TreeFS) ReadLink(name string) (string, error) {
	n, err := t.at("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.e.Mode != filemode.Symlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := t.blob(n)
	return string(target), err
}

// ReadFile implements fs.ReadFileFS.
func (t *TreeFS) ReadFile(name string) ([]byte, error) {
	n, err := t.at("read", name, true)
	if err != nil {
		return nil, err
	}
	if folder(n.e.Mode) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	return t.blob(n)
}

// ReadDir implements fs.ReadDirFS. A submodule that was not fetched is an empty
// directory.
func (t *TreeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.at("readdir", name, true)
	if err != nil {
		return nil, err
	}
	switch n.e.Mode {
	case filemode.Submodule:
		return nil, nil
	case filemode.Dir:
	default:
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("is not a directory")}
	}
	var entries []object.TreeEntry
	if err := t.ask(func() error { entries, err = n.in.r.tree(n.e.Hash); return err }); err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	out := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		out[i] = treeInfo{t, e.Name, n.below(e)}
	}
	return out, nil
}

// ContentHash returns Git's hash of the file, or of the directory with all
// below it; links are followed. "" where there is nothing.
func (t *TreeFS) ContentHash(name string) string {
	n, err := t.at("hash", name, true)
	if err != nil {
		return ""
	}
	if n.e.Mode == filemode.Dir && t.mounts != "" {
		return n.e.Hash.String() + " " + t.mounts // which Git's hash does not cover
	}
	return n.e.Hash.String()
}

// Recall returns what was remembered under the key, which names the content by
// its hash and says what was made of it.
func (t *TreeFS) Recall(key string) (any, bool) { return t.memory.recall(key) }

// Remember keeps a value, which nobody may change from now on. weight is about
// how many bytes it takes.
func (t *TreeFS) Remember(key string, value any, weight int) {
	t.memory.remember(key, value, weight)
}

func (t *TreeFS) blob(n node) (content []byte, err error) {
	err = t.ask(func() error { content, err = n.in.r.blob(n.e.Hash); return err })
	return content, err
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func folder(m filemode.FileMode) bool { return m == filemode.Dir || m == filemode.Submodule }

// treeInfo describes an entry, as fs.FileInfo and as fs.DirEntry.
type treeInfo struct {
	t    *TreeFS
	name string
	n    node
}

func (i treeInfo) Name() string               { return i.name }
func (i treeInfo) IsDir() bool                { return folder(i.n.e.Mode) }
func (i treeInfo) ModTime() time.Time         { return time.Time{} } // a commit knows none
func (i treeInfo) Sys() any                   { return nil }
func (i treeInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i treeInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i treeInfo) String() string             { return fs.FormatDirEntry(i) }

func (i treeInfo) Mode() fs.FileMode {
	switch i.n.e.Mode {
	case filemode.Dir, filemode.Submodule:
		return fs.ModeDir | 0o755
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Executable:
		return 0o755
	}
	return 0o644
}

// Size is looked up when it is asked for; 0 where that fails, which reading
// the content then tells.
func (i treeInfo) Size() (size int64) {
	if i.IsDir() {
		return 0
	}
	_ = i.t.ask(func() (err error) { size, err = i.n.in.r.size(i.n.e.Hash); return err })
	return size
}

type openFile struct {
	info treeInfo
	r    *bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

func (f *openFile) content() (*bytes.Reader, error) {
	if f.r == nil {
		content, err := f.info.t.blob(f.info.n)
		if err != nil {
			return nil, err
		}
		f.r = bytes.NewReader(content)
	}
	return f.r, nil
}

func (f *openFile) Read(p []byte) (int, error) {
	r, err := f.content()
	if err != nil {
		return 0, err
	}
	return r.Read(p)
}

func (f *openFile) ReadAt(p []byte, off int64) (int, error) {
	r, err := f.content()
	if err != nil {
		return 0, err
	}
	return r.ReadAt(p, off)
}

func (f *openFile) Seek(offset int64, whence int) (int64, error) {
	r, err := f.content()
	if err != nil {
		return 0, err
	}
	return r.Seek(offset, whence)
}

type openDir struct {
	info treeInfo
	left []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.left) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.left) {
		n = len(d.left)
	}
	out := slices.Clone(d.left[:n])
	d.left = d.left[n:]
	return out, nil
}
