package metrics

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	statestore "github.com/tidelock/tidelock/internal/state"
)

// Options set the figures up.
type Options struct {
	Log      *slog.Logger // discards if nil
	Version  string       // of this program
	Commit   string
	Database db.Dialect
	Clients  bool // whether figures of single clients are told
}

// Metrics are a server's figures. Its methods are fast, and safe for
// concurrent use.
type Metrics struct {
	o        Options
	registry *prometheus.Registry
	counters map[*Figure]*prometheus.CounterVec
	times    map[*Figure]*prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// New returns the figures of what happens, with those of the process and of
// Go; Read adds those of the state of things.
func New(o Options) *Metrics {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{o: o, registry: prometheus.NewRegistry(), counters: map[*Figure]*prometheus.CounterVec{}, times: map[*Figure]*prometheus.HistogramVec{}}
	for _, f := range []*Figure{webhooks, jobsWorked, runsFinished, stateActs, tokensShown, blobActs} {
		m.counters[f] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: f.Name, Help: f.Help}, f.Labels)
		m.registry.MustRegister(m.counters[f])
	}
	for _, f := range []*Figure{httpTime, githubTime, jobTime, jobWait, runTime, runWait, stateTime, blobTime} {
		m.times[f] = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: f.Name, Help: f.Help, Buckets: f.buckets}, f.Labels)
		m.registry.MustRegister(m.times[f])
	}
	m.inFlight = prometheus.NewGauge(prometheus.GaugeOpts{Name: httpInFlight.Name, Help: httpInFlight.Help})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: buildInfo.Name, Help: buildInfo.Help}, buildInfo.Labels)
	build.WithLabelValues(o.Version, o.Commit, runtime.Version(), string(o.Database)).Set(1)
	m.registry.MustRegister(m.inFlight, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	// A counter that is not there before its first event can't be seen to grow.
	for _, kind := range run.Kinds() {
		for _, outcome := range run.Outcomes() {
			m.begin(runsFinished, string(kind), string(outcome))
		}
	}
	for _, kind := range statestore.Acts() {
		for _, outcome := range outcomes {
			m.begin(stateActs, kind, outcome)
		}
	}
	for _, outcome := range []string{"ok", "unknown", "expired", "revoked", "failed"} {
		m.begin(tokensShown, outcome)
	}
	return m
}

// begin has a counter stand at 0.
func (m *Metrics) begin(f *Figure, labels ...string) { m.counters[f].WithLabelValues(labels...) }

func (m *Metrics) count(f *Figure, labels ...string) { m.counters[f].WithLabelValues(labels...).Inc() }

func (m *Metrics) time(f *Figure, took time.Duration, labels ...string) {
	m.times[f].WithLabelValues(labels...).Observe(took.Seconds())
}

// Job is for queue.Queue's Observe.
func (m *Metrics) Job(a queue.Attempt) {
	m.count(jobsWorked, a.Kind, string(a.Outcome))
	m.time(jobTime, a.Took, a.Kind)
	m.time(jobWait, a.Waited, a.Kind)
}

// Run is for run.Store's Observe.
func (m *Metrics) Run(e run.Ended) {
	m.count(runsFinished, string(e.Kind), string(e.Outcome))
	if e.Took > 0 {
		m.time(runTime, e.Took, string(e.Kind), string(e.Outcome))
		m.time(runWait, e.Waited, string(e.Kind))
	}
}

// Webhook counts what became of a request at the webhook's address.
func (m *Metrics) Webhook(outcome string) { m.count(webhooks, outcome) }

// Webhooks says which outcomes there are.
func (m *Metrics) Webhooks(outcomes ...string) {
	for _, o := range outcomes {
		m.begin(webhooks, o)
	}
}

// GitHub is for github.Options' OnCall.
func (m *Metrics) GitHub(method, route string, status int, took time.Duration) {
	code := "none"
	if status > 0 {
		code = strconv.Itoa(status)
	}
	m.time(githubTime, took, route, method, code)
}

// State is for state.Options' Observed.
func (m *Metrics) State(a statestore.Act) {
	m.count(stateActs, a.Kind, outcomeOf(a.Err))
	m.time(stateTime, a.Took, a.Kind)
}

// Token is for access.Tokens' Observe.
func (m *Metrics) Token(err error) {
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "ok"
	case errors.Is(err, access.ErrNoToken):
		outcome = "unknown"
	case errors.Is(err, access.ErrTokenExpired):
		outcome = "expired"
	case errors.Is(err, access.ErrTokenRevoked):
		outcome = "revoked"
	}
	m.count(tokensShown, outcome)
}

// Blobs returns what is for blob.Store's Observe; name says which store it is.
func (m *Metrics) Blobs(name string) func(blob.Act) {
	const ok, failed = "ok", "failed"
	for _, kind := range blob.Acts() {
		m.begin(blobActs, name, kind, ok)
		m.begin(blobActs, name, kind, failed)
	}
	return func(a blob.Act) {
		how := ok
		if a.Err != nil {
			how = failed
		}
		m.count(blobActs, name, a.Kind, how)
		m.time(blobTime, a.Took, name, a.Kind)
	}
}

const outcomeLocked = "locked"

// outcomes are all that outcomeOf returns.
var outcomes = []string{"ok", outcomeLocked, errs.Internal.String(), errs.Invalid.String(), errs.NotFound.String(), errs.Forbidden.String(),
	errs.Conflict.String(), errs.Unavailable.String(), errs.TooLarge.String(), errs.Canceled.String()}

// outcomeOf is how an operation on a state ended: "ok", that somebody else
// holds the lock, or the kind of its error.
func outcomeOf(err error) string {
	var other *statestore.HeldError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &other):
		return outcomeLocked
	case errors.Is(err, context.Canceled):
		return errs.Canceled.String()
	}
	return errs.KindOf(err).String()
}
