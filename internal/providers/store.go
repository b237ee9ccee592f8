package providers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-version"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/tidelock/tidelock/internal/errs"
)

// Options say where a Store keeps packages and where it gets them from.
type Options struct {
	Dir string // absolute; made when it is needed
	// Mirror is the operator's own folder of packages, which comes first and
	// is only read; "" is none.
	Mirror string
	// NetworkMirror is the URL of a server of packages that is asked before
	// any registry; "" is none.
	NetworkMirror string
	// Direct allows asking the registries.
	Direct bool
	// Allow are the providers that projects may use; none means all.
	Allow []Pattern
	// Platform is "" for this program's own, such as linux_amd64.
	Platform string
	// ListAge is how long a list of versions is believed; 0 is five minutes.
	ListAge time.Duration
	// RootCAs are who vouches for hosts; nil is the system's.
	RootCAs *x509.CertPool
	// Proxy is asked for the proxy of each request; nil is none.
	Proxy func(*http.Request) (*url.URL, error)
	Log   *slog.Logger
	Now   func() time.Time

	// Lookup and Dial look up names and connect; nil is the usual way. Tests
	// have others.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	bounds *bounds
	// leastFree is how many bytes of the disk a fetch leaves free.
	leastFree uint64
	// free tells how many are; tests have another.
	free func(dir string) (bytes uint64, known bool)
}

// Package is one unpacked package in the store, and what is known of it.
type Package struct {
	Provider string    `json:"provider"` // HOST/NAMESPACE/TYPE
	Version  string    `json:"version"`
	Platform string    `json:"platform"`
	H1       string    `json:"h1"`             // of what is in it, as lock files have it
	ZH       string    `json:"zh"`             // of the archive that it came in
	Sums     []string  `json:"sums,omitempty"` // zh: of its archives for all platforms, where its source tells
	Source   string    `json:"source"`         // the host it came from
	SignedBy string    `json:"signed_by,omitempty"`
	Fetched  time.Time `json:"fetched"`
	Files    int       `json:"files"`
	Size     int64     `json:"size"` // bytes, unpacked
	Used     time.Time `json:"used"` // last prepared for a run; not exact to the minute
	// Modes is a hash of its files' names and modes, which H1 does not cover;
	// Stamp is one that changes whenever a file of it is touched.
	Modes string `json:"modes"`
	Stamp string `json:"stamp"`
	Note  string `json:"note,omitempty"`
}

// Store is the packages of one machine. Its methods may be called at the same
// time, and by several processes on one folder.
type Store struct {
	o        Options
	client   *client
	registry source
	mirror   source // nil where there is none
	lists    lists

	mu    sync.Mutex
	busy  map[string]chan struct{} // by package: who is at it in this process
	local map[string]localHash     // of the operator's own folder

	downloads atomic.Int64
}

