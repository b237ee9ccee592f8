package providers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// The bounds of what a source may answer, in bytes.
const (
	maxDocument = 4 << 20
	maxPackage  = 1 << 30
)

// client asks registries and mirrors. Which hosts those are, a pull request
// says: so it speaks TLS only, looks each name up itself, refuses every
// address that is not a public one, and dials the very address that it looked
// at. The operator's own hosts may have any address.
type client struct {
	http  *http.Client
	own   map[string]bool // hosts without port that the operator named
	proxy func(*http.Request) (*url.URL, error)
	// lookup and dial are replaced by tests.
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	pause  time.Duration // before the second attempt
}

// errPrivate is wrapped by the refusal of an address.
var errPrivate = errors.New("the address is not a public one")

func newClient(o Options) *client {
	c := &client{own: map[string]bool{}, proxy: o.Proxy, lookup: o.Lookup, dial: o.Dial, pause: 500 * time.Millisecond}
	if c.lookup == nil {
		c.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.dial == nil {
		c.dial = (&net.Dialer{Timeout: 15 * time.Second}).DialContext
	}
	for _, p := range o.Allow {
		if p.host != "*" {
			c.own[hostOnly(p.host)] = true
		}
	}
	if u, err := url.Parse(o.NetworkMirror); err == nil && o.NetworkMirror != "" {
		c.own[u.Hostname()] = true
	}
	roots := o.RootCAs
	if roots == nil {
		roots, _ = x509.SystemCertPool() // nil is the system's too
	}
	t := &http.Transport{
		DialContext: c.dialPublic, Proxy: c.proxy, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: time.Minute, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
	}
	c.http = &http.Client{Transport: t, CheckRedirect: c.redirect}
	return c
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// redirect follows at most five, to TLS alone. Each is dialled as the first is.
func (c *client) redirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 5:
		return errors.New("it redirects more than five times")
	case r.URL.Scheme != "https":
		return errors.New("it redirects to an address without TLS")
	}
	return c.beforeProxy(r)
}

// beforeProxy looks at a request that a proxy will carry out, as far as the
// name can be looked up here: what a proxy reaches is otherwise up to it.
func (c *client) beforeProxy(r *http.Request) error {
	if c.proxy == nil {
		return nil
	}
	if via, err := c.proxy(r); err != nil || via == nil {
		return err
	}
	_, err := c.public(r.Context(), r.URL.Hostname())
	if errors.Is(err, errPrivate) {
		return err
	}
	return nil
}

// dialPublic connects to a public address of the host.
func (c *client) dialPublic(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if c.isProxy(addr) {
		return c.dial(ctx, network, addr)
	}
	ips, err := c.public(ctx, host)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, ip := range ips {
		conn, err := c.dial(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// isProxy reports whether an address is the operator's proxy.
func (c *client) isProxy(addr string) bool {
	if c.proxy == nil {
		return false
	}
	via, err := c.proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "proxied.invalid"}})
	if err != nil || via == nil {
		return false
	}
	port := via.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080"}[via.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(via.Hostname(), port) == addr
}

// public returns the addresses of a host. One private among them refuses all:
// whoever answers for the name is not to be trusted.
func (c *client) public(ctx context.Context, host string) ([]netip.Addr, error) {
	var ips []netip.Addr
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = []netip.Addr{ip}
	} else if ips, err = c.lookup(ctx, host); err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("look up %s: it has no address", host)
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap().WithZone("")
		if !c.own[host] && !isPublic(ips[i]) {
			return nil, fmt.Errorf("%s has the address %s: %w", host, ip, errPrivate)
		}
	}
	return ips, nil
}

// reserved are the ranges that lead to no host of the public Internet, beyond
// those that netip knows by name; some embed such an address.
var reserved = func() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
		"2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}()

func isPublic(ip netip.Addr) bool {
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
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
	if err := c.beforeProxy(req); err != nil {
		return false, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return !errors.Is(err, errPrivate), err
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
	case errors.Is(err, errPrivate):
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
