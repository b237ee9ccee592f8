package github

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/tidelock/tidelock/internal/redact"
)

// maxConcurrent stays below GitHub's 100 requests at a time, with room for the
// git traffic and for other users of the same installation. Of these,
// ordinary calls take maxOrdinary at most.
const (
	maxConcurrent = 64
	maxOrdinary   = 56
)

// conn is a way to GitHub whose calls share limits: the App's own, or an
// installation's. It is the only place that decides about limits; go-github's
// own memory of them is kept empty, because it knows neither 429 nor our clock.
type conn struct {
	app      *App
	base     http.RoundTripper
	gh       *github.Client
	slots    chan struct{} // all calls
	ordinary chan struct{} // those that are not important
	pacer    pacer
	reserves bool // whether ordinary calls leave the last of the hour to others

	mu        sync.Mutex
	closed    time.Time // nothing is sent before this: a secondary limit
	strikes   int       // secondary limits in a row without a word on how long
	slowUntil time.Time // writes go slower until then
	budgets   map[string]*budget
}

func newConn(a *App, base http.RoundTripper) *conn {
	c := &conn{app: a, base: base, slots: make(chan struct{}, maxConcurrent), ordinary: make(chan struct{}, maxOrdinary),
		budgets: map[string]*budget{}, pacer: pacer{clock: a.opts.Clock}}
	c.pacer.set(c.pace())
	c.gh = github.NewClient(&http.Client{Transport: c, Timeout: a.opts.Timeout})
	c.gh.BaseURL = a.base
	c.gh.UploadURL = a.base
	c.gh.UserAgent = "tidelock"
	return c
}

// pace is the usual one. At 20 and then one a second the first minute has 80
// writes, which is what GitHub allows; 50 and then one every eight seconds
// stays below 500 new comments and pull requests in any hour; 300 points and
// then ten a second stays below 900 in any minute.
func (c *conn) pace() [buckets]bucket {
	p := c.app.opts.Writes
	if p.Off {
		return [buckets]bucket{}
	}
	if p.Burst == 0 {
		p.Burst = 20
	}
	if p.PerSecond == 0 {
		p.PerSecond = 1
	}
	b := [buckets]bucket{allWrites: full(float64(p.Burst), p.PerSecond)}
	if p.PerSecond <= 1 && p.Burst <= 50 { // else someone knows better than github.com's documentation
		b[newContent] = full(50, 1./8)
		b[allPoints] = full(300, 10)
	}
	return b
}

// call is one request. Its path is relative to the API's root.
type call struct {
	method, path string
	body, out    any
	token        redact.Secret // empty: the conn's transport authenticates
	tag          Tag           // of the answer that is known already; it then comes as a 304
	scope        scope         // on whose behalf; an answer is kept for no other
	important    bool
	graph        bool // GraphQL, which has a budget of its own
	creates      bool // something that people are told of, beside what the path shows
}

// draw is what the call takes from the pacer's buckets.
func (k call) draw() draw {
	if k.method == http.MethodGet {
		return draw{allPoints: readPoints}
	}
	d := draw{allWrites: 1, allPoints: writePoints}
	if k.method == http.MethodPost && (k.creates || strings.HasSuffix(k.path, "/comments") || strings.HasSuffix(k.path, "/pulls")) {
		d[newContent] = 1
	}
	return d
}

