package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

const (
	deliveryRate = 200 // a second
	deliveryTime = 10 * time.Second
)

// benchReceiver sends webhooks at a steady rate, whether or not the ones
// before have been answered, and then counts what was stored and worked off.
// Three of four tell of ordinary comments, most of what a busy installation
// hears, and the fourth of a push, which is a job for the queue.
func benchReceiver(ctx context.Context, b *bench) error {
	s, err := newStage(ctx, b.tools)
	if err != nil {
		return err
	}
	defer s.close()
	comment, push, err := s.webhooks(ctx)
	if err != nil {
		return err
	}
	syncs, err := bareSync(b.tools.dir)
	if err != nil {
		return err
	}
	fmt.Printf("  %d webhooks …\n", deliveryRate*int(deliveryTime.Seconds()))
	f, before := newFlood("http://"+s.addr+"/webhook", comment, comment, comment, push), effortOf(s.pid())
	if err := f.send(ctx); err != nil {
		return s.trouble(err)
	}
	lost, took, err := s.workedOff(ctx, f.sent)
	if err != nil {
		return s.trouble(err)
	}
	for _, add := range []func() error{
		func() error { return b.note("receiver: rate", f.rate, "per second") },
		func() error { return b.note("receiver: p50", percentile(f.latency, 50), "ms") },
		func() error { return b.aim("receiver: p99", percentile(f.latency, 99), "ms", 20) },
		func() error { return b.note("receiver: a bare fsync just before, p99", percentile(syncs, 99), "ms") },
		func() error { return b.note("receiver: slowest", percentile(f.latency, 100), "ms") },
		func() error { return b.aim("receiver: lost", float64(lost), "webhooks", 0) },
		func() error { return b.note("receiver: last one worked off after", took.Seconds(), "s") },
		func() error {
			return b.note("receiver: processor time of a webhook", effortOf(s.pid()).since(before).own/float64(len(f.sent))*1000, "ms")
		},
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// webhooks returns two real ones: about a comment and about a push.
func (s *stage) webhooks(ctx context.Context) (comment, push webhook, err error) {
	repo := s.gh.CreateRepo("bench", "docs", githubtest.RepoOptions{})
	repo.Commit("ada", "typo", "Mend a typo", githubtest.Files{"README.md": "# docs\n\nBetter.\n"})
	pull := repo.Open("ada", githubtest.PullRequest{Title: "Mend a typo", Head: "typo"})
	pull.Comment("ada", "Looks good to me. I'd merge it after lunch.")
	if err := s.gh.Quiet(ctx); err != nil {
		return comment, push, err
	}
	for _, d := range s.gh.Deliveries() {
		switch d.Event {
		case "issue_comment":
			comment = newWebhook(d)
		case "push":
			push = newWebhook(d)
		}
	}
	if comment.body == nil || push.body == nil {
		return comment, push, errors.New("no webhook told of the comment or of the push")
	}
	return comment, push, nil
}

// webhook is what is sent, save the GUID.
type webhook struct {
	event, signature string
	body             []byte
}

func newWebhook(d githubtest.Delivery) webhook {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(d.Payload)
	return webhook{d.Event, "sha256=" + hex.EncodeToString(mac.Sum(nil)), d.Payload}
}

// flood sends webhooks in turn, again and again, each time as a new delivery.
type flood struct {
	url      string
	webhooks []webhook
	client   *http.Client

	mu      sync.Mutex
	latency []float64 // milliseconds
	refused []error
	sent    map[string]bool // the GUIDs that were acknowledged
	rate    float64         // at which they were sent
}

func newFlood(url string, webhooks ...webhook) *flood {
	return &flood{
		url: url, webhooks: webhooks, sent: map[string]bool{},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

func (f *flood) send(ctx context.Context) error {
	n := deliveryRate * int(deliveryTime.Seconds())
	pause := time.Second / deliveryRate
	var all sync.WaitGroup
	start := time.Now()
	for i := range n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(start.Add(time.Duration(i) * pause))):
		}
		all.Go(func() { f.post(ctx, f.webhooks[i%len(f.webhooks)]) })
	}
	f.rate = float64(n) / time.Since(start).Seconds()
	all.Wait()
	if len(f.refused) > 0 {
		return fmt.Errorf("%d of %d webhooks were not acknowledged; the first: %w", len(f.refused), n, f.refused[0])
	}
	return nil
}

func (f *flood) post(ctx context.Context, w webhook) {
	id := uuid.NewString()
	err := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, bytes.NewReader(w.body))
		if err != nil {
			return err
		}
		for name, value := range map[string]string{
			"Content-Type": "application/json", "X-GitHub-Event": w.event, "X-GitHub-Delivery": id, "X-Hub-Signature-256": w.signature,
		} {
			req.Header.Set(name, value)
		}
		start := time.Now()
		resp, err := f.client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusAccepted {
			return fmt.Errorf("the answer was %s", resp.Status)
		}
		f.mu.Lock()
		f.latency = append(f.latency, float64(time.Since(start).Microseconds())/1000)
		f.mu.Unlock()
		return nil
	}()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.refused = append(f.refused, err)
		return
	}
	f.sent[id] = true
}

// workedOff waits until none of the deliveries is queued any more, and returns
// how many of them the server's database does not hold as worked off, and how
// long that took.
func (s *stage) workedOff(ctx context.Context, sent map[string]bool) (lost int, took time.Duration, err error) {
	start := time.Now()
	d, err := db.Open(ctx, "sqlite:"+filepath.Join(s.data, "tidelock.db"))
	if err != nil {
		return 0, 0, err
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var queued int
		if err := d.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE status='queued'`).Scan(&queued); err != nil {
			return 0, 0, fmt.Errorf("wait until no delivery is queued: %w", err)
		}
		if queued == 0 {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	took = time.Since(start)
	rows, err := d.QueryContext(ctx, `SELECT guid FROM deliveries WHERE status IN ('done','ignored')`)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	lost = len(sent)
	for rows.Next() {
		var guid string
		if err := rows.Scan(&guid); err != nil {
			return 0, 0, err
		}
		if sent[guid] {
			lost--
		}
	}
	return lost, took, rows.Err()
}
