package github

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Options configures an App. ID and Key are required.
type Options struct {
	ID  int64
	Key redact.Secret // the App's private key, PEM
	// BaseURL is where GitHub is, as ParseHost takes it; empty means github.com.
	// For GitHub Enterprise Server it is https://HOST or https://HOST/api/v3.
	BaseURL string
	// UploadURL is kept for GitHub Enterprise Server's sake; nothing is uploaded
	// yet. Empty means BaseURL.
	UploadURL string
	// WebhookSecret is what webhooks are signed with; App.Verify uses it.
	WebhookSecret redact.Secret
	Transport     http.RoundTripper // nil: http.DefaultTransport's settings
	Clock         Clock             // nil: the machine's
	Log           *slog.Logger      // nil: nothing is logged
	// OnCall is told of every request that was sent, tokens' included: the
	// method, the route with its variables replaced ("/repositories/{id}/pulls/{n}")
	// so that it names nobody and nothing, the status, 0 when no answer came, and
	// how long that took. It must be fast and may be called concurrently.
	OnCall func(method, route string, status int, took time.Duration)
	// Writes spaces what changes something at GitHub, per installation.
	Writes Pace
	// CacheBytes bounds the answers that are kept so that GitHub need only say
	// that they still hold, which costs nothing of the hour's budget. 0: 16 MiB;
	// below 0: none are kept.
	CacheBytes int64
	// MaxWait is how long a call may wait inside for its turn; where it would be
	// longer the call fails with a RetryAfter instead. 0: ten seconds.
	MaxWait time.Duration
	// Timeout bounds one request. 0: thirty seconds.
	Timeout time.Duration
}

// Pace is a burst and then a steady rate. The zero Pace is the one that
// github.com asks for, and none at a GitHub Enterprise Server, whose limits are
// off unless its owner has them on. Off switches spacing off.
type Pace struct {
	Burst     int     // writes that may go at once; 0: 20
	PerSecond float64 // writes a second after that; 0: 1
	Off       bool
}

// Clock is the time as this package sees it; tests bring their own.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or earlier with the context's error.
	Sleep(ctx context.Context, d time.Duration) error
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }
func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// App is the GitHub App: it speaks for itself (its webhooks' deliveries, its
// installations) and hands out a Client for each installation. Safe for
// concurrent use.
type App struct {
	opts    Options
	base    *url.URL // of REST
	graphql *url.URL
	conn    *conn // as the App itself, authenticated by JWT
	cache   *cache

	mu      sync.Mutex
	clients map[int64]*Client
}

// NewApp returns the App. It sends nothing yet: Self tells whether GitHub
// accepts it. A key or URL that cannot be read is errs.Invalid.
func NewApp(o Options) (*App, error) {
	if o.ID <= 0 {
		return nil, errs.New(errs.Invalid, "The GitHub App's ID is missing. It stands on the App's settings page as “App ID”.")
	}
	if o.Key.Empty() {
		return nil, errs.New(errs.Invalid, "The GitHub App's private key is missing. Generate one on the App's settings page and give its file to Tidelock.")
	}
	if o.Clock == nil {
		o.Clock = wallClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Transport == nil {
		o.Transport = defaultTransport()
	}
	if o.MaxWait == 0 {
		o.MaxWait = 10 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	host, err := ParseHost(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if host.Enterprise && o.Writes == (Pace{}) {
		o.Writes.Off = true
	}
	base, err := url.Parse(host.REST)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "GitHub's address %q cannot be read.", o.BaseURL)
	}
	graph, err := url.Parse(host.GraphQL)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "GitHub's address %q cannot be read.", o.BaseURL)
	}
	signer, err := ghinstallation.NewAppsTransport(o.Transport, o.ID, []byte(o.Key.Reveal()))
	if err != nil {
		// The cause may quote the key's bytes: it is dropped on purpose.
		return nil, errs.Wrap(errs.Invalid, errors.New("parse PEM"), "The GitHub App's private key cannot be read. It must be the .pem file that GitHub generated, whole.")
	}
	a := &App{opts: o, base: base, graphql: graph, cache: newCache(o.CacheBytes), clients: map[int64]*Client{}}
	signer.BaseURL = strings.TrimSuffix(host.REST, "/")
	a.conn = newConn(a, signer)
	return a, nil
}

// defaultTransport is Go's own with enough idle connections to one host: all
// calls go to the same.
func defaultTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	return t
}

// ID returns the App's ID.
func (a *App) ID() int64 { return a.opts.ID }

// Installation returns the client for an installation: always the same one, so
// that tokens and limits are shared. It sends nothing.
func (a *App) Installation(id int64) *Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.clients[id]
	if !ok {
		c = &Client{installed: &installed{app: a, id: id, conn: newConn(a, a.opts.Transport), tokens: map[tokenKey]*tokenSlot{}}}
		c.conn.reserves = true
		a.clients[id] = c
	}
	return c
}

