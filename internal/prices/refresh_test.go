package prices

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
)

// vendor serves price lists of the vendors' shapes, and fails when it is told
// to.
type vendor struct {
	*httptest.Server
	t      *testing.T
	broken atomic.Bool
	asked  atomic.Int32
	keyed  atomic.Int32
	last   chan struct{} // gets one for each Google list
}

func newVendor(t *testing.T) *vendor {
	v := &vendor{t: t, last: make(chan struct{}, 100)}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.asked.Add(1)
	q := r.URL.Query()
	switch {
	case strings.HasPrefix(r.URL.Path, "/offers/v1.0/aws/AmazonEC2/current/eu-west-1/"):
		if v.broken.Load() {
			_, _ = w.Write(page(v.t, "aws_ec2.json", "")[:2000]) // cut
			return
		}
		_, _ = w.Write(page(v.t, "aws_ec2.json", ""))
	case r.URL.Path == "/api/retail/prices" && q.Get("$skip") == "":
		text := page(v.t, "azure_1.json", v.URL+"/api/retail/prices?$skip=11&currencyCode="+q.Get("currencyCode"))
		_, _ = w.Write(bytes.ReplaceAll(text, []byte(`"currencyCode": "USD"`), []byte(`"currencyCode": "`+q.Get("currencyCode")+`"`)))
	case r.URL.Path == "/api/retail/prices":
		_, _ = w.Write(page(v.t, "azure_2.json", ""))
	case strings.HasPrefix(r.URL.Path, "/v1/services/6F81-5844-456A/skus"):
		if r.Header.Get("X-Goog-Api-Key") == "the key" {
			v.keyed.Add(1)
		}
		if q.Get("pageToken") == "" {
			_, _ = w.Write(page(v.t, "gcp_1.json", "more"))
			return
		}
		_, _ = w.Write(page(v.t, "gcp_2.json", ""))
		v.last <- struct{}{}
	default:
		http.NotFound(w, r)
	}
}

func (v *vendor) settings() RefreshSettings {
	return RefreshSettings{Every: 24 * time.Hour, Lists: []RefreshList{
		{Query: Query{Cloud: AWS, Base: v.URL, Offers: []string{"AmazonEC2"}, Regions: []string{"eu-west-1"}}},
		{Query: Query{Cloud: Azure, Base: v.URL, Offers: []string{"Virtual Machines"}, Regions: []string{"westeurope"}}},
		{Query: Query{Cloud: Azure, Base: v.URL, Offers: []string{"Virtual Machines"}, Regions: []string{"westeurope"}, Currency: "EUR"}},
		{Query: Query{Cloud: GCP, Base: v.URL, Offers: []string{"Compute Engine"}}, KeySecret: "google"},
	}}
}

type refreshing struct {
	*Refresher
	queue *queue.Queue
	now   time.Time
	store *Store
}

