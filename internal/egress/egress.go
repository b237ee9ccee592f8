package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Options are what a Guard goes by. The zero Options allow public addresses
// alone, without a proxy.
type Options struct {
	Own   []string // hosts, with a port or without, that the operator named: they may have any address
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs are whom TLS trusts; nil is the system's.
	RootCAs *x509.CertPool
	// PlainHTTP allows redirects to addresses without TLS on this machine
	// itself: for servers of tests and of developers.
	PlainHTTP bool
	// Lookup and Dial are replaced by tests.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Guard dials public addresses, and those of the operator's own hosts.
type Guard struct {
	Options
	own map[string]bool
}

// ErrPrivate is wrapped by the refusal of an address.
var ErrPrivate = errors.New("the address is not a public one")

// New returns a guard.
func New(o Options) *Guard {
	g := &Guard{Options: o, own: map[string]bool{}}
	if g.Lookup == nil {
		g.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if g.Dial == nil {
		g.Dial = (&net.Dialer{Timeout: 15 * time.Second}).DialContext
	}
	for _, host := range o.Own {
		g.own[hostOnly(host)] = true
	}
	return g
}

// Client returns an HTTP client all of whose connections pass the guard.
func (g *Guard) Client() *http.Client {
	return &http.Client{Transport: checked{g, g.transport()}, CheckRedirect: g.redirect}
}

func (g *Guard) transport() *http.Transport {
	roots := g.RootCAs
	if roots == nil {
		roots, _ = x509.SystemCertPool() // nil is the system's too
	}
	return &http.Transport{
		DialContext: g.dialPublic, Proxy: g.Proxy, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: time.Minute, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
	}
}

// checked looks at each request before a proxy carries it out.
type checked struct {
	guard *Guard
	next  *http.Transport
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.guard.beforeProxy(r); err != nil {
		return nil, err
	}
	return c.next.RoundTrip(r)
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (c checked) CloseIdleConnections() { c.next.CloseIdleConnections() }

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// redirect follows at most five, to TLS alone. Each is dialled as the first is.
func (g *Guard) redirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 5:
		return errors.New("it redirects more than five times")
	case r.URL.Scheme != "https" && !(g.PlainHTTP && Loopback(r.URL.Hostname())):
		return errors.New("it redirects to an address without TLS")
	}
	return nil
}

// beforeProxy looks at a request that a proxy will carry out, as far as the
// name can be looked up here: what a proxy reaches is otherwise up to it.
func (g *Guard) beforeProxy(r *http.Request) error {
	if g.Proxy == nil {
		return nil
	}
	if via, err := g.Proxy(r); err != nil || via == nil {
		return err
	}
	_, err := g.public(r.Context(), r.URL.Hostname())
	if errors.Is(err, ErrPrivate) {
		return err
	}
	return nil
}

// dialPublic connects to a public address of the host.
func (g *Guard) dialPublic(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if g.isProxy(addr) {
		return g.Dial(ctx, network, addr)
	}
	ips, err := g.public(ctx, host)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, ip := range ips {
		conn, err := g.Dial(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// isProxy reports whether an address is the operator's proxy.
func (g *Guard) isProxy(addr string) bool {
	if g.Proxy == nil {
		return false
	}
	via, err := g.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "proxied.invalid"}})
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
func (g *Guard) public(ctx context.Context, host string) ([]netip.Addr, error) {
	var ips []netip.Addr
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = []netip.Addr{ip}
	} else if ips, err = g.Lookup(ctx, host); err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("look up %s: it has no address", host)
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap().WithZone("")
		if !g.own[host] && !isPublic(ips[i]) {
			return nil, fmt.Errorf("%s has the address %s: %w", host, ip, ErrPrivate)
		}
	}
	return ips, nil
}

// Loopback reports whether a host's name means this machine itself.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
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