// Forget drops an installation's tokens, client and what it was shown, after it
// was suspended or removed.
func (a *App) Forget(id int64) {
	a.cache.forget(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.clients, id)
}

// Verify checks a webhook's signature with the App's secret; see the function
// Verify.
func (a *App) Verify(signatureHeader string, body []byte) error {
	return Verify(a.opts.WebhookSecret, signatureHeader, body)
}

// Self asks GitHub what it knows of the App: one request, which also proves ID
// and key right.
func (a *App) Self(ctx context.Context) (AppInfo, error) {
	var out struct {
		ID          int64             `json:"id"`
		Slug        string            `json:"slug"`
		Name        string            `json:"name"`
		HTMLURL     string            `json:"html_url"`
		Permissions map[string]string `json:"permissions"`
		Events      []string          `json:"events"`
	}
	if _, err := a.conn.do(ctx, call{method: "GET", path: "app", out: &out}); err != nil {
		return AppInfo{}, classify("get app", err)
	}
	return AppInfo{ID: out.ID, Slug: out.Slug, Name: out.Name, HTMLURL: out.HTMLURL, Permissions: out.Permissions, Events: out.Events}, nil
}

// Installations lists where the App is installed: one request per 100.
func (a *App) Installations(ctx context.Context) ([]Installation, error) {
	var all []Installation
	for page := 1; page != 0; {
		var out []struct {
			ID      int64 `json:"id"`
			Account struct {
				Login string `json:"login"`
				ID    int64  `json:"id"`
			} `json:"account"`
			SuspendedAt *time.Time `json:"suspended_at"`
		}
		resp, err := a.conn.do(ctx, call{method: "GET", path: "app/installations" + paging(page), out: &out})
		if err != nil {
			return nil, classify("list installations", err)
		}
		for _, i := range out {
			all = append(all, Installation{ID: i.ID, Account: i.Account.Login, AccountID: i.Account.ID, Suspended: i.SuspendedAt != nil})
		}
		page = resp.NextPage
	}
	return all, nil
}

// Deliveries lists GitHub's attempts to deliver webhooks since then, newest
// first: one request per 100. GitHub keeps them for three days at least.
func (a *App) Deliveries(ctx context.Context, since time.Time) ([]Delivery, error) {
	var all []Delivery
	for cursor := ""; ; {
		q := url.Values{"per_page": {"100"}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		var out []*github.HookDelivery
		resp, err := a.conn.do(ctx, call{method: "GET", path: "app/hook/deliveries?" + q.Encode(), out: &out})
		if err != nil {
			return nil, classify("list deliveries", err)
		}
		for _, d := range out {
			if d.GetDeliveredAt().Before(since) {
				return all, nil
			}
			all = append(all, Delivery{
				ID: d.GetID(), GUID: d.GetGUID(), DeliveredAt: d.GetDeliveredAt().Time, Redelivery: d.GetRedelivery(),
				Status: d.GetStatus(), StatusCode: d.GetStatusCode(), Event: d.GetEvent(), Action: d.GetAction(),
				InstallationID: d.GetInstallationID(), RepositoryID: d.GetRepositoryID(),
			})
		}
		if cursor = resp.Cursor; cursor == "" || len(out) == 0 {
			return all, nil
		}
	}
}

// Lost returns, of a list of deliveries, one attempt for each GUID that was
// never acknowledged: the newest, which is what Redeliver takes.
func Lost(deliveries []Delivery) []Delivery {
	arrived := map[string]bool{}
	for _, d := range deliveries {
		arrived[d.GUID] = arrived[d.GUID] || d.OK()
	}
	newest := map[string]Delivery{}
	var order []string
	for _, d := range deliveries {
		if arrived[d.GUID] {
			continue
		}
		have, ok := newest[d.GUID]
		if !ok {
			order = append(order, d.GUID)
		}
		if !ok || d.DeliveredAt.After(have.DeliveredAt) {
			newest[d.GUID] = d
		}
	}
	var lost []Delivery
	for _, guid := range order {
		lost = append(lost, newest[guid])
	}
	return lost
}

// Redeliver asks GitHub to deliver a webhook again, by the ID of one of its
// attempts: one request. GitHub answers before it does so.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	_, err := a.conn.do(ctx, call{method: "POST", path: "app/hook/deliveries/" + itoa(id) + "/attempts"})
	var accepted *github.AcceptedError
	if errors.As(err, &accepted) { // 202 is how it says yes
		err = nil
	}
	return classify("redeliver "+itoa(id), err)
}
