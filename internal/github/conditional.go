package github

import (
	"bytes"
	"container/list"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// The cache's bounds, in bytes of bodies and keys.
const (
	defaultCache = 16 << 20
	largestEntry = 1 << 20
)

// scope is on whose behalf an answer was given: what one installation sees of
// one repository is shown to nobody else.
type scope struct {
	installation int64
	token        tokenKey
}

type scopeKey struct{}

// withScope lets answers to GET requests of the context be kept for that
// scope.
func withScope(ctx context.Context, s scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

type cacheKey struct {
	scope       scope
	url, accept string
}

// kept is an answer that GitHub may say still holds.
type kept struct {
	key        cacheKey
	etag       string
	link, kind string // headers Link and Content-Type
	body       []byte
}

func (k *kept) size() int64 {
	return int64(len(k.body) + len(k.key.url) + len(k.key.accept) + len(k.etag) + len(k.link) + 200)
}

// cache keeps the answers that were used last, up to a number of bytes. An
// answer out of it is used only where GitHub has just said, to a token that is
// good now, that it still holds: so nothing is stale, and whoever lost access
// gets nothing.
type cache struct {
	max int64

	mu    sync.Mutex
	bytes int64
	order *list.List // of *kept, the last used first
	at    map[cacheKey]*list.Element
}

// newCache returns a cache of that many bytes; none at all below zero.
func newCache(max int64) *cache {
	if max == 0 {
		max = defaultCache
	}
	return &cache{max: max, order: list.New(), at: map[cacheKey]*list.Element{}}
}

func (c *cache) get(key cacheKey) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept)
}

func (c *cache) put(k *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[k.key])
	if k.size() > min(c.max, largestEntry) {
		return
	}
	c.at[k.key] = c.order.PushFront(k)
	c.bytes += k.size()
	for c.bytes > c.max {
		c.remove(c.order.Back())
	}
}

func (c *cache) drop(key cacheKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[key])
}

// forget drops all that an installation was shown.
func (c *cache) forget(installation int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.at {
		if key.scope.installation == installation {
			c.remove(e)
		}
	}
}

// remove takes an entry out. c.mu is held.
func (c *cache) remove(e *list.Element) {
	if e == nil {
		return
	}
	k := c.order.Remove(e).(*kept)
	delete(c.at, k.key)
	c.bytes -= k.size()
}

// ask returns the request with the question whether what is kept still holds,
// and what is kept; nil for nothing. ok is false for a request whose answer is
// not to be kept.
func (c *cache) ask(req *http.Request, host string) (out *http.Request, key cacheKey, have *kept, ok bool) {
	s, scoped := req.Context().Value(scopeKey{}).(scope)
	if !scoped || req.Method != http.MethodGet || req.URL.Host != host || c.max < 0 {
		return req, cacheKey{}, nil, false
	}
	key = cacheKey{s, req.URL.String(), req.Header.Get("Accept")}
	have = c.get(key)
	if have == nil { // a caller's own question stays as it is
		return req, key, nil, true
	}
	out = req.Clone(req.Context())
	out.Header.Set("If-None-Match", have.etag)
	return out, key, have, true
}

// answer turns GitHub's answer into the one to read: 304 into what is kept.
// What is new is kept in its place, and what no longer is there is dropped.
func (c *cache) answer(resp *http.Response, key cacheKey, have *kept) (*http.Response, error) {
	switch {
	case resp.StatusCode == http.StatusNotModified && have != nil:
		_ = resp.Body.Close()
		resp.StatusCode, resp.Status = http.StatusOK, "200 OK"
		resp.Header.Set("ETag", have.etag) // who asked with a tag of his own compares
		resp.Header.Set("Content-Type", have.kind)
		if have.link != "" {
			resp.Header.Set("Link", have.link)
		}
		resp.Header.Set("Content-Length", strconv.Itoa(len(have.body)))
		resp.ContentLength = int64(len(have.body))
		resp.Body = io.NopCloser(bytes.NewReader(have.body))
	case resp.StatusCode == http.StatusOK && resp.Header.Get("ETag") != "":
		head, err := io.ReadAll(io.LimitReader(resp.Body, largestEntry+1))
		if err != nil {
			_ = resp.Body.Close()
			return nil, err
		}
		if len(head) <= largestEntry {
			_ = resp.Body.Close()
			resp.Body = io.NopCloser(bytes.NewReader(head))
			c.put(&kept{key: key, etag: resp.Header.Get("ETag"), link: resp.Header.Get("Link"), kind: resp.Header.Get("Content-Type"), body: head})
			break
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
		c.drop(key)
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusGone, resp.StatusCode == http.StatusForbidden:
		c.drop(key)
	}
	return resp, nil
}