func newRefreshing(t *testing.T, d *db.DB, v *vendor, node string) *refreshing {
	t.Helper()
	r := &refreshing{now: noon}
	clock := func() time.Time { return r.now }
	r.store = NewStore(d, access.NewTrail(d), clock)
	var err error
	r.queue, err = queue.New(queue.Options{Node: node, DB: d, Log: slog.New(slog.DiscardHandler), Lanes: map[string]int{Lane: 1}, Poll: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r.Refresher, err = NewRefresher(RefresherOptions{
		Settings: v.settings(), DB: d, Store: r.store, Queue: r.queue, Log: slog.New(slog.DiscardHandler), Client: v.Client(), Now: clock,
		Pause: func(context.Context, time.Duration) error { return nil },
		Key: func(_ context.Context, name string) (redact.Secret, error) {
			if name != "google" {
				return redact.Secret{}, errs.New(errs.NotFound, "There is no secret %q.", name)
			}
			return redact.NewSecret("the key"), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *refreshing) dueNow(t *testing.T) []string {
	t.Helper()
	due, err := r.due(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range due {
		names = append(names, l.name())
	}
	return names
}

// Lists are read when they are due and stored whole; one that fails leaves the
// prices that were there, is told, and tried again sooner.
func TestRefresh(t *testing.T) {
	v := newVendor(t)
	r := newRefreshing(t, dbtest.SQLite(t), v, "a")
	if due := r.dueNow(t); len(due) != 4 {
		t.Fatalf("due %q", due)
	}
	if err := r.work(t.Context(), queue.Job[refreshJob]{}); err != nil {
		t.Fatal(err)
	}
	all, err := r.store.Refreshes(t.Context())
	if err != nil || len(all) != 4 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, f := range all {
		if f.Error != "" || f.Failures != 0 || !f.Done.Equal(noon) {
			t.Errorf("%+v", f)
		}
	}
	if v.keyed.Load() != 2 {
		t.Errorf("Google's key was sent %d times, want with both pages", v.keyed.Load())
	}
	k := pricebook.Key{Cloud: AWS, Service: "ec2-linux", Region: "eu-west-1", SKU: "m5.large"}
	price := func() string {
		t.Helper()
		over, err := r.store.Overlay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := over.LookupIn("EUR", pricebook.Key{Cloud: Azure, Service: "vm-linux", Region: "westeurope", SKU: "standard_d2s_v3"}); !ok {
			t.Error("the prices in euros are not there")
		}
		p, _, _ := over.Lookup(k)
		return p.Amount.String()
	}
	before := price()
	if due := r.dueNow(t); len(due) != 0 {
		t.Errorf("due again at once: %q", due)
	}
	fewer := r.o.Settings
	fewer.Lists = fewer.Lists[:1]
	if left, err := fewer.Of(all); err != nil || len(left) == 0 || len(left) == len(all) || slices.ContainsFunc(left, func(f Refresh) bool { return f.Cloud != fewer.Lists[0].Cloud }) {
		t.Errorf("of those that are still to be read: %+v, %v", left, err)
	}

	r.now = noon.Add(24 * time.Hour)
	v.broken.Store(true)
	if err := r.work(t.Context(), queue.Job[refreshJob]{}); err != nil {
		t.Fatal(err)
	}
	if all, err = r.store.Refreshes(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := all[0]
	if f.List != "aws AmazonEC2 in eu-west-1" || f.Failures != 1 || !f.Done.Equal(noon) || !strings.Contains(f.Error, "Nothing of it was imported") || price() != before || before == "0" {
		t.Errorf("%+v, %s and before %s", f, price(), before)
	}
	r.now = r.now.Add(retryFirst)
	if due := r.dueNow(t); len(due) != 1 || due[0] != f.List {
		t.Errorf("due %q, want what failed alone", due)
	}
	if f.Overdue(24*time.Hour, r.now) || !f.Overdue(24*time.Hour, noon.Add(49*time.Hour)) {
		t.Error("overdue is more than twice the schedule")
	}
	v.broken.Store(false)
	if err := r.work(t.Context(), queue.Job[refreshJob]{}); err != nil {
		t.Fatal(err)
	}
	if all, err = r.store.Refreshes(t.Context()); err != nil || all[0].Failures != 0 || all[0].Error != "" || !all[0].Done.Equal(r.now) {
		t.Errorf("%+v, %v", all, err)
	}
}

// However many nodes look at the clock, one reads at a time.
func TestRefreshOnOneNode(t *testing.T) {
	d := dbtest.SQLite(t)
	v := newVendor(t)
	a, b := newRefreshing(t, d, v, "a"), newRefreshing(t, d, v, "b")
	for _, r := range []*refreshing{a, b, a} {
		if err := r.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := a.queue.Waiting(t.Context(), Lane); err != nil || n != 1 {
		t.Fatalf("%d jobs wait, %v", n, err)
	}
	if err := a.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-v.last:
	case <-time.After(30 * time.Second):
		t.Error("the lists are not read")
	}
	if err := a.queue.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if asked := v.asked.Load(); asked != 7 { // 1 of AWS, 2 pages each of the others
		t.Errorf("%d requests", asked)
	}
	if due := b.dueNow(t); len(due) > 1 { // the last one may not be noted: going down came before
		t.Errorf("due on the other node: %q", due)
	}
}

func TestRefreshNext(t *testing.T) {
	for failures, want := range map[int]time.Duration{0: 24 * time.Hour, 1: 15 * time.Minute, 2: 30 * time.Minute, 3: time.Hour, 8: 24 * time.Hour, 500: 24 * time.Hour} {
		if got := (Refresh{Tried: noon, Failures: failures}).Next(24 * time.Hour).Sub(noon); got != want {
			t.Errorf("after %d failures %s, want %s", failures, got, want)
		}
	}
}
