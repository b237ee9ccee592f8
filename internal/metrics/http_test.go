package metrics_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/metrics"
	"github.com/tidelock/tidelock/internal/redact"
)

// http sends a request through the middleware to a handler that answers with
// the status.
func (w *world) http(path, method string, status int) {
	h := w.m.HTTP(func(*http.Request) string { return "/known" }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
}

func TestRequestsAreCounted(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	route := func(r *http.Request) string {
		return map[string]string{"/a/canary": "/a/{x}", "/gone": "/gone"}[r.URL.Path]
	}
	h := w.m.HTTP(route, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("do") {
		case "fail":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "write":
			_, _ = w.Write([]byte("x"))
		case "early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusTeapot)
		case "break off":
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		case "deadline":
			if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Errorf("the writer lost what it could do: %v", err)
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("the writer lost what it could do: %v", err)
			}
		}
	}))
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ask := func(method, path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := server.Client().Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // who goes before the end has broken off
			resp.Body.Close()
		}
	}
	ask("GET", "/a/canary?do=write")
	ask("GET", "/a/canary?do=deadline")
	ask("GET", "/a/canary")
	ask("POST", "/a/canary?do=early")
	ask("BREW", "/nobody/knows/canary")
	ask("POST", "/a/canary?do=break+off") // a GET would be sent again
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/gone", nil).WithContext(gone))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/gone?do=fail", nil).WithContext(gone))
	ask("GET", "/gone?do=fail")
	server.Close() // waits for handlers: an answer may be there before its handler has ended
	got := w.scrape()
	got.want(t, map[string]float64{
		`tidelock_http_request_duration_seconds_count{method="GET",route="/a/{x}",status="2xx"}`:      3,
		`tidelock_http_request_duration_seconds_count{method="POST",route="/a/{x}",status="4xx"}`:     1,
		`tidelock_http_request_duration_seconds_count{method="other",route="unknown",status="2xx"}`:   1,
		`tidelock_http_request_duration_seconds_count{method="POST",route="/a/{x}",status="aborted"}`: 1,
		`tidelock_http_request_duration_seconds_count{method="GET",route="/gone",status="aborted"}`:   2,
		`tidelock_http_request_duration_seconds_count{method="GET",route="/gone",status="5xx"}`:       1,
		`tidelock_http_requests_in_flight`: 0,
	})
	if strings.Contains(string(got), "canary") || strings.Contains(string(got), "BREW") {
		t.Error("the figures have what was asked for")
	}
}

func TestFiguresAreToldToWhoHasTheToken(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const token = "a-token-of-the-platform-team"
	h := w.m.Handler(redact.NewSecret(token))
	for _, tc := range []struct {
		method, path, auth string
		want               int
	}{
		{"GET", "/metrics", "Bearer " + token, 200},
		{"HEAD", "/metrics", "Bearer " + token, 200},
		{"GET", "/metrics", "", 401},
		{"GET", "/metrics", "Bearer ", 401},
		{"GET", "/metrics", token, 401},
		{"GET", "/metrics", "Bearer " + token + "x", 401},
		{"GET", "/metrics", "Basic " + token, 401},
		{"POST", "/metrics", "Bearer " + token, 405},
		{"GET", "/", "Bearer " + token, 404},
		{"GET", "/metrics/x", "Bearer " + token, 404},
	} {
		r := httptest.NewRequest(tc.method, tc.path, nil)
		if tc.auth != "" {
			r.Header.Set("Authorization", tc.auth)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != tc.want {
			t.Errorf("%s %s with %q: %d, not %d", tc.method, tc.path, tc.auth, rec.Code, tc.want)
		}
		if rec.Code != 200 && (strings.Contains(rec.Body.String(), "tidelock_") || strings.Contains(rec.Body.String(), token)) {
			t.Errorf("%s %s with %q: %s", tc.method, tc.path, tc.auth, rec.Body)
		}
	}
	r := httptest.NewRequest("GET", metrics.Path, nil)
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if kind := rec.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(rec.Body.String(), "# EOF\n") {
		t.Errorf("OpenMetrics comes as %s", kind)
	}
}