// Open returns a store. It looks at no folder yet.
func Open(o Options) (*Store, error) {
	if !filepath.IsAbs(o.Dir) {
		return nil, fmt.Errorf("providers: the path %q is not absolute", o.Dir)
	}
	o.Platform = cmp.Or(o.Platform, runtime.GOOS+"_"+runtime.GOARCH)
	o.ListAge = cmp.Or(o.ListAge, 5*time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.bounds == nil {
		o.bounds = &usualBounds
	}
	o.leastFree = cmp.Or(o.leastFree, 1<<30)
	if o.free == nil {
		o.free = freeBytes
	}
	s := &Store{o: o, client: newClient(o), lists: lists{age: o.ListAge, now: o.Now}, busy: map[string]chan struct{}{}, local: map[string]localHash{}}
	s.registry = &registries{client: s.client, age: o.ListAge, now: o.Now}
	if o.NetworkMirror != "" {
		base, err := url.Parse(o.NetworkMirror)
		if err != nil || base.Scheme != "https" || base.Host == "" {
			return nil, errs.New(errs.Invalid, "The network mirror must be a URL that begins with https://, such as https://mirror.example.com/providers/.")
		}
		if !strings.HasSuffix(base.Path, "/") {
			base.Path += "/"
		}
		s.mirror = &networkMirror{client: s.client, base: base}
	}
	return s, nil
}

// Downloads returns how many packages this Store has downloaded.
func (s *Store) Downloads() int64 { return s.downloads.Load() }

// Folders returns what runs must be able to read.
func (s *Store) Folders() []string { return Folders(s.o.Dir) }

// Folders returns which folders of a store in dir runs must be able to read.
func Folders(dir string) []string {
	return []string{filepath.Join(dir, "store"), filepath.Join(dir, "views")}
}

// id is where a package is, below store.
func (s *Store) id(a Address, v string) string {
	return filepath.Join(a.Hostname.ForDisplay(), a.Namespace, a.Type, v, s.o.Platform)
}

func (s *Store) packageDir(id string) string { return filepath.Join(s.o.Dir, "store", id) }
func (s *Store) metaFile(id string) string   { return filepath.Join(s.o.Dir, "meta", id+".json") }

// sources are asked in this order.
func (s *Store) sources() []source {
	var out []source
	if s.mirror != nil {
		out = append(out, s.mirror)
	}
	if s.o.Direct {
		out = append(out, s.registry)
	}
	return out
}

// choose returns the version that a wish means, and errAbsent where no source
// knows the provider.
func (s *Store) choose(ctx context.Context, a Address, w wish) (string, error) {
	if w.exact != "" {
		v, err := version.NewVersion(w.exact)
		if err != nil {
			return "", errs.New(errs.Invalid, "%q is not a version.", w.exact)
		}
		return v.String(), nil
	}
	known := false
	var failed error
	for _, from := range s.sources() {
		all, err := s.lists.get(ctx, from, a, s.o.Platform)
		if errors.Is(err, errAbsent) {
			continue
		}
		if errs.Is(err, errs.Unavailable) {
			failed = errors.Join(failed, err)
			continue
		}
		if err != nil {
			return "", err
		}
		known = true
		best, err := w.newest(all)
		if err != nil {
			return "", err
		}
		if best != nil {
			return best.String(), nil
		}
	}
	switch {
	case failed != nil:
		return "", failed
	case known:
		return "", errs.New(errs.NotFound, "No version of %s for %s meets %s.", a, s.o.Platform, w)
	}
	return "", errAbsent
}

// ensure returns the package of a version, fetched if it is not there yet.
func (s *Store) ensure(ctx context.Context, a Address, v string) (Package, error) {
	id := s.id(a, v)
	if p, ok := s.whole(id); ok {
		return p, nil
	}
	release, err := s.take(ctx, id)
	if err != nil {
		return Package{}, err
	}
	defer release()
	if p, ok := s.whole(id); ok { // fetched while we waited
		return p, nil
	}
	if p, ok := s.again(id); ok {
		return p, nil
	}
	if _, err := os.Lstat(s.packageDir(id)); err == nil {
		s.o.Log.Warn("a provider's package was altered or its record is lost; it is fetched anew", "provider", a.String(), "version", v)
		if err := s.remove(id); err != nil {
			return Package{}, err
		}
	}
	var failed error
	for _, from := range s.sources() {
		o, err := from.offer(ctx, a, v, s.o.Platform)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err == nil {
			var p Package
			if p, err = s.fetch(ctx, a, v, o); err == nil {
				return p, nil
			}
		}
		if !errs.Is(err, errs.Unavailable) {
			return Package{}, err
		}
		failed = errors.Join(failed, err)
	}
	if failed == nil {
		failed = errAbsent
	}
	return Package{}, failed
}

// take holds a package for the caller alone, in this process and over all that
// use the folder.
func (s *Store) take(ctx context.Context, id string) (release func(), err error) {
	for {
		s.mu.Lock()
		wait := s.busy[id]
		if wait == nil {
			break
		}
		s.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	done := make(chan struct{})
	s.busy[id] = done
	s.mu.Unlock()
	free := func() {
		s.mu.Lock()
		delete(s.busy, id)
		s.mu.Unlock()
		close(done)
	}
	f, err := s.flock(ctx, shortHash(id), syscall.LOCK_EX)
	if err != nil {
		free()
		return nil, err
	}
	// Whoever held it before and died may have left something.
	left, _ := filepath.Glob(filepath.Join(s.o.Dir, "tmp", shortHash(id)+"-*"))
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			s.o.Log.Warn("left-over of a download not removed", "path", path, "error", err)
		}
	}
	return func() { f.Close(); free() }, nil
}

