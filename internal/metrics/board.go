package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	statestore "github.com/tidelock/tidelock/internal/state"
)

// readTime bounds how long figures are read for one answer: less than
// Prometheus waits for it.
const readTime = 8 * time.Second

// budgetsEvery is how often budgets are looked at. It is the one figure that
// adds up more than what is open.
const budgetsEvery = 5 * time.Minute

// Sources are the rooms whose state is told. Of those that are nil nothing is.
type Sources struct {
	DB       *db.DB
	Queue    *queue.Queue
	Runs     *run.Store
	States   *statestore.Store
	Drift    *drift.Store
	Budgets  *budget.Store
	GitHub   *github.App
	Replica  *backup.Replica
	Webhooks func(context.Context) (Backlog, error)
	Folders  map[string]string // whose disks are looked at, by what the figures call them
}

// Backlog is what the webhooks that are stored still ask for.
type Backlog struct {
	Waiting  int           // that are not worked off yet
	Oldest   time.Duration // since the oldest of them came; 0 where none waits
	SetAside int           // that could not be worked off
}

// Read has the state of the sources told. It is called once.
func (m *Metrics) Read(s Sources) {
	b := &board{m: m, failing: map[string]bool{}}
	source := func(is bool, name string, read readFunc) {
		if is {
			b.readers = append(b.readers, &reader{name: name, read: read})
		}
	}
	source(s.Queue != nil, "queue", s.readQueue)
	source(s.Runs != nil && s.DB != nil, "runs", s.readRuns)
	source(s.Webhooks != nil, "webhooks", s.readWebhooks)
	source(s.States != nil, "states", s.readStates)
	source(s.States != nil && m.o.Clients, "clients", s.readClients)
	source(s.Drift != nil && s.DB != nil, "drift", s.readDrift)
	source(s.DB != nil, "backup", s.readBackup)
	source(s.DB != nil, "database", s.readDatabase)
	source(len(s.Folders) > 0, "disk", s.readDisks)
	source(s.Replica != nil, "replica", s.readReplica)
	source(s.GitHub != nil, "github", s.readGitHub)
	if s.Budgets != nil {
		b.readers = append(b.readers, &reader{name: "budgets", every: budgetsEvery, read: s.readBudgets})
	}
	m.registry.MustRegister(b)
	if s.DB != nil {
		for name, pool := range s.DB.Pools() {
			m.registry.MustRegister(collectors.NewDBStatsCollector(pool, name))
		}
	}
	if s.Queue != nil {
		for _, kind := range s.Queue.Kinds() {
			for _, outcome := range queue.Outcomes() {
				m.begin(jobsWorked, kind, string(outcome))
			}
		}
	}
}

// tellFunc tells a figure.
type tellFunc func(f *Figure, value float64, labels ...string)

type readFunc func(ctx context.Context, tell tellFunc) error

// reader reads the figures of one source.
type reader struct {
	name  string
	every time.Duration // how long what was read is good for; 0: for one answer
	read  readFunc

	mu   sync.Mutex // held while a reader with every reads
	kept []prometheus.Metric
	at   time.Time
}

// figures reads the source, or returns what was read a short time ago.
func (r *reader) figures(ctx context.Context) ([]prometheus.Metric, error) {
	if r.every > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.at.IsZero() && time.Since(r.at) < r.every {
			return r.kept, nil
		}
	}
	var told []prometheus.Metric
	err := r.read(ctx, func(f *Figure, value float64, labels ...string) {
		is := prometheus.GaugeValue
		if f.Type == "counter" {
			is = prometheus.CounterValue
		}
		told = append(told, prometheus.MustNewConstMetric(f.desc, is, value, labels...))
	})
	if err != nil {
		return nil, err
	}
	if r.every > 0 {
		r.kept, r.at = told, time.Now()
	}
	return told, nil
}

// board is the collector of what is read when somebody asks.
type board struct {
	m       *Metrics
	readers []*reader

	mu      sync.Mutex
	failing map[string]bool // sources that could not be read the last time: told of in the log once
}

