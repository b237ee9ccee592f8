package binaries

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/opentofu/tofudl"
	"github.com/opentofu/tofudl/branding"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Releases of Terraform stand at a URL as at HashiCorp's,
//
//	URL/terraform/index.json
//	URL/terraform/VERSION/index.json
//	URL/terraform/VERSION/terraform_VERSION_OS_ARCH.zip, …_SHA256SUMS, …_SHA256SUMS.sig
//
// those of OpenTofu as on get.opentofu.org and GitHub together, which is what
// tofudl's own mirror serves:
//
//	URL/api.json
//	URL/vVERSION/tofu_VERSION_OS_ARCH.tar.gz, …_SHA256SUMS, …_SHA256SUMS.gpgsig
const terraformReleases = "https://releases.hashicorp.com"

const (
	fetchTime = 15 * time.Minute // of one download, with all tries
	listTime  = time.Minute
	tries     = 3
)

// fetch returns a version out of Dir, and brings it there first where it is
// not there yet.
func (s *Store) fetch(ctx context.Context, name, v string) (Binary, error) {
	b := Binary{Name: name, Version: v, Path: filepath.Join(s.dir(name, v), name+exe())}
	want, err := version.NewVersion(v)
	if err != nil || want.String() != v || !filepath.IsLocal(v) {
		return Binary{}, errs.New(errs.Invalid, "%q is not a version.", v)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	unlock, err := s.lock(ctx, name, v)
	if err != nil {
		return Binary{}, err
	}
	defer unlock()
	if _, err := os.Stat(b.Path); err == nil { // somebody else fetched it while we waited
		s.askAnew(b.Path) // runs may be at work with it: it goes only where it fails now
		err := s.confirm(ctx, candidate{name, want, b.Path, SourceDownloaded})
		if err == nil || ctx.Err() != nil {
			return b, err
		}
		s.o.Log.Warn("a downloaded tool is no longer what it was, and is downloaded again", "tool", b.String(), "error", err)
		if err := os.RemoveAll(filepath.Dir(b.Path)); err != nil {
			return Binary{}, fmt.Errorf("delete a broken tool: %w", err)
		}
	}
	if err := s.makeRoom(ctx, name); err != nil {
		return Binary{}, err
	}
	// A place that only the holder of the lock uses: what a killed process left
	// there goes.
	into := s.dir(name, ".fetch-"+v)
	if err := os.RemoveAll(into); err != nil {
		return Binary{}, fmt.Errorf("clear %s: %w", into, err)
	}
	defer os.RemoveAll(into)
	start := s.o.Now()
	s.o.Log.Info("tool is downloaded", "tool", b.String(), "from", s.host(name))
	for try := 1; ; try++ {
		err = s.download(ctx, b, into)
		if err == nil || try == tries || !errs.Is(err, errs.Unavailable) || ctx.Err() != nil {
			break
		}
		s.o.Log.Warn("download failed and is tried again", "tool", b.String(), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(try) * s.o.pause):
		}
	}
	if err != nil {
		s.o.Log.Warn("tool not downloaded", "tool", b.String(), "error", err)
		return Binary{}, err
	}
	if err := s.settle(ctx, b, want, into); err != nil {
		return Binary{}, err
	}
	s.o.Log.Info("tool downloaded and verified", "tool", b.String(), "path", b.Path, "took", s.o.Now().Sub(start).Round(time.Millisecond))
	return b, nil
}

// download brings a version into a folder, verified.
func (s *Store) download(ctx context.Context, b Binary, into string) error {
	if err := os.RemoveAll(into); err != nil {
		return fmt.Errorf("clear %s: %w", into, err)
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return errs.Wrap(errs.Unavailable, err, "The folder of downloaded tools can't be written.")
	}
	if b.Name == planner.ToolOpenTofu {
		return s.downloadOpenTofu(ctx, b, into)
	}
	return s.downloadTerraform(ctx, b, into)
}

// downloadTerraform has hc-install download a version. What that one tells of
// the archive can't be relied on: in v0.10.0 a deferred call overwrites the
// error with its own, so that a wrong checksum, or a disk that is full while it
// unpacks, comes back as success. So the archive is kept on its way through, and
// held against the checksums, whose signature hc-install does check, and
// against what was unpacked.
func (s *Store) downloadTerraform(ctx context.Context, b Binary, into string) (err error) {
	t := s.carry(ctx, b)
	defer func() { err = t.explain(err) }()
	v, err := version.NewVersion(b.Version)
	if err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(into, ".archive"))
	if err != nil {
		return err
	}
	defer os.Remove(archive.Name())
	defer archive.Close()
	t.archive, t.sums = archive, &bytes.Buffer{}
	_, err = (&releases.ExactVersion{
		Product: product.Terraform, Version: v, InstallDir: into, Timeout: fetchTime,
		ArmoredPublicKey: s.o.TerraformKey, ApiBaseURL: s.o.TerraformURL, HTTPClient: t.client(),
	}).Install(ctx)
	if broken := t.broken.Load(); broken != nil { // on its way
		return *broken
	}
	if ours := t.verify(); ours != nil {
		return ours
	}
	if err != nil {
		return err
	}
	return unpacked(archive, b.Name+exe(), into)
}

