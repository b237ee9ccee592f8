package bot

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
)

// What becomes of webhooks is told, and what they still ask for is counted.
func TestReceiptsAreToldAndTheBacklogCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
		app, err := github.NewApp(github.Options{ID: 1, Key: redact.NewSecret(string(text)), WebhookSecret: redact.NewSecret("secret")})
		if err != nil {
			t.Fatal(err)
		}
		q, err := queue.New(queue.Options{Node: "a", DB: d, Log: slog.New(slog.DiscardHandler), Lanes: map[string]int{LaneEvents: 1}})
		if err != nil {
			t.Fatal(err)
		}
		queue.Handle(q, LaneEvents, func(context.Context, queue.Job[deliveryJob]) error { return nil }, queue.HandlerOptions{})
		now := time.Now().Truncate(time.Millisecond)
		var told []Receipt
		b := &Bot{called: newCalling("tidelock"), Options: Options{DB: d, App: app, Queue: q, Log: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return now }, Received: func(r Receipt) { told = append(told, r) }}}
		send := func(guid, event, body, secret string) {
			t.Helper()
			b.ServeHTTP(httptest.NewRecorder(), signed(t.Context(), guid, event, body, secret))
		}
		send("delivery-1", "push", `{}`, "secret")
		now = now.Add(time.Minute)
		send("delivery-2", "push", `{}`, "secret")
		send("delivery-1", "push", `{}`, "secret")
		send("delivery-3", "push", `{}`, "another secret")
		send("delivery-4", "check_run", `{"action":"created","check_run":{"id":1},"repository":{"id":1},"installation":{"id":1}}`, "secret")
		send("delivery-4", "check_run", `{"action":"created","check_run":{"id":1},"repository":{"id":1},"installation":{"id":1}}`, "secret")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, receipt, err := b.receive(httptest.NewRecorder(), signed(ctx, "delivery-9", "push", `{}`, "secret")); receipt != ReceiptLost || err == nil {
			t.Errorf("a webhook that can't be stored: %s, %v", receipt, err)
		}
		if want := []Receipt{ReceiptStored, ReceiptStored, ReceiptDuplicate, ReceiptRefused, ReceiptIdle, ReceiptDuplicate}; !slices.Equal(told, want) {
			t.Errorf("told %q, not %q", told, want)
		}
		if err := b.DB.Tx(t.Context(), func(tx *db.Tx) error { return endDelivery(t.Context(), tx, "delivery-2", "failed", "why") }); err != nil {
			t.Fatal(err)
		}
		l, err := b.Backlog(t.Context())
		if want := (Backlog{Waiting: 1, Oldest: time.Minute, SetAside: 1}); err != nil || l != want {
			t.Errorf("backlog %+v, not %+v; %v", l, want, err)
		}
		if d.Dialect() == db.SQLite {
			for query, want := range map[string]string{
				waitingQuery:  "SEARCH deliveries USING COVERING INDEX deliveries_status (status=?)",
				setAsideQuery: "SEARCH deliveries USING COVERING INDEX deliveries_status (status=?)",
			} {
				if plan := dbtest.Plan(t, d, query); !slices.Contains(plan, want) {
					t.Errorf("the plan has no %q: %q", want, plan)
				}
			}
		}
	})
}

// signed is a webhook as GitHub sends it that knows the secret.
func signed(ctx context.Context, guid, event, body, secret string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(body)).WithContext(ctx)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set(github.SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return r
}
