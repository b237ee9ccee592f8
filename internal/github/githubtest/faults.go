package githubtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults are the ways in which GitHub can be made to misbehave. All may be
// switched at any time.
type Faults struct {
	s *Server

	mu           sync.Mutex
	drop         int
	omit         int
	badSignature int
	duplicate    int
	copies       int
	latency      time.Duration
	silent       chan struct{} // nil: it answers
	refusals     []*Refusal
	luck         *luck
}

// Drop makes the next n webhooks fail on their way; the log has them as failed.
func (f *Faults) Drop(n int) { f.set(&f.drop, n) }

// Omit makes GitHub forget the next n webhooks altogether: they stand in no
// log. Payloads above 25 MB fare so.
func (f *Faults) Omit(n int) { f.set(&f.omit, n) }

// BadSignature signs the next n webhooks with another secret.
func (f *Faults) BadSignature(n int) { f.set(&f.badSignature, n) }

// Duplicate delivers each of the next n webhooks 1 + copies times, with the
// same GUID.
func (f *Faults) Duplicate(n, copies int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.duplicate, f.copies = n, copies
}

// Reorder holds the next n webhooks back until all are there and then delivers
// them last first.
func (f *Faults) Reorder(n int) {
	f.s.queue.mu.Lock()
	defer f.s.queue.mu.Unlock()
	f.s.queue.hold = n
}

// Latency delays every answer, git's too.
func (f *Faults) Latency(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latency = d
}

// Silence keeps all answers back, git's too, until the function is called that
// it returns. What waits then is answered.
func (f *Faults) Silence() (speak func()) {
	silent := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = silent
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.silent = nil
		close(silent)
	})
}

// Refusal is an answer that the API gives instead of the right one.
type Refusal struct {
	Status  int
	Message string
	Docs    string            // documentation_url
	Body    string            // in place of message and documentation_url; GraphQL's errors are of another form
	Header  map[string]string // Retry-After, X-RateLimit-Reset, …

	Times int       // how often; 0: until Until or until it is cleared
	Until time.Time // by the server's clock; zero: no end
	// Match chooses the requests, by method and path below the API's root
	// ("/repositories/9/pulls/1"); nil: all. Git requests have the method GIT.
	Match func(method, path string) bool
	// Done: the request is carried out and then the answer is lost.
	Done bool
}

// Refuse makes the API refuse; the function that it returns ends that.
func (f *Faults) Refuse(r Refusal) (clear func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &r
	if p.Times == 0 {
		p.Times = -1
	}
	f.refusals = append(f.refusals, p)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		p.Times = 0
	}
}

// Down makes the API answer 503 until the returned function is called.
func (f *Faults) Down() (up func()) {
	return f.Refuse(Refusal{Status: http.StatusServiceUnavailable, Message: "Service unavailable"})
}

// Primary refuses with a spent hourly budget until reset; status is 403 or 429.
func (f *Faults) Primary(status int, reset time.Time) (clear func()) {
	return f.Refuse(Refusal{Status: status, Until: reset, Message: "API rate limit exceeded for installation.",
		Docs:   "https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting",
		Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(reset.Unix(), 10)}})
}

// Secondary refuses the next n requests for coming too fast; status is 403 or
// 429. retryAfter 0 leaves the header out, as GitHub sometimes does.
func (f *Faults) Secondary(status, n int, retryAfter time.Duration) (clear func()) {
	r := Refusal{Status: status, Times: n, Message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		Docs: "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits", Header: map[string]string{}}
	if retryAfter > 0 {
		r.Header["Retry-After"] = strconv.Itoa(int(retryAfter.Seconds()))
	}
	return f.Refuse(r)
}

// ExpireTokens makes every installation token that is out now invalid.
func (f *Faults) ExpireTokens() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	for text, t := range f.s.tokens {
		if t.install != nil {
			delete(f.s.tokens, text)
		}
	}
}

func (f *Faults) set(n *int, to int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n = to
}

// take counts one off a switch and reports whether it was on.
func (f *Faults) take(n *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

func (f *Faults) duplicates() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.duplicate <= 0 {
		return 0
	}
	f.duplicate--
	return f.copies
}

// delay waits for the end of a silence, and as long as latency says; false when the request is gone.
func (f *Faults) delay(r *http.Request) bool {
	f.mu.Lock()
	d, silent := f.latency, f.silent
	f.mu.Unlock()
	if silent != nil {
		select {
		case <-silent:
		case <-r.Context().Done():
			return false
		}
	}
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// refusal returns the answer that a request gets instead of its own, nil for
// none.
func (f *Faults) refusal(method, path string) *Refusal {
	now := f.s.opts.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.refusals {
		if r.Times == 0 || (!r.Until.IsZero() && !now.Before(r.Until)) {
			continue
		}
		if r.Match == nil && method == "GIT" || r.Match != nil && !r.Match(method, path) {
			continue
		}
		if r.Times > 0 {
			r.Times--
		}
		return r
	}
	return nil
}

func (r *Refusal) write(w http.ResponseWriter) {
	for k, v := range r.Header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(r.Status)
	if r.Body != "" {
		fmt.Fprint(w, r.Body)
		return
	}
	fmt.Fprintf(w, `{"message":%q,"documentation_url":%q}`, r.Message, r.Docs)
}

// git applies faults to a git request and reports whether it was answered.
func (f *Faults) git(w http.ResponseWriter, r *http.Request) bool {
	if !f.delay(r) {
		return true
	}
	if refusal := f.refusal("GIT", strings.TrimSuffix(r.URL.Path, "/")); refusal != nil {
		refusal.write(w)
		return true
	}
	return false
}
