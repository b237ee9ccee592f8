package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/metrics"
	"github.com/tidelock/tidelock/internal/redact"
)

// checkMetrics tells whether figures are told where they should be, or could
// be.
func checkMetrics(ctx context.Context, c *Clinic) Diagnosis {
	m := c.config.Metrics
	if c.problems.Of("metrics.listen", "metrics.token", "metrics.token_file") != nil {
		return skip("their settings are not right, see configuration")
	}
	if m.Listen == "" {
		return ok("told nowhere; metrics.listen is the address where Prometheus may ask")
	}
	const other = "name another address in metrics.listen, or end what is there"
	if err := tryAddress(ctx, m.Listen); err != nil {
		return fail(other, "the server can't listen at %s: %v", m.Listen, err)
	}
	status, text, err := ask(ctx, m.Listen, metrics.Path, m.Token)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && running(ctx, c.config.Listen):
		return fail("start the server again: it reads metrics.listen when it starts", "the server is running, and nothing answers at %s", m.Listen)
	case errors.Is(err, syscall.ECONNREFUSED):
		return ok("%s is free; the server takes it when it starts", m.Listen)
	case err != nil:
		return fail(other, "%s is taken, and what has it answers no figures: %v", m.Listen, err)
	case status == http.StatusUnauthorized:
		return fail("start the server again, if metrics.token was changed since; else "+other, "what answers at %s refuses metrics.token", m.Listen)
	case status != http.StatusOK || !strings.Contains(text, "tidelock_build_info"):
		return fail(other, "%s is taken by something that is no Tidelock (status %d)", m.Listen, status)
	}
	return ok("%s tells them", m.Listen)
}

// tryAddress finds out whether an address is this machine's, by another port:
// a server that starts at this moment must find its own free.
func tryAddress(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	return l.Close()
}

// running reports whether a server answers where the configuration has it.
func running(ctx context.Context, listen string) bool {
	_, text, err := ask(ctx, listen, "/healthz", redact.Secret{})
	return err == nil && (strings.HasPrefix(text, "ok") || strings.HasPrefix(text, "unhealthy"))
}

// ask gets a page from this machine's own address, past any proxy.
func ask(ctx context.Context, listen, path string, token redact.Secret) (status int, text string, err error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return 0, "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return 0, "", err
	}
	if !token.Empty() {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return 0, "", fmt.Errorf("read the answer: %w", err)
	}
	return resp.StatusCode, string(body), nil
}
