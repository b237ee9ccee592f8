package checkout

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Swept is what Sweep did.
type Swept struct {
	Removed int   // mirrors
	Kept    int64 // bytes of those that are left
}

// Sweep deletes mirrors that nobody has used since maxAge ago, and then, those
// that rested longest first, as many as it takes for all of them to have at
// most maxBytes together. 0 stands for no bound. A mirror that this process
// uses stays; one that another process uses is fetched again there. Whoever
// asks for a commit of a mirror that is gone has it fetched.
func (s *Store) Sweep(now time.Time, maxAge time.Duration, maxBytes int64) (Swept, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Swept{}, nil
	}
	if err != nil {
		return Swept{}, fmt.Errorf("sweep mirrors: %w", err)
	}
	type resting struct {
		name  string
		used  time.Time
		bytes int64
	}
	var all []resting
	var out Swept
	for _, e := range entries {
		if !e.IsDir() || !isMirror(e.Name()) {
			continue // not ours
		}
		used, bytes := lastUse(filepath.Join(s.dir, e.Name()))
		all = append(all, resting{e.Name(), used, bytes})
		out.Kept += bytes
	}
	slices.SortFunc(all, func(a, b resting) int { return a.used.Compare(b.used) })
	var failed error
	for _, m := range all {
		old := maxAge > 0 && now.Sub(m.used) > maxAge
		if !old && (maxBytes <= 0 || out.Kept <= maxBytes) {
			continue
		}
		removed, err := s.forgetUnused(m.name)
		failed = errors.Join(failed, err)
		if removed {
			out.Removed++
			out.Kept -= m.bytes
		}
	}
	return out, failed
}

// isMirror reports whether a folder's name is one of Source.mirror's.
func isMirror(folder string) bool {
	name, ok := strings.CutSuffix(folder, mirrorEnd)
	if sum, scoped := strings.CutPrefix(name, scopedMirror); scoped {
		_, err := hex.DecodeString(sum)
		return ok && err == nil && len(sum) == 2*sha256.Size
	}
	_, err := strconv.ParseInt(name, 10, 64)
	return ok && err == nil
}

// lastUse returns when a mirror was last used, and how large it is.
func lastUse(dir string) (used time.Time, bytes int64) {
	if info, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		used = info.ModTime()
	}
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // what goes away meanwhile counts nothing
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return used, bytes
}

// forgetUnused deletes a mirror unless somebody uses it. Nobody begins to
// meanwhile: the lock is held.
func (s *Store) forgetUnused(name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.mirrors[name]; m != nil {
		if m.users > 0 {
			return false, nil
		}
		delete(s.mirrors, name)
	}
	if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
		return false, fmt.Errorf("sweep the mirror %s: %w", name, err)
	}
	return true, nil
}

// touchEvery is how exactly the time of a mirror's last use is kept.
const touchEvery = time.Hour

// touch notes on disk that the mirror is used, for Sweep.
func (m *mirror) touch(now time.Time) {
	head := filepath.Join(m.dir, "HEAD")
	if info, err := os.Stat(head); err == nil && now.Sub(info.ModTime()) > touchEvery {
		_ = os.Chtimes(head, now, now) // it is swept too early, no worse
	}
}
