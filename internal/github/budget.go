package github

import (
	"net/http"
	"strconv"
	"time"
)

// reserve is the part of an hour's budget that ordinary calls leave to
// important ones: one in ten.
const reserve = 10

// budget is what is left of an hour's requests, as GitHub told last. REST and
// GraphQL have one each.
type budget struct {
	limit, remaining int
	flying           int // sent and not answered yet
	reset            time.Time
}

// Important returns the client for what must get through when GitHub's limits
// draw near: applies, locks and what people wait for most. It is the same
// client, tokens and limits included, but for its place in the line, and it
// may use the last tenth of the hour's budget.
func (c *Client) Important() *Client { return &Client{installed: c.installed, important: true} }

// resource is the budget that a call draws from.
func (k call) resource() string {
	if k.graph {
		return "graphql"
	}
	return "core"
}

// gate returns how long nothing may be sent, 0 where something may. c.mu is
// held.
func (c *conn) gate(k call, now time.Time) *LimitError {
	if wait := c.closed.Sub(now); wait > 0 {
		return &LimitError{After: wait}
	}
	b := c.budgets[k.resource()]
	if b == nil || !now.Before(b.reset) {
		return nil
	}
	left := b.remaining - b.flying
	if left <= 0 {
		return &LimitError{Primary: true, After: b.reset.Sub(now)}
	}
	if c.reserves && !k.important && left < b.limit/reserve {
		return &LimitError{Primary: true, Reserved: true, After: b.reset.Sub(now)}
	}
	return nil
}

// take and give count the calls that are under way. c.mu is held.
func (c *conn) take(k call) {
	if b := c.budgets[k.resource()]; b != nil {
		b.flying++
	}
}

func (c *conn) give(k call) {
	if b := c.budgets[k.resource()]; b != nil && b.flying > 0 {
		b.flying--
	}
}

// sameHour is by how much GitHub's idea of one and the same reset may vary from
// one answer to the next.
const sameHour = 30 * time.Second

// account notes what an answer says of the budget, and takes it out of the
// header: go-github has a memory of it too, which knows neither 429 nor our
// clock. It reports whether this budget is spent, and until when.
func (c *conn) account(resource string, h http.Header) (spent bool, reset time.Time) {
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset = resetTime(h)
	limit, _ := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	if told := h.Get("X-RateLimit-Resource"); told != "" {
		resource = told
	}
	h.Del("X-RateLimit-Remaining")
	h.Del("X-RateLimit-Reset")
	if err != nil || reset.IsZero() {
		return false, reset
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.budgets[resource]
	if b == nil {
		b = &budget{}
		c.budgets[resource] = b
	}
	if reset.Sub(b.reset).Abs() < sameHour {
		// Answers overtake one another: the lowest figure is the latest.
		b.remaining = min(b.remaining, remaining)
	} else {
		b.remaining = remaining
	}
	b.limit, b.reset = limit, reset
	return remaining == 0, reset
}