// do waits for its turn, sends the request and decodes the answer. Errors are
// go-github's or a LimitError; the caller classifies them.
func (c *conn) do(ctx context.Context, k call) (*github.Response, error) {
	if err := c.turn(ctx, k); err != nil {
		return nil, err
	}
	lanes := []chan struct{}{c.slots}
	if !k.important {
		lanes = []chan struct{}{c.ordinary, c.slots}
	}
	for _, lane := range lanes {
		select {
		case lane <- struct{}{}:
			defer func() { <-lane }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := c.enter(k); err != nil { // others may have used it up meanwhile
		return nil, err
	}
	defer c.leave(k)
	req, err := c.gh.NewRequest(k.method, k.path, k.body)
	if err != nil {
		return nil, err
	}
	if !k.token.Empty() {
		// On the request, not in the transport: so net/http drops it when a
		// redirect leads to another host.
		req.Header.Set("Authorization", "Bearer "+k.token.Reveal())
	}
	if k.tag != "" {
		req.Header.Set("If-None-Match", string(k.tag))
	}
	if k.scope != (scope{}) {
		ctx = withScope(ctx, k.scope)
	}
	resp, err := c.gh.Do(ctx, req, k.out)
	if err != nil && resp != nil && resp.Response != nil && resp.StatusCode >= 500 {
		if after, ok := retryAfter(resp.Header, c.app.opts.Clock.Now()); ok {
			err = &waitError{after: after, err: err}
		}
	}
	return resp, err
}

// turn waits until limits let the call go, or fails where that is too long.
func (c *conn) turn(ctx context.Context, k call) error {
	now := c.app.opts.Clock.Now()
	c.mu.Lock()
	limit := c.gate(k, now)
	if !c.slowUntil.IsZero() && now.After(c.slowUntil) {
		c.slowUntil = time.Time{}
		c.pacer.set(c.pace())
	}
	c.mu.Unlock()
	var waited time.Duration
	if limit != nil {
		if waited = limit.After; waited > c.app.opts.MaxWait {
			return limit
		}
		if err := c.app.opts.Clock.Sleep(ctx, waited); err != nil {
			return err
		}
	}
	return c.pacer.wait(ctx, k.draw(), k.important, c.app.opts.MaxWait-waited)
}

// enter and leave stand around a call that is sent.
func (c *conn) enter(k call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit := c.gate(k, c.app.opts.Clock.Now()); limit != nil {
		return limit
	}
	c.take(k)
	return nil
}

func (c *conn) leave(k call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.give(k)
}

// RoundTrip sends the request and looks at the answer for limits before
// go-github does. A GET asks only whether what is kept still holds.
func (c *conn) RoundTrip(req *http.Request) (*http.Response, error) {
	req, key, have, keeps := c.app.cache.ask(req, c.app.base.Host)
	start := time.Now()
	resp, err := c.base.RoundTrip(req)
	if f := c.app.opts.OnCall; f != nil {
		status := 0
		if err == nil {
			status = resp.StatusCode
		}
		f(req.Method, c.app.route(req.URL.EscapedPath()), status, time.Since(start))
	}
	if err != nil {
		return nil, err
	}
	now := c.app.opts.Clock.Now()
	resource := "core"
	if req.URL.Path == c.app.graphql.Path {
		resource = "graphql"
	}
	spent, reset := c.account(resource, resp.Header)
	if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests {
		if limit := c.refused(resp, spent, reset, now); limit != nil {
			_ = resp.Body.Close()
			c.app.opts.Log.Warn("GitHub's rate limit", "primary", limit.Primary, "wait", limit.After.String())
			return nil, limit
		}
	}
	if resp.StatusCode < 400 && resource != "graphql" { // GraphQL's refusals come as 200
		c.mu.Lock()
		c.strikes = 0
		c.mu.Unlock()
	}
	if keeps {
		return c.app.cache.answer(resp, key, have)
	}
	return resp, nil
}

// refused reads a 403 or 429 and returns the limit that it speaks of, nil when
// it is a refusal of another kind. It leaves the body to be read again.
func (c *conn) refused(resp *http.Response, spent bool, reset, now time.Time) *LimitError {
	head, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}

	after, told := retryAfter(resp.Header, now)
	if spent && !told && reset.After(now) {
		return &LimitError{Primary: true, After: reset.Sub(now)} // which account has noted
	}
	if resp.StatusCode == http.StatusTooManyRequests || told || speaksOfLimit(head) {
		return c.strike(after, told)
	}
	return nil
}

// strike notes a secondary limit: nothing is sent for as long as GitHub said,
// a minute at least where it said nothing and longer each time. Then, for a
// while, one write every two seconds and none in a burst.
func (c *conn) strike(after time.Duration, told bool) *LimitError {
	now := c.app.opts.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !told {
		after = time.Minute << min(c.strikes, 4)
		c.strikes++
	}
	if until := now.Add(after); until.After(c.closed) {
		c.closed = until
	}
	if !c.app.opts.Writes.Off {
		c.slowUntil = now.Add(after + 10*time.Minute)
		slow := c.pace()
		slow[allWrites] = full(1, 0.5)
		c.pacer.set(slow)
	}
	return &LimitError{After: after}
}

// speaksOfLimit reports whether the answer's body names a secondary limit,
// under its present name or its old one.
func speaksOfLimit(body []byte) bool {
	var e struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
	}
	if json.Unmarshal(body, &e) != nil {
		return false
	}
	text := strings.ToLower(e.Message + " " + e.Docs)
	return strings.Contains(text, "secondary rate limit") || strings.Contains(text, "secondary-rate-limits") ||
		strings.Contains(text, "abuse")
}

// retryAfter reads Retry-After: seconds, or a date.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0, false
	}
	if s, err := strconv.ParseInt(v, 10, 64); err == nil && s >= 0 {
		return time.Duration(s) * time.Second, true
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 0), true
	}
	return 0, false
}

func resetTime(h http.Header) time.Time {
	s, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || s <= 0 {
		return time.Time{}
	}
	return time.Unix(s, 0)
}

// routeParts are what varies behind a part of a route, numbers aside.
var routeParts = map[string]string{"collaborators": "{user}", "commits": "{ref}", "compare": "{basehead}", "branches": "{branch}",
	"contents": "{path}", "heads": "{branch}", "orgs": "{org}", "teams": "{slug}", "memberships": "{user}"}

// route is a URL's path as calls are counted by: below the API's root, and
// without what varies.
func (a *App) route(path string) string {
	if path == a.graphql.Path {
		return "/graphql"
	}
	path = strings.TrimPrefix(path, strings.TrimSuffix(a.base.Path, "/"))
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := strconv.ParseInt(p, 10, 64); err == nil {
			parts[i] = "{n}"
			if i > 0 && (parts[i-1] == "repositories" || parts[i-1] == "installations") {
				parts[i] = "{id}"
			}
		} else if i > 0 && routeParts[parts[i-1]] != "" {
			parts[i] = routeParts[parts[i-1]]
			if parts[i-1] == "contents" || parts[i-1] == "heads" { // the rest of the path is one name
				parts = parts[:i+1]
				break
			}
		}
	}
	return strings.Join(parts, "/")
}

// paging is the query of a list's page.
func paging(page int) string {
	return "?per_page=100&page=" + strconv.Itoa(page)
}

func itoa[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }
