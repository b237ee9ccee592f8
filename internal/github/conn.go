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
	"golang.org/x/time/rate"

	"github.com/tidelock/tidelock/internal/redact"
)

// maxConcurrent stays below GitHub's 100 requests at a time, with room for the
// git traffic and for other users of the same installation.
const maxConcurrent = 64

// conn is a way to GitHub whose calls share limits: the App's own, or an
// installation's. It is the only place that decides about limits; go-github's
// own memory of them is kept empty, because it knows neither 429 nor our clock.
type conn struct {
	app   *App
	base  http.RoundTripper
	gh    *github.Client
	slots chan struct{}

	mu        sync.Mutex
	closed    time.Time // nothing is sent before this
	primary   bool      // why
	strikes   int       // secondary limits in a row without a word on how long
	slowUntil time.Time // writes go slower until then
	writes    *rate.Limiter
	content   *rate.Limiter // new comments have a limit by the hour too
}

func newConn(a *App, base http.RoundTripper) *conn {
	c := &conn{app: a, base: base, slots: make(chan struct{}, maxConcurrent)}
	c.resetPace()
	c.gh = github.NewClient(&http.Client{Transport: c, Timeout: a.opts.Timeout})
	c.gh.BaseURL = a.base
	c.gh.UploadURL = a.base
	c.gh.UserAgent = "tidelock"
	return c
}

// resetPace gives the limiters their usual pace. At 20 and then one a second
// the first minute has 80 writes, which is what GitHub allows; 50 and then one
// every eight seconds stays below 500 comments in any hour.
func (c *conn) resetPace() {
	p := c.app.opts.Writes
	if p.Burst == 0 {
		p.Burst = 20
	}
	if p.PerSecond == 0 {
		p.PerSecond = 1
	}
	c.writes = rate.NewLimiter(rate.Limit(p.PerSecond), p.Burst)
	c.content = rate.NewLimiter(rate.Every(8*time.Second), 50)
	if p.PerSecond > 1 || p.Burst > 50 { // someone knows better than github.com's documentation
		c.content = rate.NewLimiter(rate.Inf, 1)
	}
}

// call is one request. Its path is relative to the API's root.
type call struct {
	method, path string
	body, out    any
	token        redact.Secret // empty: the conn's transport authenticates
	tag          Tag           // of the answer that is known already; it then comes as a 304
}

// do waits for its turn, sends the request and decodes the answer. Errors are
// go-github's or a LimitError; the caller classifies them.
func (c *conn) do(ctx context.Context, k call) (*github.Response, error) {
	if err := c.turn(ctx, k); err != nil {
		return nil, err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
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
	wait, primary := c.closed.Sub(now), c.primary
	if wait > c.app.opts.MaxWait {
		c.mu.Unlock()
		return &LimitError{Primary: primary, After: wait}
	}
	wait = max(wait, 0)
	if k.method != http.MethodGet && !c.app.opts.Writes.Off {
		if !c.slowUntil.IsZero() && now.After(c.slowUntil) {
			c.slowUntil = time.Time{}
			c.resetPace()
		}
		limiters := []*rate.Limiter{c.writes}
		if k.method == http.MethodPost && strings.HasSuffix(k.path, "/comments") {
			limiters = append(limiters, c.content)
		}
		at := now.Add(wait)
		var reserved []*rate.Reservation
		for _, l := range limiters {
			r := l.ReserveN(at, 1)
			reserved = append(reserved, r)
			wait = max(wait, at.Add(r.DelayFrom(at)).Sub(now))
		}
		if wait > c.app.opts.MaxWait {
			for _, r := range reserved {
				r.CancelAt(at)
			}
			c.mu.Unlock()
			return &LimitError{After: wait}
		}
	}
	c.mu.Unlock()
	if wait > 0 {
		return c.app.opts.Clock.Sleep(ctx, wait)
	}
	return nil
}

// RoundTrip sends the request and looks at the answer for limits before
// go-github does.
func (c *conn) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.base.RoundTrip(req)
	if f := c.app.opts.OnCall; f != nil {
		status := 0
		if err == nil {
			status = resp.StatusCode
		}
		f(req.Method, route(strings.TrimPrefix(req.URL.Path, strings.TrimSuffix(c.app.base.Path, "/"))), status)
	}
	if err != nil {
		return nil, err
	}
	now := c.app.opts.Clock.Now()
	spent := resp.Header.Get("X-RateLimit-Remaining") == "0"
	reset := resetTime(resp.Header)
	// Without these headers go-github has nothing to remember and never blocks.
	resp.Header.Del("X-RateLimit-Remaining")
	resp.Header.Del("X-RateLimit-Reset")
	if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests {
		if limit := c.refused(resp, spent, reset, now); limit != nil {
			_ = resp.Body.Close()
			c.app.opts.Log.Warn("GitHub's rate limit", "primary", limit.Primary, "wait", limit.After.String())
			return nil, limit
		}
		return resp, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if spent && reset.After(now) { // this call was the last of the hour
		c.closed, c.primary = reset, true
	} else if resp.StatusCode < 400 {
		c.strikes = 0
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
	secondary := resp.StatusCode == http.StatusTooManyRequests || told || speaksOfLimit(head)
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := &LimitError{}
	switch {
	case spent && !told && reset.After(now):
		limit.Primary, limit.After = true, reset.Sub(now)
	case !secondary:
		return nil
	case told:
		limit.After = after
	case reset.After(now) && spent:
		limit.After = reset.Sub(now)
	default: // a minute at least, longer each time
		limit.After = time.Minute << min(c.strikes, 4)
		c.strikes++
	}
	if until := now.Add(limit.After); until.After(c.closed) {
		c.closed, c.primary = until, limit.Primary
	}
	if !limit.Primary {
		// Too much at once: for a while one write every two seconds, none in a burst.
		c.slowUntil = now.Add(limit.After + 10*time.Minute)
		c.writes = rate.NewLimiter(rate.Every(2*time.Second), 1)
	}
	return limit
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

// route replaces what varies in a path, so that calls can be counted by kind.
func route(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := strconv.ParseInt(p, 10, 64); err == nil {
			parts[i] = "{n}"
			if i > 0 && (parts[i-1] == "repositories" || parts[i-1] == "installations") {
				parts[i] = "{id}"
			}
		} else if i > 0 && parts[i-1] == "collaborators" {
			parts[i] = "{user}"
		}
	}
	return strings.Join(parts, "/")
}

// paging is the query of a list's page.
func paging(page int) string {
	return "?per_page=100&page=" + strconv.Itoa(page)
}

func itoa[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }
