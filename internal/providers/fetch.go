package providers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/tidelock/tidelock/internal/errs"
)

// fetch downloads, verifies and unpacks a package, and moves it into place.
func (s *Store) fetch(ctx context.Context, a Address, v string, o offer) (Package, error) {
	id := s.id(a, v)
	tmpRoot := filepath.Join(s.o.Dir, "tmp")
	if err := os.MkdirAll(tmpRoot, 0o700); err != nil {
		return Package{}, fmt.Errorf("fetch %s %s: %w", a, v, err)
	}
	tmp, err := os.MkdirTemp(tmpRoot, shortHash(id)+"-")
	if err != nil {
		return Package{}, fmt.Errorf("fetch %s %s: %w", a, v, err)
	}
	defer os.RemoveAll(tmp)
	room := func() error {
		if free, known := s.o.free(tmp); known && free < s.o.leastFree {
			return errs.New(errs.Unavailable, "The server's disk has too little space left to fetch %s %s.", a, v)
		}
		return nil
	}
	if err := room(); err != nil {
		return Package{}, err
	}
	began := s.o.Now()
	archive := filepath.Join(tmp, "package.zip")
	zh, err := s.download(ctx, o.url, archive, room)
	if errors.Is(err, errAbsent) {
		err = errs.New(errs.Unavailable, "The package of %s %s is not where %s says: %s answers that it is not there.", a, v, o.from, shown(o.url))
	}
	if err != nil {
		return Package{}, err
	}
	refused := func(err error) error {
		return errs.Wrap(errs.KindOf(err), err, "The package of %s %s from %s is not used. %s", a, v, o.from, errs.Sentence(err))
	}
	if wrongSum(o.hashes, "zh:", zh) {
		return Package{}, refused(errs.New(errs.Forbidden, "Its checksum is %s, and should be %s: it was altered on its way, or where it is kept.", zh, strings.Join(o.hashes, " or ")))
	}
	dir := filepath.Join(tmp, "package")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return Package{}, fmt.Errorf("fetch %s %s: %w", a, v, err)
	}
	within := *s.o.bounds
	within.room = room
	files, size, err := unpack(archive, dir, within)
	if err != nil {
		if errs.Is(err, errs.Internal) {
			return Package{}, fmt.Errorf("fetch %s %s: %w", a, v, err)
		}
		return Package{}, refused(err)
	}
	if !hasProgram(dir, a.Type) {
		return Package{}, refused(errs.New(errs.Invalid, "It holds no program terraform-provider-%s.", a.Type))
	}
	h1, err := dirhash.HashDir(dir, "", dirhash.Hash1)
	if err != nil {
		return Package{}, fmt.Errorf("fetch %s %s: %w", a, v, err)
	}
	if len(o.hashes) > 0 && !slices.Contains(o.hashes, zh) && !slices.Contains(o.hashes, h1) {
		return Package{}, refused(errs.New(errs.Forbidden, "Its checksum is %s, and should be %s: it was altered on its way, or where it is kept.", h1, strings.Join(o.hashes, " or ")))
	}
	p := Package{
		Provider: a.String(), Version: v, Platform: s.o.Platform, H1: h1, ZH: zh, Sums: o.sums, Source: o.from, SignedBy: o.signedBy,
		Fetched: s.o.Now(), Used: s.o.Now(), Files: files, Size: size, Note: o.note,
	}
	if err := s.settle(id, dir, &p); err != nil {
		return Package{}, fmt.Errorf("fetch %s %s: %w", a, v, err)
	}
	s.o.Log.Info("provider fetched", "provider", p.Provider, "version", v, "from", o.from, "signed_by", o.signedBy, "bytes", size, "took", s.o.Now().Sub(began).Round(time.Millisecond).String())
	if o.note != "" {
		s.o.Log.Warn("a provider is vouched for by less than usual", "note", o.note)
	}
	return p, nil
}

// wrongSum reports whether the hashes name some of the kind, and not this one,
// and nothing of another kind that could vouch yet.
func wrongSum(hashes []string, kind, sum string) bool {
	of := func(h string) bool { return strings.HasPrefix(h, kind) }
	return slices.ContainsFunc(hashes, of) && !slices.Contains(hashes, sum)
}

// freeBytes returns how many bytes of the disk that dir is on are free.
func freeBytes(dir string) (bytes uint64, known bool) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, false
	}
	return disk.Bavail * uint64(disk.Bsize), true
}

// roomEvery is after how many bytes it is asked anew whether there is room.
const roomEvery = 16 << 20

// roomy writes as long as there is room on the disk: a pull request chooses
// what is fetched, and how large that is.
type roomy struct {
	w    io.Writer
	room func() error // nil for no question
	left int64        // bytes until it is asked again
}

func (r *roomy) Write(p []byte) (int, error) {
	if r.left -= int64(len(p)); r.left < 0 && r.room != nil {
		if err := r.room(); err != nil {
			return 0, err
		}
		r.left = roomEvery
	}
	return r.w.Write(p)
}

// download writes what is at an address into a file, and returns its zh:.
func (s *Store) download(ctx context.Context, address, path string, room func() error) (zh string, err error) {
	s.downloads.Add(1)
	err = s.client.get(ctx, address, maxPackage, func(_ string, body io.Reader) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		h := sha256.New()
		_, err = io.Copy(io.MultiWriter(&roomy{w: f, room: room}, h), body)
		zh = "zh:" + hex.EncodeToString(h.Sum(nil))
		return errors.Join(err, f.Close())
	})
	return zh, err
}

// settle moves a package into place and writes its record last: one without a
// record is not whole.
func (s *Store) settle(id, dir string, p *Package) error {
	to, meta := s.packageDir(id), s.metaFile(id)
	for _, d := range []string{filepath.Dir(to), filepath.Dir(meta)} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := os.Rename(dir, to); err != nil {
		return err
	}
	return s.seal(id, p)
}

// seal writes the record of a package that is in its place.
func (s *Store) seal(id string, p *Package) (err error) {
	to, meta := s.packageDir(id), s.metaFile(id)
	if p.Modes, p.Stamp, err = stampOf(to); err != nil {
		return err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	tmp := meta + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, meta)
}
