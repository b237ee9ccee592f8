package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Clinic is what the checks look at: the configuration, and the world behind
// functions that a test replaces.
type Clinic struct {
	config   config.Config
	file     string
	problems config.Problems

	app             func(ctx context.Context) (github.AppInfo, error)
	deliveries      func(ctx context.Context, span time.Duration) ([]github.Delivery, error)
	databaseVersion func(ctx context.Context, dsn string) (have, want int64, err error)
	freeSpace       func(dir string) (bytes uint64, err error)
	terraform       func(ctx context.Context, configured string) (path, version string, err error)
	reach           func(ctx context.Context, host string) (time.Duration, error)
	lookupEnv       func(name string) (string, bool)
	host            func() runner.Host
}

// New returns the clinic of the real world, with the configuration that was read
// and the environment of the server.
func New(l *config.Reading, environ []string) *Clinic {
	c := &Clinic{
		config: l.Config, file: l.File, problems: l.Problems,
		databaseVersion: openVersion,
		freeSpace:       parts.FreeSpace,
		terraform:       findTerraform,
		reach:           reach,
		lookupEnv:       config.Lookup(environ),
		host:            runner.LookAtHost,
	}
	app, err := newApp(c.config)
	// Three checks ask the same question; GitHub is asked once.
	var once sync.Once
	var info github.AppInfo
	c.app = func(ctx context.Context) (github.AppInfo, error) {
		once.Do(func() {
			if err == nil {
				info, err = app.Self(ctx)
			}
		})
		return info, err
	}
	c.deliveries = func(ctx context.Context, span time.Duration) ([]github.Delivery, error) {
		if err != nil {
			return nil, err
		}
		return app.Deliveries(ctx, time.Now().Add(-span))
	}
	return c
}

// errNoApp says that the configuration does not let GitHub be asked.
var errNoApp = errors.New("the App is not configured")

// askApp is app for the checks that build on it.
func (c *Clinic) askApp(ctx context.Context) (github.AppInfo, error) {
	if c.problems.Of(appPaths...) != nil {
		return github.AppInfo{}, errNoApp
	}
	return c.app(ctx)
}

// findTerraform returns the binary that runs would use and what it calls
// itself.
func findTerraform(ctx context.Context, configured string) (path, version string, err error) {
	bin, err := tfrun.FindBinary(ctx, configured)
	if err != nil {
		return "", "", err
	}
	return bin.Path, bin.Tool + " " + bin.Version, nil
}

// gitHost returns the address of the web server that the API belongs to,
// which is also where git fetches from.
func gitHost(apiURL string) string {
	u, err := url.Parse(apiURL)
	if apiURL == "" || err != nil || u.Host == "api.github.com" {
		return "https://github.com"
	}
	return u.Scheme + "://" + u.Host
}

// reach sends one request to the host; any answer will do.
func reach(ctx context.Context, host string) (time.Duration, error) {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, host, nil)
	if err != nil {
		return 0, err
	}
	client := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return time.Since(start), resp.Body.Close()
}
