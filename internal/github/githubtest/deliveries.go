package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Delivery is a line of the App's delivery log: one attempt.
type Delivery struct {
	ID             int64
	GUID           string
	Event, Action  string
	Payload        []byte
	InstallationID int64
	RepositoryID   int64 // 0: the webhook is about no repository
	At             time.Time
	Redelivery     bool
	Status         string // GitHub's words
	StatusCode     int    // the receiver's answer, 0 when none came
	Duration       time.Duration
	Done           bool // the attempt has ended
	headers        http.Header
}

// queue delivers webhooks in the background and keeps the log.
type queue struct {
	s      *Server
	client *http.Client
	wait   sync.WaitGroup

	mu      sync.Mutex
	some    *sync.Cond
	closed  bool
	ready   []*Delivery
	held    []*Delivery // until they are enough to go out in another order
	hold    int
	pending int // made and not attempted to the end
	log     []*Delivery
	byID    map[int64]*Delivery
}

func newQueue(s *Server, workers int) *queue {
	q := &queue{s: s, byID: map[int64]*Delivery{}, client: &http.Client{
		Timeout:       10 * time.Second, // GitHub's
		Transport:     &http.Transport{MaxIdleConnsPerHost: workers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	q.some = sync.NewCond(&q.mu)
	for range workers {
		q.wait.Add(1)
		go q.work()
	}
	return q
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.some.Broadcast()
	q.mu.Unlock()
	q.wait.Wait()
	q.client.CloseIdleConnections()
}

// emit makes a webhook of a payload and sends it to the App if it may know of
// it. r is nil for what is about no repository. s.mu is held.
func (s *Server) emit(event string, r *repo, payload fields) {
	var in *installation
	if r != nil {
		in = s.installed(r)
	} else if ref, ok := payload["installation"].(fields); ok {
		in = s.installs[ref["id"].(int64)]
	}
	if in == nil {
		return
	}
	own := event == "installation" || event == "installation_repositories" || event == "installation_target"
	if !own && (!in.suspended.IsZero() || !contains(s.opts.Events, event)) {
		return
	}
	action, _ := payload["action"].(string)
	raw, err := json.Marshal(payload)
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	if s.contract != nil {
		s.contract.Webhook(event, action, raw)
	}
	if s.faults.take(&s.faults.omit) || s.faults.today().lost() {
		return
	}
	d := &Delivery{ID: s.nextID(), GUID: uuid.NewString(), Event: event, Action: action, Payload: raw, InstallationID: in.id, At: s.opts.Now()}
	if r != nil {
		d.RepositoryID = r.id
	}
	s.queue.add(d)
}

// installed returns the installation that covers the repository. s.mu is held.
func (s *Server) installed(r *repo) *installation {
	for _, in := range s.installs {
		if in.repos[r.id] && !in.deleted {
			return in
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (q *queue) add(d *Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending++
	q.log = append(q.log, d)
	q.byID[d.ID] = d
	if q.hold > 0 {
		q.held = append(q.held, d)
		if len(q.held) < q.hold {
			return
		}
		for i := len(q.held) - 1; i >= 0; i-- {
			q.ready = append(q.ready, q.held[i])
		}
		q.held, q.hold = nil, 0
		q.some.Broadcast()
		return
	}
	q.ready = append(q.ready, d)
	q.some.Signal()
}

func (q *queue) work() {
	defer q.wait.Done()
	for {
		q.mu.Lock()
		for len(q.ready) == 0 && !q.closed {
			q.some.Wait()
		}
		if q.closed {
			q.mu.Unlock()
			return
		}
		i := q.s.faults.today().next(len(q.ready))
		d := q.ready[i]
		q.ready = slices.Delete(q.ready, i, i+1)
		q.mu.Unlock()
		q.attempt(d)
		q.s.mu.Lock()
		q.s.touch()
		q.s.mu.Unlock()
	}
}

// attempt delivers once, or as the faults will have it.
func (q *queue) attempt(d *Delivery) {
	f := q.s.faults
	times := 1 + f.duplicates()
	if f.today().doubled() {
		times++
	}
	start := time.Now()
	status, code := "", 0
	switch {
	case f.take(&f.drop), f.today().dropped():
		status = "timed out"
	default:
		for range times {
			status, code = q.post(d)
		}
	}
	q.mu.Lock()
	d.Status, d.StatusCode, d.Duration, d.Done = status, code, time.Since(start), true
	q.pending--
	q.mu.Unlock()
}

func (q *queue) post(d *Delivery) (status string, code int) {
	q.s.mu.Lock()
	url, secret, app := q.s.opts.WebhookURL, q.s.opts.WebhookSecret, q.s.opts.AppID
	q.s.mu.Unlock()
	if url == "" {
		return "failed to connect to host", 0
	}
	if q.s.faults.take(&q.s.faults.badSignature) {
		secret += " no more"
	}
	ctx, cancel := context.WithCancel(q.s.ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Payload))
	if err != nil {
		return "failed to connect to host", 0
	}
	h := req.Header
	h.Set("Accept", "*/*")
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/standin")
	h.Set("X-GitHub-Delivery", d.GUID)
	h.Set("X-GitHub-Event", d.Event)
	h.Set("X-GitHub-Hook-ID", "1")
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(app, 10))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if secret != "" {
		one, two := hmac.New(sha1.New, []byte(secret)), hmac.New(sha256.New, []byte(secret))
		one.Write(d.Payload)
		two.Write(d.Payload)
		h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(one.Sum(nil)))
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(two.Sum(nil)))
	}
	q.mu.Lock()
	d.headers = h.Clone()
	q.mu.Unlock()
	resp, err := q.client.Do(req)
	if err != nil {
		return "failed to connect to host", 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode < 300 {
		return "OK", resp.StatusCode
	}
	return fmt.Sprintf("Invalid HTTP Response: %d", resp.StatusCode), resp.StatusCode
}

// redeliver attempts a delivery again: a new line in the log, the same GUID.
// s.mu is held.
func (s *Server) redeliver(id int64) bool {
	s.queue.mu.Lock()
	old, ok := s.queue.byID[id]
	s.queue.mu.Unlock()
	if !ok {
		return false
	}
	s.queue.add(&Delivery{ID: s.nextID(), GUID: old.GUID, Event: old.Event, Action: old.Action, Payload: old.Payload,
		InstallationID: old.InstallationID, RepositoryID: old.RepositoryID, At: s.opts.Now(), Redelivery: true})
	return true
}

// Deliveries returns the log, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	out := make([]Delivery, len(s.queue.log))
	for i, d := range s.queue.log {
		out[i] = *d
	}
	return out
}

// Redeliver delivers a logged webhook again, as the button on the App's
// settings page does.
func (s *Server) Redeliver(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.redeliver(id)
}

// Quiet waits until every webhook made so far has been attempted.
func (s *Server) Quiet(ctx context.Context) error {
	return s.Wait(ctx, func() bool {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		return s.queue.pending == 0
	})
}