// Describe implements prometheus.Collector.
func (b *board) Describe(c chan<- *prometheus.Desc) {
	for _, f := range figures {
		if _, counted := b.m.counters[f]; counted || b.m.times[f] != nil || f == httpInFlight || f == buildInfo {
			continue
		}
		c <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (b *board) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	for _, r := range b.readers {
		start := time.Now()
		told, err := r.figures(ctx)
		b.note(r.name, err)
		read := 1.0
		if err != nil {
			read = 0
		}
		for _, one := range told {
			c <- one
		}
		c <- prometheus.MustNewConstMetric(figuresRead.desc, prometheus.GaugeValue, read, r.name)
		c <- prometheus.MustNewConstMetric(figuresTime.desc, prometheus.GaugeValue, time.Since(start).Seconds(), r.name)
	}
}

// note tells the log where a source can't be read any more, and where it can
// be again.
func (b *board) note(source string, err error) {
	b.mu.Lock()
	was := b.failing[source]
	b.failing[source] = err != nil
	b.mu.Unlock()
	switch {
	case err != nil && !was:
		b.m.o.Log.Warn("figures not read", "source", source, "error", err)
	case err == nil && was:
		b.m.o.Log.Info("figures are read again", "source", source)
	}
}

func (s Sources) readQueue(ctx context.Context, tell tellFunc) error {
	loads, err := s.Queue.Loads(ctx)
	if err != nil {
		return err
	}
	type key struct {
		kind  string
		state queue.State
	}
	at := map[key]queue.Load{}
	for _, kind := range s.Queue.Kinds() {
		for _, state := range queue.States() {
			at[key{kind, state}] = queue.Load{}
		}
	}
	for _, l := range loads {
		k := key{l.Kind, l.State}
		had := at[k]
		at[k] = queue.Load{Jobs: had.Jobs + l.Jobs, Oldest: max(had.Oldest, l.Oldest)}
	}
	for k, l := range at {
		tell(jobs, float64(l.Jobs), k.kind, string(k.state))
		if k.state == queue.Waiting || k.state == queue.Running {
			tell(jobOldest, l.Oldest.Seconds(), k.kind, string(k.state))
		}
	}
	return nil
}

func (s Sources) readRuns(ctx context.Context, tell tellFunc) error {
	loads, err := s.Runs.Loads(ctx, s.DB)
	if err != nil {
		return err
	}
	locks, err := s.Runs.LockLoad(ctx, s.DB)
	if err != nil {
		return err
	}
	recovery, err := s.Runs.OpenRecovery(ctx, s.DB)
	if err != nil {
		return err
	}
	type key struct {
		kind   run.Kind
		status run.Status
	}
	at := map[key]run.Load{}
	for _, kind := range run.Kinds() {
		for _, status := range run.OpenStatuses() {
			at[key{kind, status}] = run.Load{}
		}
	}
	for _, l := range loads {
		at[key{l.Kind, l.Status}] = l
	}
	for k, l := range at {
		tell(runs, float64(l.Runs), string(k.kind), string(k.status))
		tell(runOldest, l.Oldest.Seconds(), string(k.kind), string(k.status))
	}
	tell(projectLocks, float64(locks.Locks))
	tell(projectLockOldest, locks.Oldest.Seconds())
	tell(recoveries, truth(recovery != nil))
	return nil
}

func (s Sources) readWebhooks(ctx context.Context, tell tellFunc) error {
	l, err := s.Webhooks(ctx)
	if err != nil {
		return err
	}
	tell(webhooksWaiting, float64(l.Waiting))
	tell(webhookOldest, l.Oldest.Seconds())
	tell(webhooksSetAside, float64(l.SetAside))
	return nil
}

func (s Sources) readStates(ctx context.Context, tell tellFunc) error {
	l, err := s.States.Load(ctx)
	if err != nil {
		return err
	}
	tell(states, float64(l.States))
	tell(stateBytes, float64(l.Bytes))
	tell(stateLocks, float64(l.Locks))
	tell(stateLockOldest, l.OldestLock.Seconds())
	return nil
}

func (s Sources) readClients(ctx context.Context, tell tellFunc) error {
	all, err := s.States.Usages(ctx)
	if err != nil {
		return err
	}
	for client, u := range all {
		tell(clientStates, float64(u.States), client)
		tell(clientStateBytes, float64(u.Bytes), client)
	}
	return nil
}

func (s Sources) readDrift(ctx context.Context, tell tellFunc) error {
	counts, err := s.Drift.Counts(ctx, s.DB)
	if err != nil {
		return err
	}
	for _, status := range drift.Statuses() {
		tell(driftProjects, float64(counts[status]), string(status))
	}
	return nil
}

func (s Sources) readBudgets(ctx context.Context, tell tellFunc) error {
	all, err := s.Budgets.Budgets(ctx)
	if err != nil {
		return err
	}
	n := map[string]int{"within": 0, "over": 0, "unknown": 0}
	for _, b := range all {
		switch {
		case b.Over:
			n["over"]++
		case !b.Known:
			n["unknown"]++
		default:
			n["within"]++
		}
	}
	for standing, count := range n {
		tell(budgets, float64(count), standing)
	}
	return nil
}

func (s Sources) readBackup(ctx context.Context, tell tellFunc) error {
	last, good, err := backup.LastAttempts(ctx, s.DB)
	if err != nil {
		return err
	}
	if good != nil {
		tell(backupLast, seconds(good.Ended))
		tell(backupLastBytes, float64(good.Size))
	}
	if last != nil {
		tell(backupFailed, truth(last.Outcome == backup.Failed))
	}
	return nil
}

func (s Sources) readDatabase(ctx context.Context, tell tellFunc) error {
	size, err := s.DB.Size(ctx)
	if err != nil {
		return err
	}
	tell(databaseBytes, float64(size.Data))
	if s.DB.Dialect() == db.SQLite {
		tell(walBytes, float64(size.Log))
		known := s.DB.Wholeness()
		tell(databaseWhole, truth(known.Damage == ""))
		if !known.Checked.IsZero() {
			tell(databaseSeen, seconds(known.Checked))
		}
	}
	return nil
}

func (s Sources) readDisks(_ context.Context, tell tellFunc) error {
	for name, dir := range s.Folders {
		var fs unix.Statfs_t
		if err := unix.Statfs(dir, &fs); err != nil {
			return err
		}
		tell(diskFree, float64(fs.Bavail)*float64(fs.Bsize), name)
		tell(diskSize, float64(fs.Blocks)*float64(fs.Bsize), name)
	}
	return nil
}

func (s Sources) readReplica(_ context.Context, tell tellFunc) error {
	r := s.Replica.Status()
	tell(replicaLag, r.Since.Seconds())
	tell(replicaUnsent, float64(r.Commits))
	tell(replicaErrors, float64(r.Errors))
	if !r.Last.IsZero() {
		tell(replicaLast, seconds(r.Last))
	}
	return nil
}

func (s Sources) readGitHub(_ context.Context, tell tellFunc) error {
	for _, a := range s.GitHub.Allowances() {
		if a.Resource != "core" && a.Resource != "graphql" {
			continue // nothing is asked that draws from others; the name is GitHub's to choose
		}
		tell(githubLeft, float64(a.Remaining), a.Resource)
		tell(githubLimit, float64(a.Limit), a.Resource)
	}
	tell(githubHalted, float64(s.GitHub.Halted()))
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
