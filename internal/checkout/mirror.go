package checkout

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/tidelock/tidelock/internal/errs"
)

// A mirror is a bare repository of pack files. The invariant that everything
// rests on: a pack arrives by a rename, whole, and holds all that its commits
// reach and the packs before it lack. So a commit that is there is there with
// all its history and files, and a kill at any moment leaves at worst a
// temporary file.
//
// The packs are indexed and put in place here rather than by go-git's own
// writer, which writes the index in place: killed in the middle of that, it
// would take the half of an index for the whole one after the next fetch.
//
// There are no refs in it: which commits to offer the server as already had is
// remembered in the file tips.
type mirror struct {
	dir      string
	fetching chan struct{} // one fetch at a time

	users   int   // guarded by Store.mu
	lastUse int64 // guarded by Store.mu

	mu         sync.Mutex
	loaded     bool
	generation int // grows whenever packs are taken away
	packs      []*pack
	tips       []plumbing.Hash // newest first
	pending    *batch          // the next fetch, still taking in wishes
}

type pack struct {
	path string // without the ending
	idx  *idxfile.MemoryIndex
}

const (
	maxTips = 64
	// abandonedAfter is the age at which a temporary file belongs to nobody:
	// one that is being written to is never that old.
	abandonedAfter = 15 * time.Minute
)

// damagedError reports that the mirror lacks or garbles what it must have.
type damagedError struct {
	v   *view // of that mirror; nil where there is none
	err error
}

func (e *damagedError) Error() string { return "the mirror is damaged: " + e.err.Error() }
func (e *damagedError) Unwrap() error { return e.err }

func newMirror(dir string) *mirror {
	return &mirror{dir: dir, fetching: make(chan struct{}, 1)}
}

// view is what the mirror held at one moment. It never changes, and can be
// used without a lock; the files of its packs can be gone, though.
type view struct {
	mirror     *mirror
	generation int
	packs      []*pack
}

func (v *view) has(h plumbing.Hash) bool {
	p, _ := v.find(h)
	return p != nil
}

// find returns the pack that holds the object and its offset there.
func (v *view) find(h plumbing.Hash) (*pack, int64) {
	for _, p := range v.packs {
		if offset, err := p.idx.FindOffset(h); err == nil {
			return p, offset
		}
	}
	return nil, 0
}

func (v *view) hasAll(hashes []plumbing.Hash) bool {
	return !slices.ContainsFunc(hashes, func(h plumbing.Hash) bool { return !v.has(h) })
}

// view reads the mirror from disk when that was not done yet.
func (m *mirror) view() (*view, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.loaded {
		if err := m.load(); err != nil {
			return nil, err
		}
	}
	return &view{m, m.generation, m.packs}, nil
}

// load opens the mirror, making it where there is none, and clears away what a
// killed process left. An unreadable mirror is emptied.
func (m *mirror) load() error {
	if err := m.lay(); err != nil {
		return storageError(err)
	}
	files, err := os.ReadDir(m.packDir())
	if err != nil {
		return storageError(err)
	}
	have := map[string]bool{}
	for _, f := range files {
		have[f.Name()] = true
	}
	m.packs, m.tips = nil, nil
	for _, f := range files {
		name := f.Name()
		base, isIdx := strings.CutSuffix(name, ".idx")
		switch {
		case strings.HasPrefix(name, "tmp_"):
			if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > abandonedAfter {
				_ = os.Remove(filepath.Join(m.packDir(), name)) // another may have been quicker
			}
		case isIdx && have[base+".pack"]:
			p, err := openPack(filepath.Join(m.packDir(), base))
			if err != nil {
				return m.empty()
			}
			m.packs = append(m.packs, p)
		}
	}
	m.tips = m.readTips()
	m.loaded = true
	return nil
}

