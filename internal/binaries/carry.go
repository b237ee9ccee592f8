package binaries

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/opentofu/tofudl"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Bounds of what is fetched.
const (
	maxAnswer = 1 << 30         // bytes of one
	stall     = 2 * time.Minute // without a byte
	tellEvery = 5 * time.Second
)

// carrier carries the requests of one download or listing: by TLS only, within
// bounds, telling how far it is, and remembering what the server answered, since
// the libraries tell that in words alone.
type carrier struct {
	store  *Store
	ctx    context.Context
	binary Binary
	inner  http.RoundTripper
	status atomic.Int64 // of the last answer that was not good
	told   atomic.Int64 // when it was last told how far it is, Unix nanoseconds

	// Where they are not nil, the archive and its checksums are kept as they
	// pass, and why the archive did not come whole.
	archive *os.File
	sums    *bytes.Buffer
	file    string // the archive's name
	broken  atomic.Pointer[error]
}

func (s *Store) carry(ctx context.Context, b Binary) *carrier {
	t := &carrier{store: s, ctx: ctx, binary: b, inner: s.o.Transport}
	if t.inner == nil {
		t.inner = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 20 * time.Second}).DialContext,
			TLSHandshakeTimeout: 20 * time.Second, ResponseHeaderTimeout: time.Minute, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		}
	}
	return t
}

func (t *carrier) client() *http.Client { return &http.Client{Transport: t} }

// RoundTrip makes one request; redirects come here too.
func (t *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, fmt.Errorf("%s is not reached by TLS, and nothing is fetched otherwise", r.URL.Redacted())
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "tidelock")
	resp, err := t.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 400 {
		t.status.Store(int64(resp.StatusCode))
	}
	if resp.ContentLength > maxAnswer {
		resp.Body.Close()
		return nil, fmt.Errorf("%s is larger than %d bytes", r.URL.Redacted(), maxAnswer)
	}
	b := &body{ReadCloser: resp.Body, carrier: t, left: maxAnswer, total: max(resp.ContentLength, 0)}
	// Who stands still is given up. The libraries don't close all that they
	// open: with the context's end this does.
	b.timer = time.AfterFunc(stall, func() { b.stalled.Store(true); resp.Body.Close() })
	b.stop = context.AfterFunc(t.ctx, func() { b.timer.Stop(); resp.Body.Close() })
	resp.Body = b
	if t.archive != nil && resp.StatusCode == http.StatusOK {
		switch name := path.Base(r.URL.Path); {
		case strings.HasSuffix(name, "_SHA256SUMS"):
			t.sums.Reset()
			b.copy = t.sums
		case strings.HasSuffix(name, ".zip"):
			t.file, b.copy = name, t.archive
		}
	}
	return resp, nil
}

// verify holds the archive that passed against the checksums that passed.
func (t *carrier) verify() error {
	if t.file == "" {
		return nil // it came to nothing before, and that is told
	}
	if _, err := t.archive.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, t.archive); err != nil {
		return err
	}
	for line := range strings.Lines(t.sums.String()) {
		if f := strings.Fields(line); len(f) == 2 && f[1] == t.file && f[0] == hex.EncodeToString(sum.Sum(nil)) {
			return nil
		}
	}
	return fmt.Errorf("%s does not have its checksum", t.file)
}

type body struct {
	io.ReadCloser
	carrier *carrier
	timer   *time.Timer
	stop    func() bool
	stalled atomic.Bool
	copy    io.Writer // what passes is written here too; nil for nowhere
	left    int64
	done    int64
	total   int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.timer.Stop()
	} else {
		b.timer.Reset(stall)
	}
	b.done += int64(n)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	if b.stalled.Load() && err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("no byte came for %s", stall)
	}
	if b.copy != nil && n > 0 {
		if _, werr := b.copy.Write(p[:n]); werr != nil {
			err = werr
		}
	}
	if b.copy != nil && err != nil && !errors.Is(err, io.EOF) {
		b.carrier.broken.CompareAndSwap(nil, &err)
	}
	b.carrier.tell(b.done, b.total)
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	b.stop()
	return b.ReadCloser.Close()
}

// tell says how far a download is: whoever asked to know at each step, the log
// now and then. What is small is not worth a word.
func (t *carrier) tell(done, total int64) {
	s := t.store
	if t.binary.Version == "" || total < 1<<16 {
		return
	}
	if s.o.Progress != nil {
		s.o.Progress(t.binary, Download{done, total})
	}
	now, last := time.Now().UnixNano(), t.told.Load()
	if last == 0 {
		t.told.CompareAndSwap(0, now)
		return
	}
	if time.Duration(now-last) >= tellEvery && t.told.CompareAndSwap(last, now) {
		s.o.Log.Info("tool download goes on", "tool", t.binary.String(), "bytes", done, "of", total)
	}
}

// explain turns what a library says into an error with a sentence.
func (t *carrier) explain(err error) error {
	if err == nil {
		return nil
	}
	if t.ctx.Err() != nil && !errors.Is(t.ctx.Err(), context.DeadlineExceeded) {
		return t.ctx.Err()
	}
	host := t.store.host(t.binary.Name)
	if status := t.status.Load(); status == http.StatusNotFound || status == http.StatusForbidden || status == http.StatusGone {
		if t.binary.Version == "" {
			return errs.Wrap(errs.Unavailable, err, "%s has no list of releases where it is looked for.", host)
		}
		return errs.Wrap(errs.NotFound, err, "%s has no %s.", host, t.binary)
	}
	var signature *tofudl.SignatureError
	var corrupted *tofudl.ArtifactCorruptedError
	text := err.Error()
	switch {
	case errors.As(err, &signature), strings.Contains(text, "signature"):
		return errs.Wrap(errs.Invalid, err, "The checksums of %s that %s gave are not signed by its makers' key, and nothing of it was kept.", t.binary, host)
	case errors.As(err, &corrupted), strings.Contains(text, "checksum"):
		return errs.Wrap(errs.Invalid, err, "What %s gave for %s is not what its makers signed, and nothing of it was kept.", host, t.binary)
	}
	if errs.KindOf(err) != errs.Internal {
		return err
	}
	return errs.Wrap(errs.Unavailable, err, "%s did not give it: %s.", host, plain(err))
}

// plain returns the innermost cause, which says no addresses twice.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return strings.TrimRight(strings.ReplaceAll(err.Error(), "\n", " "), ". ")
}

// host names the source of a tool's releases for people.
func (s *Store) host(name string) string {
	if name == planner.ToolOpenTofu && s.o.OpenTofuURL == "" {
		return "github.com"
	}
	if u, err := url.Parse(s.from(name)); err == nil && u.Host != "" {
		return u.Host
	}
	return s.from(name)
}
