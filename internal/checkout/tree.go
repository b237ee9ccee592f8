package checkout

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/errs"
)

// maxDepth bounds how deep folders stand in each other.
const maxDepth = 128

// listing is a commit's tree, flat: checked, with nothing written yet.
type listing struct {
	dirs       []string // parents before children
	files      []file
	links      map[string]string // path → target
	submodules []string
}

type file struct {
	path string
	exec bool
	hash plumbing.Hash
	in   *part
}

// list reads a commit's tree and refuses what must not be written.
func (s *Store) list(ctx context.Context, top *part) (*listing, error) {
	l := &listing{links: map[string]string{}}
	seen := map[string]bool{}
	var text int64 // bytes of paths and of where links lead
	// dir is a path in the whole tree, own the same in the part's.
	var walk func(in *part, tree plumbing.Hash, dir, own string, depth int) error
	walk = func(in *part, tree plumbing.Hash, dir, own string, depth int) error {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		if depth > maxDepth {
			return errs.New(errs.TooLarge, "The commit has folders that stand more than %d deep.", maxDepth)
		}
		entries, err := in.r.tree(tree)
		if err != nil {
			return err
		}
		for _, e := range entries {
			p := join(dir, e.Name)
			if reason := badName(e.Name); reason != "" {
				return errs.New(errs.Invalid, "The commit has a path %q, whose last part %s. Tidelock does not check it out.", p, reason)
			}
			if seen[p] {
				return errs.New(errs.Invalid, "The commit has the path %q twice. Tidelock does not check it out.", p)
			}
			seen[p] = true
			if len(seen) > s.opts.MaxFiles {
				return errs.New(errs.TooLarge, "The commit has more than %d files.", s.opts.MaxFiles)
			}
			if text += int64(len(p)); text > s.maxText() {
				return s.tooMuchText()
			}
			switch e.Mode {
			case filemode.Dir:
				l.dirs = append(l.dirs, p)
				if err := walk(in, e.Hash, p, join(own, e.Name), depth+1); err != nil {
					return err
				}
			case filemode.Submodule:
				l.dirs = append(l.dirs, p)
				if sub := in.subs[join(own, e.Name)]; sub != nil {
					if err := walk(sub, sub.root, p, "", depth+1); err != nil {
						return err
					}
					continue
				}
				l.submodules = append(l.submodules, p)
			case filemode.Symlink:
				size, err := in.r.size(e.Hash)
				if err != nil {
					return err
				}
				if size > maxTarget {
					return badLink(p, "…", "has a target that is no path")
				}
				if text += size; text > s.maxText() {
					return s.tooMuchText()
				}
				target, err := in.r.blob(e.Hash)
				if err != nil {
					return err
				}
				l.links[p] = string(target)
			case filemode.Regular, filemode.Deprecated, filemode.Executable:
				l.files = append(l.files, file{p, e.Mode == filemode.Executable, e.Hash, in})
			default:
				return errs.New(errs.Invalid, "The commit's %q is of a kind (%s) that Tidelock does not check out.", p, e.Mode)
			}
		}
		return nil
	}
	if err := walk(top, top.root, "", "", 0); err != nil {
		return nil, err
	}
	return l, checkLinks(ctx, l.links)
}

// maxText bounds the bytes of all paths of a tree together, and of where its
// links lead: few objects can name one deep folder's files over and over.
func (s *Store) maxText() int64 { return 256 * int64(s.opts.MaxFiles) }

func (s *Store) tooMuchText() error {
	return errs.New(errs.TooLarge, "The paths of the commit's files have more than %d MiB together.", s.maxText()>>20)
}

// writeTree writes the commit to a folder beside into and renames it.
func (s *Store) writeTree(ctx context.Context, top *part, into string) (Notes, error) {
	l, err := s.list(ctx, top)
	if err != nil {
		return Notes{}, err
	}
	if left, err := os.ReadDir(into); err == nil && len(left) > 0 {
		return Notes{}, errs.New(errs.Conflict, "The folder for the work tree is not empty.")
	}
	partial := into + ".partial" // of this attempt, or left by one that was killed
	if err := os.RemoveAll(partial); err != nil {
		return Notes{}, treeError(err)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return Notes{}, treeError(err)
	}
	defer os.RemoveAll(partial) // gone from there when all went well
	root, err := os.OpenRoot(partial)
	if err != nil {
		return Notes{}, treeError(err)
	}
	defer root.Close()
	w := &writing{root: root, max: s.opts.MaxBytes}
	if err := w.write(ctx, l); err != nil {
		return Notes{}, err
	}
	return w.done(l), treeError(os.Rename(partial, into))
}

// parallelFrom is the number of files from which on a second goroutine pays
// for its own reader.
const parallelFrom = 256

// writing is a work tree in the making, which several goroutines write to.
type writing struct {
	root   *os.Root
	max    int64   // bytes of all files together
	record *record // of what is written; nil where nobody asks for it

	mu    sync.Mutex
	notes Notes
}

