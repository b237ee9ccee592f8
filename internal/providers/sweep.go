package providers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/dirhash"
)

// inUse is how long after it was prepared for a run a package stays in any
// case: longer than the longest apply may take.
const inUse = 73 * time.Hour

// List returns the packages of the store, sorted by provider, version and
// platform. One whose record is damaged is not among them: no run uses it, and
// it is fetched anew when one wants it.
func (s *Store) List() ([]Package, error) {
	var out []Package
	meta := filepath.Join(s.o.Dir, "meta")
	err := filepath.WalkDir(meta, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(meta, path)
		if err != nil {
			return err
		}
		id, ok := strings.CutSuffix(rel, ".json")
		if !ok {
			return nil
		}
		p, err := s.record(id)
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
			return nil
		case errors.Is(err, errDamaged): // by a machine that went down; as good as none
			s.o.Log.Warn("the record of a provider's package can't be read", "package", id, "error", err)
			return nil
		case err == nil:
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the provider store: %w", err)
	}
	slices.SortStableFunc(out, func(a, b Package) int { return strings.Compare(a.id(), b.id()) })
	return out, nil
}

// id is where the package is, below the store's folder.
func (p Package) id() string {
	return filepath.Join(filepath.FromSlash(p.Provider), p.Version, p.Platform)
}

// Verify works out the checksums of all packages anew, and returns the wrong
// ones, each with a sentence. It changes nothing: a package that was altered
// is fetched anew when the next run wants it.
func (s *Store) Verify(ctx context.Context) (checked int, wrong []string, err error) {
	all, err := s.List()
	if err != nil {
		return 0, nil, err
	}
	known := map[string]bool{}
	for _, p := range all {
		if ctx.Err() != nil {
			return checked, wrong, ctx.Err()
		}
		known[p.id()] = true
		h1, err := dirhash.HashDir(s.packageDir(p.id()), "", dirhash.Hash1)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%s %s for %s can't be read: %v.", p.Provider, p.Version, p.Platform, err))
		case h1 != p.H1:
			wrong = append(wrong, fmt.Sprintf("%s %s for %s was altered: its checksum was %s, and is %s.", p.Provider, p.Version, p.Platform, p.H1, h1))
		}
		checked++
	}
	strange, err := filepath.Glob(filepath.Join(s.o.Dir, "store", "*", "*", "*", "*", "*"))
	if err != nil {
		return checked, wrong, err
	}
	for _, dir := range strange {
		if id, err := filepath.Rel(filepath.Join(s.o.Dir, "store"), dir); err == nil && !known[id] {
			wrong = append(wrong, fmt.Sprintf("%s is in the store, but nothing is known of it: no run uses it.", id))
		}
	}
	return checked, wrong, nil
}

// Swept is what Sweep did.
type Swept struct {
	Removed []Package
	Freed   int64 // bytes of those
	Kept    int64 // bytes of those that are left
}

// Sweep removes the packages that no run was prepared with since maxAge ago,
// and then, those that rested longest first, as many as it takes for all of
// them to have at most maxBytes together; 0 stands for no bound. What was
// prepared within the last three days stays: a run may still be at it. What is
// removed is fetched again when it is wanted.
func (s *Store) Sweep(ctx context.Context, maxAge time.Duration, maxBytes int64) (Swept, error) {
	var out Swept
	if _, err := os.Stat(s.o.Dir); errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	f, err := s.flock(ctx, "sweep", syscall.LOCK_EX)
	if err != nil {
		return out, err
	}
	defer f.Close()
	failed := s.sweepViews()
	all, err := s.List()
	if err != nil {
		return out, errors.Join(failed, err)
	}
	for _, p := range all {
		out.Kept += p.Size
	}
	slices.SortStableFunc(all, func(a, b Package) int { return a.Used.Compare(b.Used) })
	now := s.o.Now()
	for _, p := range all {
		rests := now.Sub(p.Used)
		if rests < inUse || !(maxAge > 0 && rests > maxAge) && (maxBytes <= 0 || out.Kept <= maxBytes) {
			continue
		}
		if err := s.remove(p.id()); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		out.Removed = append(out.Removed, p)
		out.Freed += p.Size
		out.Kept -= p.Size
	}
	return out, failed
}

// sweepViews removes the links that no run has used for long.
func (s *Store) sweepViews() (failed error) {
	dirs, err := filepath.Glob(filepath.Join(s.o.Dir, "views", "*"))
	if err != nil {
		return err
	}
	left, _ := filepath.Glob(filepath.Join(s.o.Dir, "tmp", "view-*"))
	for _, dir := range append(dirs, left...) {
		if info, err := os.Lstat(dir); err == nil && s.o.Now().Sub(info.ModTime()) > inUse {
			failed = errors.Join(failed, os.RemoveAll(dir))
		}
	}
	return failed
}

// Altered returns the packages that are not as they were unpacked, as far as
// the file system tells: Verify looks closely.
func (s *Store) Altered() ([]Package, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p Package) bool {
		_, ok := s.whole(p.id())
		return ok
	}), nil
}
