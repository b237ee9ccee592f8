package providers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"golang.org/x/mod/sumdb/dirhash"
)

// localHash is the checksum of a package in the operator's own folder, with
// the stamp that it had then.
type localHash struct{ stamp, h1 string }

// inMirror reports whether the operator's own folder has a version that will
// do. What the lock file says of it is looked at here, since the tool's own
// words about it help nobody.
func (s *Store) inMirror(w *want, dir string) (bool, error) {
	if s.o.Mirror == "" {
		return false, nil
	}
	unpacked, packed := s.mirrored(w.Address)
	all := append(slices.Clone(unpacked), packed...)
	if w.wish.exact == "" {
		best, err := w.wish.newest(all)
		return best != nil && err == nil, nil // a constraint that is not understood, the tool explains
	}
	exact, err := version.NewVersion(w.wish.exact)
	if err != nil {
		return false, nil
	}
	has := func(list []*version.Version) bool { return slices.ContainsFunc(list, exact.Equal) }
	if !has(all) {
		return false, nil
	}
	if !w.pinned || len(w.pin.hashes) == 0 || has(packed) {
		return true, nil
	}
	id := s.id(w.Address, exact.String())
	if h1, err := s.localH1(filepath.Join(s.o.Mirror, id)); err == nil && !slices.Contains(w.pin.hashes, h1) {
		tool := "terraform"
		if w.Hostname == openTofuHost {
			tool = "tofu"
		}
		return false, w.noPlatform(dir, tool, s.o.Platform, "the server's folder of providers (terraform.provider_mirror)")
	}
	return true, nil
}

// mirrored returns the versions of a provider for this platform in the
// operator's folder, in the two forms that a filesystem mirror may have.
func (s *Store) mirrored(a Address) (unpacked, packed []*version.Version) {
	base := filepath.Join(s.o.Mirror, a.Hostname.ForDisplay(), a.Namespace, a.Type)
	entries, err := os.ReadDir(base)
	if err != nil {
		return nil, nil // it is not there, or the tool tells
	}
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), "terraform-provider-"+a.Type+"_")
		if text, cut := strings.CutSuffix(text, "_"+s.o.Platform+".zip"); ok && cut {
			if v, err := version.NewVersion(text); err == nil {
				packed = append(packed, v)
			}
			continue
		}
		if info, err := os.Stat(filepath.Join(base, e.Name(), s.o.Platform)); err == nil && info.IsDir() {
			if v, err := version.NewVersion(e.Name()); err == nil {
				unpacked = append(unpacked, v)
			}
		}
	}
	return unpacked, packed
}

// localH1 returns the checksum of a package in the operator's folder. It is
// worked out again when the package changes.
func (s *Store) localH1(dir string) (string, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	_, stamp, err := stampOf(dir)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	known := s.local[dir]
	s.mu.Unlock()
	if known.stamp == stamp {
		return known.h1, nil
	}
	h1, err := dirhash.HashDir(dir, "", dirhash.Hash1)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local[dir] = localHash{stamp, h1}
	return h1, nil
}