// write puts what is listed into the folder, where none of it may stand yet.
// Everything goes through os.Root, and links come last, so that no write can
// follow one.
func (w *writing) write(ctx context.Context, l *listing) error {
	for _, d := range l.dirs {
		if err := w.root.Mkdir(filepath.FromSlash(d), 0o755); err != nil {
			return clash(err, d)
		}
	}
	if err := w.writeAll(ctx, l.files); err != nil {
		return err
	}
	for p, target := range l.links {
		if err := w.root.Symlink(filepath.FromSlash(target), filepath.FromSlash(p)); err != nil {
			return clash(err, p)
		}
	}
	return nil
}

func (w *writing) writeAll(ctx context.Context, files []file) error {
	if len(files) < parallelFrom {
		return w.writeFiles(ctx, files, func(p *part) *reader { return p.r })
	}
	// Neighbours in a pack share the bases of their deltas: each goroutine
	// takes a stretch of the pack.
	sortByPlace(files)
	n := min(runtime.GOMAXPROCS(0), 4)
	size := (len(files) + n - 1) / n
	group, groupCtx := errgroup.WithContext(ctx)
	for stretch := range slices.Chunk(files, size) {
		group.Go(func() error {
			own := map[*part]*reader{}
			defer func() {
				for _, r := range own {
					r.close()
				}
			}()
			return w.writeFiles(groupCtx, stretch, func(p *part) *reader {
				if own[p] == nil {
					own[p] = newReader(p.r.v)
				}
				return own[p]
			})
		})
	}
	return group.Wait()
}

// done returns what is to be said of the tree, which is as listed.
func (w *writing) done(l *listing) Notes {
	out := w.notes
	out.Files += len(l.links)
	out.Submodules = l.submodules
	slices.Sort(out.LFS)
	return out
}

// count notes one file of the tree.
func (w *writing) count(p string, size int64, lfs bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes.Files++
	if w.notes.Bytes += size; w.notes.Bytes > w.max {
		return errs.New(errs.TooLarge, "The commit's files have more than %d MiB together.", w.max>>20)
	}
	if lfs {
		w.notes.LFS = append(w.notes.LFS, p)
	}
	return nil
}

func sortByPlace(files []file) {
	type place struct {
		pack   string
		offset int64
	}
	places := make(map[plumbing.Hash]place, len(files))
	for _, f := range files {
		if p, offset := f.in.r.v.find(f.hash); p != nil {
			places[f.hash] = place{p.path, offset}
		}
	}
	slices.SortFunc(files, func(a, b file) int {
		x, y := places[a.hash], places[b.hash]
		return cmp.Or(cmp.Compare(x.pack, y.pack), cmp.Compare(x.offset, y.offset))
	})
}

// isLFSPointer reports whether a file is a pointer of Git LFS's, which are
// small and begin so, by its specification.
func isLFSPointer(content []byte) bool {
	return len(content) < 1024 && bytes.HasPrefix(content, []byte("version https://git-lfs.github.com/spec/v1\n"))
}

func (w *writing) writeFiles(ctx context.Context, files []file, readerOf func(*part) *reader) error {
	// Most files stand in the folder of the one before: opening that folder
	// once spares walking to it for each.
	at, in := ".", w.root
	defer func() {
		if in != w.root {
			in.Close()
		}
	}()
	for _, f := range files {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		content, err := readerOf(f.in).blob(f.hash)
		if err != nil {
			return err
		}
		lfs := isLFSPointer(content)
		if err := w.count(f.path, int64(len(content)), lfs); err != nil {
			return err
		}
		if dir := path.Dir(f.path); dir != at {
			next, err := w.root.OpenRoot(filepath.FromSlash(dir))
			if err != nil {
				return treeError(err)
			}
			if in != w.root {
				in.Close()
			}
			at, in = dir, next
		}
		perm := fs.FileMode(0o644)
		if f.exec {
			perm = 0o755
		}
		out, err := in.OpenFile(path.Base(f.path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if err != nil {
			return clash(err, f.path)
		}
		_, err = out.Write(content)
		if err == nil && w.record != nil {
			err = w.note(out, f, lfs)
		}
		if err := errors.Join(err, out.Close()); err != nil {
			return treeError(err)
		}
	}
	return nil
}

// note puts a file that has just been written on record.
func (w *writing) note(out *os.File, f file, lfs bool) error {
	info, err := out.Stat()
	if err != nil {
		return err
	}
	if s, ok := stampOf(info); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.record.files[f.path] = written{hash: f.hash, lfs: lfs, stamp: s}
	}
	return nil
}

// clash explains why something stands already where only this commit's files,
// each with a path of its own, have been written.
func clash(err error, p string) error {
	if errors.Is(err, fs.ErrExist) {
		return errs.Wrap(errs.Invalid, err, "The commit has %q and a path that differs from it only in upper and lower case or in how its letters are encoded. The server's file system can't hold both.", p)
	}
	return treeError(err)
}

func treeError(err error) error {
	return errs.Wrap(errs.Unavailable, err, "Tidelock can't write the work tree. Is the disk full?")
}
