package queue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Args are a job's arguments. They are kept as JSON and must survive the round
// trip. They name things by ID rather than carry them: what they say is as old
// as the job.
type Args interface {
	// Kind names the handler: lower case, digits, underscores. It must not
	// depend on the value. Renaming one strands the jobs that wait under the
	// old name.
	Kind() string
}

// Job is one attempt to run a job.
type Job[T Args] struct {
	ID          int64
	Attempt     int // 1 at first; waiting for something unavailable doesn't count
	MaxAttempts int
	Args        T
	Created     time.Time
}

// Last reports whether a failure of this attempt would be the job's end, so
// that the handler can tell people.
func (j Job[T]) Last() bool { return j.Attempt >= j.MaxAttempts }

// Clock is the time that a queue goes by. Now is for people and for jobs that
// are due at an hour; Elapsed is monotonic, and leases go by it alone.
type Clock interface {
	Now() time.Time
	Elapsed() time.Duration
}

type realClock struct{ start time.Time }

func (realClock) Now() time.Time           { return time.Now() }
func (c realClock) Elapsed() time.Duration { return time.Since(c.start) }

// Options set a queue up.
type Options struct {
	Node string // stable over restarts of this node and its alone; up to 80 bytes
	Name string // of the node, for people; Node if empty
	DB   *db.DB // migrated
	Log  *slog.Logger

	// Lanes gives each lane's greatest number of jobs at a time on this node.
	Lanes map[string]int
	// Fair names the lanes in which clients take turns; see For.
	Fair []string

	// Poll is how often each lane looks for work that it was not woken for:
	// other processes' jobs, and pauses that have ended. 250 ms if zero. What
	// this process enqueues starts at once.
	Poll time.Duration

	Beat      time.Duration // between heartbeats; 5 s if zero
	DeadAfter time.Duration // without a heartbeat; 20 s if zero
	Clock     Clock         // the real one if nil
}

// HandlerOptions say how a kind's jobs are tried.
type HandlerOptions struct {
	MaxAttempts int           // 10 if zero; -1 for as good as no bound
	Timeout     time.Duration // of one attempt, whose context then ends; 10 minutes if zero, -1 for none
}

// Queue enqueues jobs and runs them. It is safe for concurrent use once its
// handlers are registered.
type Queue struct {
	o       Options
	id      string // Node plus a mark of this process
	waker   *waker
	workers *river.Workers
	lanes   map[string]handler // by kind

	observed func(Attempt) // nil where nobody wants to know

	mu      sync.Mutex
	client  engine // made at first use, when all handlers are known
	stop    context.CancelFunc
	watched sync.WaitGroup

	turns  *turns
	active sync.Map // IDs of the jobs that handlers of this process work on
	watch  watch    // only the watcher touches it
}

type handler struct {
	lane string
	opts HandlerOptions
}

// manyAttempts stands for "no bound"; the column has 16 bits.
const manyAttempts = 30000

// New returns a queue on a migrated database. Nothing runs before Start.
func New(o Options) (*Queue, error) {
	if o.DB == nil || o.Log == nil {
		return nil, fmt.Errorf("queue: DB and Log are needed")
	}
	if o.Node == "" || len(o.Node) > 80 || strings.Contains(o.Node, "@") {
		return nil, fmt.Errorf("queue: %q is no node's name", o.Node)
	}
	if len(o.Lanes) == 0 {
		return nil, fmt.Errorf("queue: no lanes")
	}
	for _, l := range o.Fair {
		if o.Lanes[l] < 1 {
			return nil, fmt.Errorf("queue: no lane %q to be fair in", l)
		}
	}
	if o.Name == "" {
		o.Name = o.Node
	}
	if o.Poll == 0 {
		o.Poll = 250 * time.Millisecond
	}
	if o.Beat == 0 {
		o.Beat = 5 * time.Second
	}
	if o.DeadAfter == 0 {
		o.DeadAfter = 20 * time.Second
	}
	if o.Clock == nil {
		o.Clock = realClock{time.Now()}
	}
	mark := make([]byte, 6)
	rand.Read(mark) // never fails: crypto/rand ends the process instead
	return &Queue{
		o:       o,
		id:      o.Node + "@" + hex.EncodeToString(mark),
		waker:   newWaker(),
		workers: river.NewWorkers(),
		lanes:   map[string]handler{},
		watch:   newWatch(),
		turns:   newTurns(o.Fair),
	}, nil
}

// Handle registers h for the jobs of T's kind, in the lane. It is called while
// the program is wired up, before anything is enqueued; it panics on a second
// handler of a kind and on an unknown lane, which are faults of the wiring.
func Handle[T Args](q *Queue, lane string, h func(ctx context.Context, job Job[T]) error, opts HandlerOptions) {
	var zero T
	kind := zero.Kind()
	if q.o.Lanes[lane] < 1 {
		panic(fmt.Sprintf("queue: handler of %s: no lane %q", kind, lane))
	}
	switch {
	case opts.MaxAttempts == 0:
		opts.MaxAttempts = 10
	case opts.MaxAttempts < 0:
		opts.MaxAttempts = manyAttempts
	}
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Minute
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client != nil {
		panic(fmt.Sprintf("queue: handler of %s: registered after the queue was used", kind))
	}
	river.AddWorker(q.workers, &worker[T]{q: q, handle: h, opts: opts})
	q.lanes[kind] = handler{lane, opts}
}