// unpacked holds a file against the archive that it came out of.
func unpacked(archive *os.File, name, dir string) error {
	size, err := archive.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(archive, size)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("unpack: there is no %s in the archive", name)
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := crc32.NewIEEE()
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if want := z.File[i]; uint64(n) != want.UncompressedSize64 || sum.Sum32() != want.CRC32 {
		return fmt.Errorf("%s was not unpacked whole", name)
	}
	return nil
}

// downloadOpenTofu does what tofudl's DownloadVersion does with tofudl's own
// steps: that one drops the error of an archive that came by half, and holds
// the unpacked binary in memory.
func (s *Store) downloadOpenTofu(ctx context.Context, b Binary, into string) (err error) {
	t := s.carry(ctx, b)
	defer func() { err = t.explain(err) }()
	dl, err := s.openTofu(t)
	if err != nil {
		return err
	}
	prefix := branding.ArtifactPrefix + b.Version + "_"
	archive := prefix + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	files := []string{prefix + "SHA256SUMS", prefix + "SHA256SUMS.gpgsig", archive}
	release := tofudl.VersionWithArtifacts{ID: tofudl.Version(b.Version), Files: files}
	var got [3][]byte
	for i, f := range files {
		if got[i], err = dl.DownloadArtifact(ctx, release, f); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	if err := dl.VerifyArtifact(archive, got[2], got[0], got[1]); err != nil {
		return err
	}
	return unpack(got[2], b.Name+exe(), into)
}

func (s *Store) openTofu(t *carrier) (tofudl.Downloader, error) {
	options := []tofudl.ConfigOpt{tofudl.ConfigHTTPClient(t.client())}
	if s.o.OpenTofuKey != "" {
		options = append(options, tofudl.ConfigGPGKey(s.o.OpenTofuKey))
	}
	if base := strings.TrimRight(s.o.OpenTofuURL, "/"); base != "" {
		if strings.Contains(base, "{{") {
			return nil, errs.New(errs.Invalid, "The URL of OpenTofu's releases holds {{.")
		}
		options = append(options, tofudl.ConfigAPIURL(base+"/api.json"), tofudl.ConfigDownloadMirrorURLTemplate(base+"/v{{ .Version }}/{{ .Artifact }}"))
	}
	return tofudl.New(options...)
}

// maxBinary bounds what is unpacked, in bytes.
const maxBinary = 1 << 30

// unpack takes one file out of a verified archive.
func unpack(archive []byte, name, into string) error {
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("unpack: there is no %s in the archive", name)
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if h.Name != name || h.Typeflag != tar.TypeReg {
			continue
		}
		f, err := os.OpenFile(filepath.Join(into, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		n, err := io.Copy(f, io.LimitReader(r, maxBinary+1))
		if err = errors.Join(err, f.Close()); err == nil && n > maxBinary {
			err = fmt.Errorf("unpack: %s is larger than %d bytes", name, maxBinary)
		}
		return err
	}
}

// settle makes what was downloaded read-only, asks it for its version, and
// moves it to its place.
func (s *Store) settle(ctx context.Context, b Binary, want *version.Version, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		mode := os.FileMode(0o444)
		if e.Name() == b.Name+exe() {
			mode = 0o555
		}
		full := filepath.Join(from, e.Name())
		if err := errors.Join(os.Chmod(full, mode), flush(full)); err != nil {
			return fmt.Errorf("keep %s: %w", b, err)
		}
	}
	// The checksums are signed, but not which version they are asked for as.
	if err := s.confirm(ctx, candidate{b.Name, want, filepath.Join(from, b.Name+exe()), SourceDownloaded}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errs.Wrap(errs.Invalid, err, "What %s gave is not %s, and was thrown away.", s.host(b.Name), b)
	}
	// Nothing that is of use is in the way: fetch has looked. A folder that
	// somebody has emptied by half may be.
	if err := os.RemoveAll(filepath.Dir(b.Path)); err != nil {
		return fmt.Errorf("keep %s: %w", b, err)
	}
	if err := os.Rename(from, filepath.Dir(b.Path)); err != nil {
		return fmt.Errorf("keep %s: %w", b, err)
	}
	return flush(filepath.Dir(filepath.Dir(b.Path)))
}

// flush brings a file or folder to the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// lock waits until no other process and nobody else in this one fetches the
// version.
func (s *Store) lock(ctx context.Context, name, v string) (unlock func(), err error) {
	dir := filepath.Join(s.o.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, errs.Wrap(errs.Unavailable, err, "The folder of downloaded tools can't be made.")
	}
	f, err := os.OpenFile(filepath.Join(dir, "."+v+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errs.Wrap(errs.Unavailable, err, "The folder of downloaded tools can't be written.")
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // which gives it back
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s %s: %w", name, v, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// lockPause is how often a lock that somebody else has is tried.
const lockPause = 100 * time.Millisecond

// listed is a list of releases as it is kept.
type listed struct {
	From     string    `json:"from"`
	Asked    time.Time `json:"asked"`
	Versions []string  `json:"versions"`
}

// releases returns the versions that there are, at most ListAge old where ask
// is set. Where the source does not answer, an older list is better than none.
func (s *Store) releases(ctx context.Context, name string, ask bool) ([]*version.Version, error) {
	kept, err := s.keptList(name)
	if age := s.o.Now().Sub(kept.Asked); err == nil && (!ask || age >= 0 && age < s.o.ListAge) {
		return kept.parsed(), nil
	}
	if !ask {
		return nil, errs.New(errs.NotFound, "The list of releases was never asked for.")
	}
	unlock, err := s.lock(ctx, name, "releases")
	if err != nil {
		return nil, err
	}
	defer unlock()
	kept, kerr := s.keptList(name)
	if age := s.o.Now().Sub(kept.Asked); kerr == nil && age >= 0 && age < s.o.ListAge {
		return kept.parsed(), nil // somebody else asked while we waited
	}
	fresh := listed{From: s.from(name), Asked: s.o.Now()}
	if fresh.Versions, err = s.ask(ctx, name); err != nil {
		if kerr == nil && ctx.Err() == nil {
			s.o.Log.Warn("the list of releases can't be asked for; an older one is used", "tool", name, "asked", kept.Asked, "error", err)
			return kept.parsed(), nil
		}
		return nil, err
	}
	if err := s.keepList(name, fresh); err != nil {
		s.o.Log.Warn("the list of releases is not kept", "tool", name, "error", err)
	}
	return fresh.parsed(), nil
}

func (l listed) parsed() []*version.Version {
	out := make([]*version.Version, 0, len(l.Versions))
	for _, text := range l.Versions {
		if v, err := version.NewSemver(text); err == nil && v.Metadata() == "" {
			out = append(out, v)
		}
	}
	return out
}

// from names the source of a tool's releases.
func (s *Store) from(name string) string {
	if name == planner.ToolOpenTofu {
		if s.o.OpenTofuURL != "" {
			return s.o.OpenTofuURL
		}
		return branding.DefaultDownloadAPIURL
	}
	return s.o.TerraformURL
}

func (s *Store) listPath(name string) string { return s.dir(name, "releases.json") }

func (s *Store) keptList(name string) (listed, error) {
	var l listed
	text, err := os.ReadFile(s.listPath(name))
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(text, &l); err != nil || l.From != s.from(name) || len(l.Versions) == 0 {
		return listed{}, errs.New(errs.NotFound, "The list of releases is of another source.")
	}
	return l, nil
}

func (s *Store) keepList(name string, l listed) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	temporary := s.listPath(name) + ".new" // only the holder of the lock writes it
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, s.listPath(name))
}

// ask asks the source for its list.
func (s *Store) ask(ctx context.Context, name string) (_ []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	t := s.carry(ctx, Binary{Name: name})
	defer func() {
		if p := recover(); p != nil { // tofudl panics at a version that it can't read
			err = fmt.Errorf("the list is not understood: %v", p)
		}
		err = t.explain(err)
	}()
	var out []string
	if name == planner.ToolOpenTofu {
		dl, err := s.openTofu(t)
		if err != nil {
			return nil, err
		}
		list, err := dl.ListVersions(ctx)
		for _, v := range list {
			out = append(out, string(v.ID))
		}
		return out, err
	}
	list, err := (&releases.Versions{Product: product.Terraform, ListTimeout: listTime, ApiBaseURL: s.o.TerraformURL, HTTPClient: t.client()}).List(ctx)
	for _, source := range list {
		if v, ok := source.(*releases.ExactVersion); ok {
			out = append(out, v.Version.String())
		}
	}
	return out, err
}
