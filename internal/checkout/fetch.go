package checkout

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// batch is one fetch to come and what its callers wish of it. Whoever makes it
// runs it; the others wait.
type batch struct {
	refs    map[plumbing.ReferenceName]bool
	commits map[plumbing.Hash]bool
	done    chan struct{}
	err     error // set before done is closed
}

// errGone says that the server has the repository, but not the commit.
var errGone = errors.New("the commit is not there")

// errLeft says that whoever was to run the batch went away before it was done.
var errLeft = errors.New("the fetch was given up")

// ensure returns a view that has the commits, fetching them when need be.
// Callers that come while a fetch is running join the one after it: a burst of
// pull requests on one repository costs a few fetches, not one each.
func (s *Store) ensure(ctx context.Context, m *mirror, src Source, refs []plumbing.ReferenceName, commits []plumbing.Hash) (*view, error) {
	for {
		v, err := m.view()
		if err != nil {
			return nil, err
		}
		if v.hasAll(commits) {
			return v, nil
		}
		b, first := m.join(refs, commits)
		if first {
			s.lead(ctx, m, src, b)
		}
		select {
		case <-b.done:
		case <-ctx.Done():
			return nil, stopped(ctx)
		}
		if ctx.Err() != nil {
			return nil, stopped(ctx)
		}
		if errors.Is(b.err, errLeft) {
			continue
		}
		if b.err != nil {
			return nil, b.err
		}
		if v, err = m.view(); err != nil {
			return nil, err
		}
		for _, h := range commits {
			if !v.has(h) {
				return nil, errs.Wrap(errs.NotFound, errGone, "The repository no longer has the commit %s. Was it force-pushed away?", h)
			}
		}
		return v, nil
	}
}

func (m *mirror) join(refs []plumbing.ReferenceName, commits []plumbing.Hash) (b *batch, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first = m.pending == nil; first {
		m.pending = &batch{
			refs: map[plumbing.ReferenceName]bool{}, commits: map[plumbing.Hash]bool{}, done: make(chan struct{}),
		}
	}
	for _, name := range refs {
		m.pending.refs[name] = true
	}
	for _, h := range commits {
		m.pending.commits[h] = true
	}
	return m.pending, first
}

// lead runs the batch when its turn comes. From then on it takes no more
// wishes.
func (s *Store) lead(ctx context.Context, m *mirror, src Source, b *batch) {
	defer close(b.done)
	turn := false
	select {
	case m.fetching <- struct{}{}:
		turn = true
		defer func() { <-m.fetching }()
	case <-ctx.Done():
	}
	m.mu.Lock()
	m.pending = nil
	m.mu.Unlock()
	if !turn {
		b.err = errLeft
		return
	}
	limited, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	b.err = s.fetch(limited, m, src, b)
	switch {
	case ctx.Err() != nil:
		b.err = errLeft // the others are still there: one of them starts over
	case limited.Err() != nil && b.err != nil:
		b.err = errs.Wrap(errs.Unavailable, b.err, "Fetching the repository took longer than %s.", s.opts.Timeout)
	}
}

func stopped(ctx context.Context) error {
	return errs.Wrap(errs.Canceled, ctx.Err(), "The checkout was stopped.")
}

// fetch brings the batch's refs and commits into the mirror.
func (s *Store) fetch(ctx context.Context, m *mirror, src Source, b *batch) error {
	v, err := m.view()
	if err != nil {
		return err
	}
	if v.hasAll(slices.Collect(maps.Keys(b.commits))) {
		return nil // an earlier fetch brought them
	}

	conn, err := s.connect(ctx, src)
	if err != nil {
		return err
	}
	adv, err := conn.session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return errs.Wrap(errs.NotFound, err, "The repository has no commits.")
	}
	if err != nil {
		return conn.classify(err)
	}

	fresh := len(v.packs) >= s.opts.MaxPacks
	if fresh {
		v = &view{} // all is fetched again, as if there were nothing
	}
	req := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	if adv.Capabilities.Supports(capability.NoProgress) {
		_ = req.Capabilities.Set(capability.NoProgress) // fails for a bad name only
	}
	wanted, unadvertised := wants(adv, v, b, fresh)
	req.Wants = append(wanted, unadvertised...)
	if !fresh {
		req.Haves = m.haves(adv, v)
	}
	err = conn.download(ctx, m, req, fresh)
	if err != nil && len(unadvertised) > 0 && strings.Contains(err.Error(), "not our ref") {
		// One commit that is gone must not take the rest of the batch with it.
		// Who asked for it is told by ensure.
		if req.Wants = wanted; len(wanted) == 0 {
			return nil
		}
		if conn, err = s.connect(ctx, src); err != nil {
			return err
		}
		if _, err = conn.session.AdvertisedReferencesContext(ctx); err == nil {
			err = conn.download(ctx, m, req, fresh)
		}
	}
	return conn.classify(err)
}