// flock takes a lock of the folder's. The system frees it when the process
// dies; closing the file does too.
func (s *Store) flock(ctx context.Context, name string, how int) (*os.File, error) {
	dir := filepath.Join(s.o.Dir, "locks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock the provider store: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the provider store: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		select {
		case <-time.After(20 * time.Millisecond): // flock has no wait that a context could end
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

// whole returns a package that is there as it was unpacked.
func (s *Store) whole(id string) (Package, bool) {
	p, err := s.record(id)
	if err != nil {
		return Package{}, false
	}
	if _, stamp, err := stampOf(s.packageDir(id)); err != nil || stamp != p.Stamp {
		return Package{}, false
	}
	return p, true
}

// again looks closely at a package of which the file system says that it was
// touched: a folder that was copied or restored holds what it held.
func (s *Store) again(id string) (Package, bool) {
	p, err := s.record(id)
	if err != nil {
		return p, false
	}
	if modes, _, err := stampOf(s.packageDir(id)); err != nil || modes != p.Modes {
		return p, false
	}
	if h1, err := dirhash.HashDir(s.packageDir(id), "", dirhash.Hash1); err != nil || h1 != p.H1 {
		return p, false
	}
	if err := s.seal(id, &p); err != nil {
		s.o.Log.Warn("a provider's record can't be written", "provider", p.Provider, "version", p.Version, "error", err)
		return p, false
	}
	return p, true
}

// errDamaged is wrapped where a record is there and can't be used.
var errDamaged = errors.New("the record is damaged")

// record returns what is known of a package.
func (s *Store) record(id string) (Package, error) {
	var p Package
	text, err := os.ReadFile(s.metaFile(id))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("read %s: %w: %w", s.metaFile(id), errDamaged, err)
	}
	if p.id() != id { // List's callers go by what it says
		return p, fmt.Errorf("read %s: %w: it is of %s", s.metaFile(id), errDamaged, p.id())
	}
	if info, err := os.Stat(s.metaFile(id)); err == nil {
		p.Used = info.ModTime()
	}
	return p, nil
}

// stampOf returns a hash of the names and modes of all files below dir, and one
// of all that the file system knows of them. The time of a file's last change
// can't be set by who changes it.
func stampOf(dir string) (modes, stamp string, err error) {
	m, h := sha256.New(), sha256.New()
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() { // its times change when it is moved into place
			fmt.Fprintf(m, "%q dir\n", rel)
			return nil
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("stat %s: the system tells too little", path)
		}
		fmt.Fprintf(m, "%q %o\n", rel, st.Mode)
		fmt.Fprintf(h, "%q %o %d %d %d %d\n", rel, st.Mode, st.Size, st.Ino, st.Ctim.Sec, st.Ctim.Nsec)
		return nil
	})
	if err != nil {
		return "", "", err
	}
	modes = hex.EncodeToString(m.Sum(nil))
	fmt.Fprintf(h, "%s\n", modes)
	return modes, hex.EncodeToString(h.Sum(nil)), nil
}

// remove deletes a package: its record first.
func (s *Store) remove(id string) error {
	if err := os.Remove(s.metaFile(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a provider: %w", err)
	}
	if err := os.RemoveAll(s.packageDir(id)); err != nil {
		return fmt.Errorf("remove a provider: %w", err)
	}
	for dir := filepath.Dir(id); dir != "."; dir = filepath.Dir(dir) {
		_ = os.Remove(s.packageDir(dir)) // only where it is empty
		_ = os.Remove(filepath.Join(s.o.Dir, "meta", dir))
	}
	return nil
}