// Option changes how one job is enqueued.
type Option func(*insert)

// insert is a job on its way into the table; River sees it as the arguments.
type insert struct {
	args     Args
	key      string
	coalesce bool
	client   string
	opts     river.InsertOpts
}

func (i *insert) Kind() string                 { return i.args.Kind() }
func (i *insert) MarshalJSON() ([]byte, error) { return json.Marshal(i.args) }

// Unique skips the job where one of its kind with this key is not finished,
// running ones included. A call that comes while the job runs, or in the
// quarter second until its end is noted, is dropped: use it where the running
// job makes the new one needless, Coalesce where the new one brings news.
func Unique(key string) Option {
	return func(i *insert) { i.key, i.coalesce = key, false }
}

// Coalesce skips the job where one of its kind with this key waits to start:
// that one will see what this one would. A call that comes while such a job
// runs gives one more, which may start before the other ends.
func Coalesce(key string) Option {
	return func(i *insert) { i.key, i.coalesce = key, true }
}

// At has the job start at t or a few seconds later, rather than now.
func At(t time.Time) Option { return func(i *insert) { i.opts.ScheduledAt = t } }

// Priority puts the job before (1) or behind (3, 4) the others of its lane,
// which have 2. In a fair lane priorities are the queue's own.
func Priority(p int) Option { return func(i *insert) { i.opts.Priority = p } }

// Enqueue inserts the job in tx: it exists if and only if tx commits, and is
// looked for right then. Its kind must have a handler in this process.
func (q *Queue) Enqueue(ctx context.Context, tx *db.Tx, args Args, opts ...Option) error {
	kind := args.Kind()
	h, ok := q.lanes[kind]
	if !ok {
		return fmt.Errorf("enqueue %s: no handler of that kind", kind)
	}
	c, err := q.engine()
	if err != nil {
		return err
	}
	i := &insert{args: args, opts: river.InsertOpts{Queue: h.lane, MaxAttempts: h.opts.MaxAttempts, Priority: 2}}
	for _, opt := range opts {
		opt(i)
	}
	if _, fair := q.turns.lanes[h.lane]; fair {
		i.opts.Priority = inLine
	}
	if i.opts.Metadata, err = i.metadata(); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	if err := c.insert(ctx, tx, i, &i.opts); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	tx.AfterCommit(func() { q.waker.wake(h.lane) })
	return nil
}

// Start takes back what an earlier process of this node left running, and
// begins to run jobs. ctx is for starting alone; jobs run until Stop.
func (q *Queue) Start(ctx context.Context) error {
	c, err := q.engine()
	if err != nil {
		return err
	}
	if err := q.beat(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	if err := q.reclaim(ctx, func(owner string) bool {
		return nodeOf(owner) == q.o.Node && owner != q.id
	}); err != nil {
		return fmt.Errorf("start queue: take back this node's jobs: %w", err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	if err := c.start(running); err != nil {
		stop()
		return fmt.Errorf("start queue: %w", err)
	}
	q.mu.Lock()
	q.stop = stop
	q.mu.Unlock()
	q.watched.Add(1)
	go q.watchNodes(running)
	return nil
}

// Stop starts no more jobs and waits for those that run. When ctx ends first,
// their contexts end, and Stop waits 10 s more: those that return the
// context's error are run again later, without an attempt spent. The error
// says that some were still running; they are taken up at the next start.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	c, stop := q.client, q.stop
	q.stop = nil
	q.mu.Unlock()
	if c == nil || stop == nil {
		return nil
	}
	err := c.stop(ctx)
	if err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = c.stopNow(hard)
	}
	stop()
	q.watched.Wait()
	if err != nil {
		return fmt.Errorf("stop queue: jobs still run: %w", err)
	}
	return nil
}

// snooze is what Snooze returns.
type snooze struct{ d time.Duration }

func (s *snooze) Error() string { return fmt.Sprintf("run again in %v", s.d) }

// Snooze is returned by a handler that wants its job run again after d,
// without an attempt spent: it waits for something, nothing went wrong.
func Snooze(d time.Duration) error { return &snooze{d} }

// discard is what Discard returns.
type discard struct{ err error }

func (d *discard) Error() string { return d.err.Error() }
func (d *discard) Unwrap() error { return d.err }

// Discard is returned by a handler for an error that no repetition mends: the
// job is dead at once, with err on it.
func Discard(err error) error { return &discard{err} }

// uniqueHook puts an insert's key onto the row. River's own options would
// hash the arguments or a tagged part of them; a key says it plainly.
type uniqueHook struct{ river.HookDefaults }

func (*uniqueHook) InsertBegin(_ context.Context, p *rivertype.JobInsertParams) error {
	i, ok := p.Args.(*insert)
	if !ok || i.key == "" {
		return nil
	}
	p.UniqueKey = uniqueKey(p.Kind, i.key)
	p.UniqueStates = unfinishedStates
	return nil
}

// errConflict is the answer to retrying a dead job whose key another has taken.
func errConflict(err error) error {
	return errs.Wrap(errs.Conflict, err, "A job for the same thing waits already.")
}