// lay makes the folders and files of an empty bare repository, so that an
// operator can look into the mirror with git.
func (m *mirror) lay() error {
	for _, dir := range []string{m.packDir(), filepath.Join(m.dir, "refs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"HEAD":   "ref: refs/heads/main\n",
		"config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
	} {
		path := filepath.Join(m.dir, name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *mirror) packDir() string  { return filepath.Join(m.dir, "objects", "pack") }
func (m *mirror) tipsFile() string { return filepath.Join(m.dir, "tips") }

func openPack(base string) (*pack, error) {
	f, err := os.Open(base + ".idx")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	idx := idxfile.NewMemoryIndex()
	if err := idxfile.NewDecoder(f).Decode(idx); err != nil {
		return nil, err
	}
	return &pack{base, idx}, nil
}

// discard empties a mirror that was found damaged, unless that has been done
// since the generation that was looked at.
func (m *mirror) discard(generation int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generation != generation {
		return nil
	}
	return m.empty()
}

// empty takes all packs away. The tips go first: a tip that is offered to the
// server but is not there would leave the next pack with holes.
func (m *mirror) empty() error {
	m.generation++
	m.packs, m.tips, m.loaded = nil, nil, true
	if err := os.RemoveAll(m.tipsFile()); err != nil {
		return storageError(err)
	}
	if err := os.RemoveAll(m.packDir()); err != nil {
		return storageError(err)
	}
	return storageError(m.lay())
}

func (m *mirror) unload() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	m.packs, m.tips, m.loaded = nil, nil, false
}

// add stores a pack that the server sent. With instead set it takes the place
// of all packs there are. The tips are what it was asked for.
func (m *mirror) add(ctx context.Context, content io.Reader, tips []plumbing.Hash, instead bool) error {
	p, err := m.receive(ctx, content)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p != nil {
		old := m.packs
		if instead {
			m.generation++
			m.packs, m.tips = []*pack{p}, nil
			for _, o := range old {
				if o.path != p.path {
					// The pack first: an index alone counts for nothing.
					_ = os.Remove(o.path + ".pack")
					_ = os.Remove(o.path + ".idx")
				}
			}
		} else if !slices.ContainsFunc(old, func(o *pack) bool { return o.path == p.path }) {
			// The newest first: what is asked for is most often there. A new
			// slice, as views hold the old one.
			m.packs = append([]*pack{p}, old...)
		}
	}
	v := view{packs: m.packs}
	var kept []plumbing.Hash
	for _, h := range append(tips, m.tips...) {
		if len(kept) < maxTips && v.has(h) && !slices.Contains(kept, h) {
			kept = append(kept, h)
		}
	}
	m.tips = kept
	return storageError(m.writeTips())
}

// receive writes the pack and its index to temporary files, then puts them in
// place: the index first, as a pack that has none would be taken for damage.
// Neither is synced to disk, since a mirror that a power cut damaged is found
// out and fetched again. A pack with nothing in it is nil.
func (m *mirror) receive(ctx context.Context, content io.Reader) (*pack, error) {
	if err := m.lay(); err != nil { // someone may have cleared the cache
		return nil, storageError(err)
	}
	f, err := os.CreateTemp(m.packDir(), "tmp_pack_")
	if err != nil {
		return nil, storageError(err)
	}
	defer os.Remove(f.Name()) // gone from there when all went well
	defer f.Close()
	w := &storageWriter{f}
	if _, err := io.CopyBuffer(w, content, make([]byte, 64<<10)); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, storageError(err)
	}
	idx, err := indexerOf(info.Size()).index(ctx, f.Name())
	if err != nil {
		return nil, err
	}
	if n, err := idx.Count(); err != nil || n == 0 {
		return nil, err
	}
	var encoded bytes.Buffer
	if _, err := idxfile.NewEncoder(&encoded).Encode(idx); err != nil {
		return nil, err
	}
	p := &pack{filepath.Join(m.packDir(), fmt.Sprintf("pack-%x", idx.PackfileChecksum)), idx}
	if err := replaceFile(p.path+".idx", encoded.Bytes()); err != nil {
		return nil, storageError(err)
	}
	return p, storageError(os.Rename(f.Name(), p.path+".pack"))
}

func (m *mirror) readTips() []plumbing.Hash {
	content, err := os.ReadFile(m.tipsFile())
	if err != nil {
		return nil // the next fetch brings more than it need, no worse
	}
	var tips []plumbing.Hash
	v := view{packs: m.packs}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if h := plumbing.NewHash(lines.Text()); plumbing.IsHash(lines.Text()) && v.has(h) {
			tips = append(tips, h)
		}
	}
	return tips
}

func (m *mirror) writeTips() error {
	var text strings.Builder
	for _, h := range m.tips {
		text.WriteString(h.String() + "\n")
	}
	return replaceFile(m.tipsFile(), []byte(text.String()))
}

// replaceFile writes a file so that it is at any moment the old or the new.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "tmp_")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// storageWriter marks the errors of the disk, as against those of the network
// that stand on the other side of a copy.
type storageWriter struct{ w io.Writer }

func (w *storageWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	return n, storageError(err)
}

func storageError(err error) error {
	return errs.Wrap(errs.Unavailable, err, "Tidelock can't write to its cache of repositories. Is the disk full?")
}
