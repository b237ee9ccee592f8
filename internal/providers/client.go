package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
)

// The bounds of what a source may answer, in bytes.
const (
	maxDocument = 4 << 20
	maxPackage  = 1 << 30
)

// client asks registries and mirrors. Which hosts those are, a pull request
// says: so it speaks TLS only, and passes egress.Guard. The operator's own
// hosts may have any address.
type client struct {
	http  *http.Client
	pause time.Duration // before the second attempt
}

func newClient(o Options) *client {
	g := egress.Options{Proxy: o.Proxy, Lookup: o.Lookup, Dial: o.Dial, RootCAs: o.RootCAs}
	for _, p := range o.Allow {
		if p.host != "*" {
			g.Own = append(g.Own, p.host)
		}
	}
	if u, err := url.Parse(o.NetworkMirror); err == nil && o.NetworkMirror != "" {
		g.Own = append(g.Own, u.Hostname())
	}
	return &client{http: egress.New(g).Client(), pause: 500 * time.Millisecond}
}

// errAbsent says that a source has not what it was asked for.
var errAbsent = errors.New("it is not there")

// attempts is how often a source is asked that fails in a way that may pass.
const attempts = 3

// get hands the answer's body to use, at most limit bytes of it. What fails on
// the way is tried again; what use refuses is not, unless it broke off.
func (c *client) get(ctx context.Context, address string, limit int64, use func(contentType string, body io.Reader) error) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errs.New(errs.Forbidden, "%s is not an address with TLS (https), which providers are fetched from alone.", shown(address))
	}
	for try := 1; ; try++ {
		again, err := c.once(ctx, u, limit, use)
		if err == nil || !again || try == attempts || ctx.Err() != nil {
			return classify(u, err)
		}
		select {
		case <-time.After(c.pause << (try - 1)):
		case <-ctx.Done():
			return classify(u, ctx.Err())
		}
	}
}

func (c *client) once(ctx context.Context, u *url.URL, limit int64, use func(contentType string, body io.Reader) error) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("User-Agent", "Tidelock")
	resp, err := c.http.Do(req)
	if err != nil {
		return !errors.Is(err, egress.ErrPrivate), err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
	case resp.StatusCode == http.StatusNotFound:
		return false, errAbsent
	default:
		passing := resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests
		return passing, fmt.Errorf("it answers %s", resp.Status)
	}
	if resp.ContentLength > limit {
		return false, errs.New(errs.TooLarge, "%s has %d bytes, more than the %d that are taken from there.", shown(u.String()), resp.ContentLength, limit)
	}
	body := &bounded{r: resp.Body, left: limit, from: u.String()}
	err = use(resp.Header.Get("Content-Type"), body)
	return body.failed, err
}

// bounded reads at most so much, and remembers whether the source failed.
type bounded struct {
	r      io.Reader
	left   int64
	from   string
	failed bool
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, errs.New(errs.TooLarge, "%s has more than the bytes that are taken from there.", shown(b.from))
	}
	b.failed = err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// classify gives what a source did a kind. An error that has one keeps it.
func classify(u *url.URL, err error) error {
	var known *errs.Error
	switch {
	case err == nil, errors.Is(err, errAbsent), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, egress.ErrPrivate):
		return errs.Wrap(errs.Forbidden, err, "%s leads to an address that is not a public one, and providers are fetched from such a one only where terraform.provider_allow names the host itself.", u.Host)
	case errors.As(err, &known):
		return err
	}
	return errs.Wrap(errs.Unavailable, err, "%s could not be asked for providers: %s.", u.Host, cause(err))
}

// cause is the innermost part of an error that says something to people.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return strings.TrimSuffix(err.Error(), ".")
}

// shown is an address as people may see it: without what signs it.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that can't be read"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// document asks for JSON.
func (c *client) document(ctx context.Context, address string, into any) error {
	return c.get(ctx, address, maxDocument, func(contentType string, body io.Reader) error {
		if kind, _, err := mime.ParseMediaType(contentType); err == nil && kind != "application/json" {
			return fmt.Errorf("it answers with %s, which is not JSON", kind)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("its answer is not understood: %w", err)
		}
		return nil
	})
}

// bytes asks for a small file.
func (c *client) bytes(ctx context.Context, address string, limit int64) (text []byte, err error) {
	err = c.get(ctx, address, limit, func(_ string, body io.Reader) (err error) {
		text, err = io.ReadAll(body)
		return err
	})
	return text, err
}
