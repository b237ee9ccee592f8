package checkout

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/tidelock/tidelock/internal/errs"
)

// reader reads objects of a view, for one goroutine. Close it.
type reader struct {
	v      *view
	cache  cache.Object
	open   map[*pack]*packfile.Packfile
	memory shelf // keeps trees

	// local finds the objects where there is no view, in a repository that is
	// not a mirror.
	local func(h plumbing.Hash) (plumbing.EncodedObject, error)
}

// readerCache bounds the bytes of objects that a reader keeps as bases of
// deltas.
const readerCache = 16 * cache.MiByte

func newReader(v *view) *reader {
	return &reader{v: v, cache: cache.NewObjectLRU(readerCache), open: map[*pack]*packfile.Packfile{}}
}

func (r *reader) close() {
	for _, p := range r.open {
		_ = p.Close() // only read from
	}
}

// packHandle makes a file what go-git expects: with locks, which it never asks
// for when it reads.
type packHandle struct{ *os.File }

func (packHandle) Lock() error   { return nil }
func (packHandle) Unlock() error { return nil }

// get returns an object of the view, checked against its hash. Whatever goes
// wrong is damage: views hold whole histories.
func (r *reader) get(h plumbing.Hash, kind plumbing.ObjectType) (plumbing.EncodedObject, error) {
	o, err := r.find(h, kind)
	if err == nil && o.Type() != kind {
		err = errs.New(errs.Invalid, "%s is a %s, not a %s.", h, o.Type(), kind)
	}
	return o, err
}

func (r *reader) find(h plumbing.Hash, kind plumbing.ObjectType) (plumbing.EncodedObject, error) {
	if r.local != nil {
		return r.local(h)
	}
	p, offset := r.v.find(h)
	if p == nil {
		return nil, &damagedError{r.v, fmt.Errorf("%s %s is missing", kind, h)}
	}
	opened, err := r.pack(p)
	if err != nil {
		return nil, err
	}
	o, err := opened.GetByOffset(offset)
	if err != nil {
		return nil, &damagedError{r.v, fmt.Errorf("%s %s: %w", kind, h, err)}
	}
	if o.Hash() != h {
		return nil, &damagedError{r.v, fmt.Errorf("%s %s has the content of %s", kind, h, o.Hash())}
	}
	return o, nil
}

func (r *reader) pack(p *pack) (*packfile.Packfile, error) {
	opened := r.open[p]
	if opened == nil {
		f, err := os.Open(p.path + ".pack")
		if err != nil {
			return nil, &damagedError{r.v, err}
		}
		opened = packfile.NewPackfileWithCache(p.idx, nil, packHandle{f}, r.cache, 0)
		r.open[p] = opened
	}
	return opened, nil
}

// size returns the size of an object, as the pack has it: the content is not
// unpacked, and so not checked.
func (r *reader) size(h plumbing.Hash) (int64, error) {
	if r.local != nil {
		o, err := r.local(h)
		if err != nil {
			return 0, err
		}
		return o.Size(), nil
	}
	p, offset := r.v.find(h)
	if p == nil {
		return 0, &damagedError{r.v, fmt.Errorf("object %s is missing", h)}
	}
	opened, err := r.pack(p)
	if err != nil {
		return 0, err
	}
	size, err := opened.GetSizeByOffset(offset)
	if err != nil {
		return 0, &damagedError{r.v, fmt.Errorf("size of %s: %w", h, err)}
	}
	return size, nil
}

func (r *reader) commit(h plumbing.Hash) (*object.Commit, error) {
	o, err := r.get(h, plumbing.CommitObject)
	if err != nil {
		return nil, err
	}
	c, err := object.DecodeCommit(nil, o)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The commit %s is malformed.", h)
	}
	return c, nil
}

// tree returns a tree's entries, sorted by name. They are shared and must not
// be changed.
func (r *reader) tree(h plumbing.Hash) ([]object.TreeEntry, error) {
	key := "tree " + string(h[:])
	if known, ok := r.memory.recall(key); ok {
		return known.([]object.TreeEntry), nil
	}
	o, err := r.get(h, plumbing.TreeObject)
	if err != nil {
		return nil, err
	}
	var t object.Tree
	if err := t.Decode(o); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The tree %s is malformed.", h)
	}
	slices.SortStableFunc(t.Entries, func(a, b object.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	weight := 24
	for _, e := range t.Entries {
		weight += 48 + len(e.Name)
	}
	r.memory.remember(key, t.Entries, weight)
	return t.Entries, nil
}

func (r *reader) blob(h plumbing.Hash) ([]byte, error) {
	o, err := r.get(h, plumbing.BlobObject)
	if err != nil {
		return nil, err
	}
	content, err := o.Reader()
	if err != nil {
		return nil, &damagedError{r.v, err}
	}
	defer content.Close()
	buf := make([]byte, o.Size())
	if _, err := io.ReadFull(content, buf); err != nil {
		return nil, &damagedError{r.v, err}
	}
	return buf, nil
}

// lookup finds what stands at the path in the commit.
func lookup(r *reader, commit plumbing.Hash, path string) (object.TreeEntry, error) {
	c, err := r.commit(commit)
	if err != nil {
		return object.TreeEntry{}, err
	}
	at := object.TreeEntry{Mode: filemode.Dir, Hash: c.TreeHash}
	if path == "" || path == "." {
		return at, nil
	}
	if !fs.ValidPath(path) {
		return object.TreeEntry{}, errs.New(errs.Invalid, "%q is not a path inside a repository.", path)
	}
	for name := range strings.SplitSeq(path, "/") {
		if at, err = child(r, at, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = errs.Wrap(errs.NotFound, err, "The commit has no %q.", path)
			}
			return object.TreeEntry{}, err
		}
	}
	return at, nil
}

func child(r *reader, dir object.TreeEntry, name string) (object.TreeEntry, error) {
	if dir.Mode != filemode.Dir {
		return object.TreeEntry{}, fs.ErrNotExist
	}
	entries, err := r.tree(dir.Hash)
	if err != nil {
		return object.TreeEntry{}, err
	}
	if i, ok := slices.BinarySearchFunc(entries, name, func(e object.TreeEntry, name string) int { return strings.Compare(e.Name, name) }); ok {
		return entries[i], nil
	}
	return object.TreeEntry{}, fs.ErrNotExist
}

// maxFile bounds what File returns.
const maxFile = 4 << 20

func readFile(v *view, commit plumbing.Hash, path string) ([]byte, error) {
	r := newReader(v)
	defer r.close()
	e, err := lookup(r, commit, path)
	if err != nil {
		return nil, err
	}
	switch e.Mode {
	case filemode.Dir, filemode.Symlink, filemode.Submodule:
		return nil, errs.New(errs.Invalid, "%q is a %s, not a file.", path, modeName(e.Mode))
	}
	content, err := r.blob(e.Hash)
	if err == nil && len(content) > maxFile {
		err = errs.New(errs.TooLarge, "%q has %d bytes; at most %d are read.", path, len(content), maxFile)
	}
	return content, err
}

func modeName(m filemode.FileMode) string {
	switch m {
	case filemode.Dir:
		return "folder"
	case filemode.Symlink:
		return "symbolic link"
	case filemode.Submodule:
		return "submodule"
	default:
		return "file"
	}
}
