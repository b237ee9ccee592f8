package checkout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
)

// Updated is what Update did.
type Updated struct {
	Notes       // of the whole tree, as Tree gives them
	Written int // files and links
	Removed int // what was changed, or is not the commit's; a folder counts once
}

// Update makes of the work tree in dir what Tree would write for the commit, by
// writing only what is not there as the commit has it. What is there does not
// matter: the tree of another commit that a run has altered, half a tree, none.
// Whatever the commit does not have goes away, save files and folders that keep
// is true for (paths in the tree, with slashes): those stay as they are, with
// all below them, as long as the folder they stand in is the commit's. keep may
// be nil.
//
// A file is left in place only where it is proven to be what an earlier Update
// wrote; see record. So a tree that Tree wrote is written once more, and one
// that is to be updated is best made by Update.
//
// Nothing else may use the tree meanwhile, and nothing of a run that had it may
// be alive. An Update that fails or is killed leaves a tree between the two
// commits, which must not be used, and which the next one mends. Errors are
// those of Tree.
func (s *Store) Update(ctx context.Context, src Source, refs []string, sha, dir string, keep func(path string) bool) (Updated, error) {
	var out Updated
	err := s.with(ctx, src, refs, []string{sha}, func(v *view, commits []plumbing.Hash) (err error) {
		p, err := s.open(ctx, src, v, commits[0])
		if err != nil {
			return err
		}
		defer p.close()
		out, err = s.updateTree(ctx, p, dir, keep)
		return err
	})
	if err != nil {
		return Updated{}, fmt.Errorf("update a work tree to %s of %s: %w", sha, src.named(), err)
	}
	return out, nil
}

func (s *Store) updateTree(ctx context.Context, top *part, dir string, keep func(string) bool) (Updated, error) {
	l, err := s.list(ctx, top)
	if err != nil {
		return Updated{}, err
	}
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		if err := RemoveTree(dir); err != nil {
			return Updated{}, treeError(err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Updated{}, treeError(err)
	}
	mode, err := folderMode(dir)
	if err != nil {
		return Updated{}, treeError(err)
	}
	if err := os.Chmod(dir, mode); err != nil { // a run may have locked us out
		return Updated{}, treeError(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Updated{}, treeError(err)
	}
	defer root.Close()
	w := &writing{root: root, max: s.opts.MaxBytes, record: &record{files: make(map[string]written, len(l.files))}}
	u := updating{ctx: ctx, w: w, old: readRecord(dir), mode: mode, keep: keep, want: wanted(l)}
	if err := u.tidy(root, ""); err != nil {
		return Updated{}, err
	}
	missing := u.missing(l)
	if err := w.write(ctx, missing); err != nil {
		return Updated{}, err
	}
	if err := w.record.save(dir); err != nil {
		return Updated{}, treeError(err)
	}
	return Updated{Notes: w.done(l), Written: len(missing.files) + len(missing.links), Removed: u.removed}, nil
}

// folderMode returns the rights that a new folder beside dir has.
func folderMode(dir string) (fs.FileMode, error) {
	probe := filepath.Clean(dir) + ".probe"
	if err := os.Mkdir(probe, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // left by one that was killed
		return 0, err
	}
	defer os.Remove(probe) // empty
	info, err := os.Stat(probe)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// thing is what should stand at a path.
type thing struct {
	kind fs.FileMode // ModeDir, ModeSymlink or 0
	file file
	to   string // of a link
}

func wanted(l *listing) map[string]thing {
	want := make(map[string]thing, len(l.dirs)+len(l.files)+len(l.links))
	for _, d := range l.dirs {
		want[d] = thing{kind: fs.ModeDir}
	}
	for _, f := range l.files {
		want[f.path] = thing{file: f}
	}
	for p, to := range l.links {
		want[p] = thing{kind: fs.ModeSymlink, to: to}
	}
	return want
}

// updating is one look through a tree that is there.
type updating struct {
	ctx     context.Context
	w       *writing
	old     *record
	mode    fs.FileMode // of folders
	keep    func(string) bool
	want    map[string]thing // loses what is found to be there
	removed int
}

// tidy looks through a folder of the commit's, and removes what is not as the
// commit has it. All is gone from a path before anything is written there, and
// nothing that is a link is entered.
func (u *updating) tidy(in *os.Root, dir string) error {
	if u.ctx.Err() != nil {
		return stopped(u.ctx)
	}
	if info, err := in.Stat("."); err != nil || info.Mode() != u.mode {
		if err := errors.Join(err, in.Chmod(".", u.mode)); err != nil {
			return treeError(err)
		}
	}
	entries, err := readDir(in, ".")
	if err != nil {
		return treeError(err)
	}
	for _, e := range entries {
		p := join(dir, e.Name())
		stays, err := u.stays(in, p, e)
		if err != nil {
			return err
		}
		if stays {
			continue
		}
		if err := remove(in, e.Name()); err != nil {
			return treeError(err)
		}
		u.removed++
	}
	return nil
}

// stays reports whether what stands at the path is right, or kept.
func (u *updating) stays(in *os.Root, p string, e fs.DirEntry) (bool, error) {
	name := e.Name()
	want, ok := u.want[p]
	if !ok {
		kind := e.Type()
		return (kind == fs.ModeDir || kind == 0) && u.keep != nil && u.keep(p), nil
	}
	if e.Type() != want.kind {
		return false, nil
	}
	switch want.kind {
	case fs.ModeDir:
		if err := loosen(in, name); err != nil {
			return false, treeError(err)
		}
		below, err := in.OpenRoot(name)
		if err != nil {
			return false, treeError(err)
		}
		defer below.Close()
		delete(u.want, p)
		return true, u.tidy(below, p)
	case fs.ModeSymlink:
		if to, err := in.Readlink(name); err != nil || to != filepath.FromSlash(want.to) {
			return false, nil
		}
	default:
		old, known := u.old.files[p]
		if !known || old.hash != want.file.hash || old.stamp.mode&0o100 != 0 != want.file.exec {
			return false, nil
		}
		info, err := e.Info()
		if err != nil {
			return false, treeError(err)
		}
		if now, ok := stampOf(info); !ok || now != old.stamp {
			return false, nil
		}
		if old.young && !hasContent(in, name, old.hash) {
			return false, nil
		}
		u.w.record.files[p] = old
		if err := u.w.count(p, old.stamp.size, old.lfs); err != nil {
			return false, err
		}
	}
	delete(u.want, p)
	return true, nil
}

// hasContent reports whether the file has the content of the blob.
func hasContent(in *os.Root, name string, want plumbing.Hash) bool {
	content, err := in.ReadFile(name)
	return err == nil && plumbing.ComputeHash(plumbing.BlobObject, content) == want
}

// missing returns what is listed and was not found in the tree.
func (u *updating) missing(l *listing) *listing {
	out := &listing{links: map[string]string{}}
	for _, d := range l.dirs {
		if _, ok := u.want[d]; ok {
			out.dirs = append(out.dirs, d)
		}
	}
	for _, f := range l.files {
		if _, ok := u.want[f.path]; ok {
			out.files = append(out.files, f)
		}
	}
	for p, to := range l.links {
		if _, ok := u.want[p]; ok {
			out.links[p] = to
		}
	}
	return out
}
