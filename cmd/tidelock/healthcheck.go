package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
)

// newHealthcheckCommand returns `tidelock healthcheck`, which a container's
// HEALTHCHECK calls: the image holds no curl.
func newHealthcheckCommand(p *program) *cobra.Command {
	var url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running server whether it is well",
		Long: "Asks the server's /healthz and exits with 0 when it is well, else with 1. Without --url the address comes from\n" +
			"the configuration's `listen`.",
		Example: "  tidelock healthcheck\n  tidelock healthcheck --url http://127.0.0.1:8080/healthz --timeout 2s",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				l := config.Read(p.configPath, p.environ, config.NeedNothing)
				if l.Broken("listen") { // other faults are not this command's business
					return l.Problems.Err()
				}
				url = healthURL(l.Config.Listen)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			answer, err := askHealth(ctx, url)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, answer)
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "address to ask (default: /healthz where the configuration listens)")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for the answer")
	return cmd
}

// healthURL is where a server that listens there answers to this machine.
func healthURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		host, port = listen, "80" // a wrong listen: the request fails and says where it went
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz"
}

// askHealth returns the server's answer where it is well. It goes past any
// proxy: the server is on this machine.
func askHealth(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", errs.Wrap(errs.Invalid, err, "What --url gives is not a URL.")
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "The server does not answer.")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "The server broke off its answer.")
	}
	text := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", errs.New(errs.Unavailable, "The server is not well. %s answered %s: %s", url, resp.Status, text)
	}
	return text, nil
}
