package metrics

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/felixge/httpsnoop"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidelock/tidelock/internal/redact"
)

// methods are those that are told apart. LOCK and UNLOCK are the HTTP
// backend's.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LOCK", "UNLOCK"}

// HTTP counts and times what next answers. route says which kind of address a
// request asks for, "" for one that there is not; what it returns must name
// nobody.
func (m *Metrics) HTTP(route func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, status, returned := time.Now(), 0, false
		// The writer keeps whatever else it can do: flushing, deadlines.
		w = httpsnoop.Wrap(w, httpsnoop.Hooks{
			WriteHeader: func(write httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
				return func(code int) {
					write(code)
					if status == 0 && code >= 200 {
						status = code
					}
				}
			},
			Write: func(write httpsnoop.WriteFunc) httpsnoop.WriteFunc {
				return func(b []byte) (int, error) {
					if status == 0 {
						status = http.StatusOK
					}
					return write(b)
				}
			},
		})
		m.inFlight.Inc()
		defer func() { // also where next panics, which is how an answer is broken off
			m.inFlight.Dec()
			class := "aborted"
			switch {
			case !returned, r.Context().Err() != nil && (status == 0 || status >= 500):
				// Whoever asked is gone; what was said to nobody is no error of the server's.
			case status == 0:
				class = "2xx" // what net/http sends for a handler that says nothing
			default:
				class = string(rune('0'+status/100)) + "xx"
			}
			method, path := r.Method, route(r)
			if !slices.Contains(methods, method) {
				method = "other"
			}
			if path == "" {
				path = "unknown"
			}
			m.time(httpTime, time.Since(start), path, method, class)
		}()
		next.ServeHTTP(w, r)
		returned = true
	})
}

// Path is where Handler tells the figures.
const Path = "/metrics"

// Handler tells the figures at Path, to whoever shows the token or, where it
// is empty, to all who reach it.
func (m *Metrics) Handler(token redact.Secret) http.Handler {
	told := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: printer{m.o.Log}, ErrorHandling: promhttp.ContinueOnError, Registry: m.registry, EnableOpenMetrics: true,
		MaxRequestsInFlight: 4, Timeout: 2 * readTime,
	})
	wanted := sha256.Sum256([]byte("Bearer " + token.Reveal()))
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, r *http.Request) {
		// Of equal length, so that the time of a comparison says nothing.
		shown := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if !token.Empty() && subtle.ConstantTimeCompare(shown[:], wanted[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="Tidelock metrics"`)
			http.Error(w, "A bearer token is needed: the one of the setting metrics.token.", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		told.ServeHTTP(w, r)
	})
	return mux
}

// Gatherer gives the figures to tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// printer is a log as promhttp wants one.
type printer struct{ log *slog.Logger }

func (p printer) Println(v ...any) {
	var words []string
	for _, one := range v {
		if err, ok := one.(error); ok {
			words = append(words, err.Error())
		} else if text, ok := one.(string); ok {
			words = append(words, text)
		}
	}
	p.log.Warn("figures not told in full", "error", strings.ReplaceAll(strings.Join(words, " "), "\n", " "))
}