// wants divides what to ask for into hashes that some ref of the server's
// points to, and others, which a server may refuse: it then refuses all.
func wants(adv *packp.AdvRefs, v *view, b *batch, fresh bool) (advertised, others []plumbing.Hash) {
	seen := map[plumbing.Hash]bool{}
	for name, h := range adv.References {
		ref := plumbing.ReferenceName(name)
		if !v.has(h) && !seen[h] && (b.refs[ref] || b.commits[h] || fresh && ref.IsBranch()) {
			seen[h] = true
			advertised = append(advertised, h)
		}
	}
	if adv.Capabilities.Supports(capability.AllowReachableSHA1InWant) || adv.Capabilities.Supports("allow-any-sha1-in-want") {
		for h := range b.commits {
			if !v.has(h) && !seen[h] {
				others = append(others, h)
			}
		}
	}
	return advertised, others
}

// haves are commits that the mirror has and the server is likely to know: what
// was fetched last, and every tip of the server's that is there already.
func (m *mirror) haves(adv *packp.AdvRefs, v *view) []plumbing.Hash {
	m.mu.Lock()
	haves := slices.Clone(m.tips)
	m.mu.Unlock()
	for _, h := range adv.References {
		if len(haves) >= 4*maxTips {
			break
		}
		if v.has(h) && !slices.Contains(haves, h) {
			haves = append(haves, h)
		}
	}
	return haves
}

// connection is one fetch's way to the server.
type connection struct {
	session transport.UploadPackSession
	guard   *guard
	mask    *redact.Masker
}

func (s *Store) connect(ctx context.Context, src Source) (*connection, error) {
	c := &connection{guard: &guard{next: s.opts.Transport, max: s.opts.MaxFetch}}
	var auth transport.AuthMethod
	if src.Auth != nil {
		token, err := src.Auth(ctx)
		if err != nil {
			return nil, err
		}
		auth = &githttp.BasicAuth{Username: "x-access-token", Password: token.Reveal()}
		c.mask = redact.NewMasker(token.Reveal())
	}
	endpoint, err := transport.NewEndpoint(src.URL)
	if err != nil {
		return nil, errs.New(errs.Invalid, "The clone URL of %s can't be read.", src.plainName())
	}
	// go-git follows redirects of the first request only, as a renamed
	// repository gives them, and takes the token away from another origin.
	client := &http.Client{Transport: c.guard}
	if src.sameHost {
		client.CheckRedirect = stayOnHost
	}
	c.session, err = githttp.NewClient(client).NewUploadPackSession(endpoint, auth)
	return c, err
}

// stayOnHost refuses redirects that leave the host, which are a way to reach
// what nobody allowed.
func stayOnHost(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("too many redirects")
	}
	if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errs.New(errs.Invalid, "The git server sends on to %s. Tidelock does not follow to another host.", req.URL.Host)
	}
	return nil
}

// download asks for the pack and stores it.
func (c *connection) download(ctx context.Context, m *mirror, req *packp.UploadPackRequest, instead bool) error {
	if len(req.Wants) == 0 {
		return nil
	}
	tips := slices.Clone(req.Wants)
	answer, err := c.session.UploadPack(ctx, req)
	if err != nil {
		return err
	}
	defer answer.Close()
	var content io.Reader = answer
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		content = sideband.NewDemuxer(sideband.Sideband64k, answer)
	case req.Capabilities.Supports(capability.Sideband):
		content = sideband.NewDemuxer(sideband.Sideband, answer)
	}
	return m.add(ctx, content, tips, instead)
}

// classify gives a failure its kind. go-git's errors do not unwrap and may
// quote the server's answer, so what happened is taken from the guard, and the
// text is masked.
func (c *connection) classify(err error) error {
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err
	}
	err = errors.New(c.mask.String(err.Error()))
	switch status := c.guard.status; {
	case c.guard.tooLarge:
		return errs.Wrap(errs.TooLarge, err, "The repository is larger than the %d MiB that Tidelock fetches at once.", c.guard.max>>20)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return errs.Wrap(errs.Forbidden, err, "The git server refused Tidelock's token for this repository (%d). Is the App still installed on it?", status)
	case status == http.StatusNotFound:
		return errs.Wrap(errs.NotFound, err, "The git server knows no such repository, or shows it to Tidelock no longer.")
	default:
		return errs.Wrap(errs.Unavailable, err, "The git server did not answer as it should.")
	}
}

// guard is the transport of one fetch: it bounds what is read and remembers
// how the server refused.
type guard struct {
	next     http.RoundTripper
	max      int64
	status   int // of an answer that was an error
	tooLarge bool
}

// maxRefusal bounds what is read of an answer that is an error.
const maxRefusal = 4 << 10

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 400 {
		g.status = res.StatusCode
		res.Body = &readCloser{io.LimitReader(res.Body, maxRefusal), res.Body}
	} else {
		res.Body = &readCloser{&meter{r: res.Body, left: g.max, g: g}, res.Body}
	}
	return res, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// meter fails, and tells the guard, when more than left bytes come.
type meter struct {
	r    io.Reader
	left int64
	g    *guard
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.left -= int64(n); m.left < 0 {
		m.g.tooLarge = true
		return 0, errors.New("the answer is too large")
	}
	return n, err
}
