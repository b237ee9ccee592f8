package config

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/tidelock/tidelock/internal/redact"
)

// Metrics says where figures for Prometheus are told, and to whom.
type Metrics struct {
	Listen       string // host:port; "" is nowhere
	Token        redact.Secret
	TokenFile    string
	WithoutToken bool // whoever reaches Listen may read them, from other machines too
	Clients      bool // figures of single clients are among them
}

// checkMetricsListen keeps figures from other machines unless somebody says who
// may read them.
func checkMetricsListen(c *Config) string {
	m := c.Metrics
	if wrong := checkAddress(m.Listen, "127.0.0.1:9464"); wrong != "" {
		return wrong
	}
	host, port, err := net.SplitHostPort(m.Listen)
	if err != nil {
		return "can't be read." // checkAddress has read it
	}
	if _, taken, err := net.SplitHostPort(c.Listen); err == nil && taken == port && port != "0" {
		return fmt.Sprintf("has the port of listen, %s. Figures are told at an address of their own.", port)
	}
	if m.Token.Empty() && !m.WithoutToken && !isLoopback(host) {
		return fmt.Sprintf("is reached by other machines, being %q. Name a file with a token in metrics.token_file, or set metrics.without_token = true if whoever reaches the address may read the figures; 127.0.0.1 keeps them on this machine.", m.Listen)
	}
	return ""
}

// isLoopback reports whether only this machine reaches the host. An empty one
// is every address of the machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// minMetricsToken is the least length of the token in characters.
const minMetricsToken = 16

func checkMetricsToken(c *Config) string {
	if n := len([]rune(c.Metrics.Token.Reveal())); n < minMetricsToken {
		return fmt.Sprintf("has %d characters, but must have %d or more. Make one with: openssl rand -hex 32", n, minMetricsToken)
	}
	if c.Metrics.WithoutToken {
		return "is set, and metrics.without_token too; keep one of them."
	}
	return ""
}
