package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// TestThreat_NamesOfStrangersLeadToPublicAddressesOnly asks for names that
// answer with private addresses, directly, at the second look, and by a
// redirect. None of it is dialled.
func TestThreat_NamesOfStrangersLeadToPublicAddressesOnly(t *testing.T) {
	var inner int
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inner++ }))
	defer private.Close()
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, private.URL, http.StatusFound)
	}))
	defer outer.Close()
	names := map[string][]string{
		"public.test": {"93.184.215.14"}, "inside.test": {"10.0.0.7"}, "both.test": {"93.184.215.14", "169.254.169.254"}, "mapped.test": {"::ffff:127.0.0.1"},
	}
	for _, tc := range []struct {
		name string
		own  []string
		url  string
		want error
	}{
		{"a private address", nil, "http://inside.test/", ErrPrivate},
		{"one among public ones", nil, "http://both.test/", ErrPrivate},
		{"one in another form", nil, "http://mapped.test/", ErrPrivate},
		{"this machine by its number", nil, private.URL, ErrPrivate},
		{"a public one that redirects to this machine", nil, "http://public.test/", ErrPrivate},
		{"the operator's own", []string{"127.0.0.1"}, private.URL, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inner = 0
			c := New(Options{Own: tc.own, PlainHTTP: true,
				Lookup: func(_ context.Context, host string) (ips []netip.Addr, _ error) {
					for _, text := range names[host] {
						ips = append(ips, netip.MustParseAddr(text))
					}
					return ips, nil
				},
				Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
					if host, _, _ := net.SplitHostPort(addr); host == "93.184.215.14" {
						addr = outer.Listener.Addr().String()
					}
					return (&net.Dialer{}).DialContext(ctx, network, addr)
				}}).Client()
			resp, err := c.Get(tc.url)
			if err == nil {
				resp.Body.Close()
			}
			if !errors.Is(err, tc.want) || (inner > 0) != (tc.want == nil) {
				t.Errorf("%v, and %d requests arrived", err, inner)
			}
		})
	}
}
