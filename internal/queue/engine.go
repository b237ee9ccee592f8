package queue

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/db"
)

// engine is river.Client without its type parameter, and with our transaction.
type engine interface {
	insert(ctx context.Context, tx *db.Tx, args river.JobArgs, opts *river.InsertOpts) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
	stopNow(ctx context.Context) error
	list(ctx context.Context, p *river.JobListParams) (*river.JobListResult, error)
	retry(ctx context.Context, id int64) error
	exec() riverdriver.Executor
}

type client[TTx any] struct {
	river *river.Client[TTx]
	with  func(tx *db.Tx, f func(TTx) error) error
}

func (c client[TTx]) insert(ctx context.Context, tx *db.Tx, args river.JobArgs, opts *river.InsertOpts) error {
	return c.with(tx, func(rtx TTx) error {
		_, err := c.river.InsertTx(ctx, rtx, args, opts)
		return err
	})
}
func (c client[TTx]) start(ctx context.Context) error   { return c.river.Start(ctx) }
func (c client[TTx]) stop(ctx context.Context) error    { return c.river.Stop(ctx) }
func (c client[TTx]) stopNow(ctx context.Context) error { return c.river.StopAndCancel(ctx) }
func (c client[TTx]) list(ctx context.Context, p *river.JobListParams) (*river.JobListResult, error) {
	return c.river.JobList(ctx, p)
}
func (c client[TTx]) retry(ctx context.Context, id int64) error {
	_, err := c.river.JobRetry(ctx, id)
	return err
}
func (c client[TTx]) exec() riverdriver.Executor { return c.river.Driver().GetExecutor() }

// engine returns River's client, made when all handlers are known.
func (q *Queue) engine() (engine, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client != nil {
		return q.client, nil
	}
	cfg := q.config()
	if q.o.DB.Dialect() == db.Postgres {
		c, err := river.NewClient[pgx.Tx](&driver[pgx.Tx]{riverpgxv5.New(q.o.DB.Pool()), q}, cfg)
		if err != nil {
			return nil, err
		}
		q.client = client[pgx.Tx]{c, func(tx *db.Tx, f func(pgx.Tx) error) error {
			return tx.Pgx(func(conn *pgx.Conn) error { return f(pgxTx{conn}) })
		}}
		return q.client, nil
	}
	c, err := river.NewClient[*sql.Tx](&driver[*sql.Tx]{riversqlite.New(q.o.DB.Writer()), q}, cfg)
	if err != nil {
		return nil, err
	}
	q.client = client[*sql.Tx]{c, func(tx *db.Tx, f func(*sql.Tx) error) error { return f(tx.Tx) }}
	return q.client, nil
}

func (q *Queue) config() *river.Config {
	lanes := map[string]river.QueueConfig{}
	for name, workers := range q.o.Lanes {
		lanes[name] = river.QueueConfig{MaxWorkers: workers}
	}
	const month = 30 * 24 * time.Hour
	return &river.Config{
		ID:      q.id,
		Queues:  lanes,
		Workers: q.workers,
		Hooks:   []rivertype.Hook{&uniqueHook{}},

		// Jobs of a newer version wait for a node that knows them.
		FetchOnlyKnownKinds: true,
		// A burst's jobs are fetched together, at most this much later.
		FetchCooldown:     10 * time.Millisecond,
		FetchPollInterval: max(q.o.Poll, 10*time.Millisecond),

		JobTimeout:  -1, // every handler states its own
		RetryPolicy: retryPolicy{q.o.Clock},
		// River would take a job for stuck after a fixed time; a plan may run
		// for hours. The heartbeat tells instead.
		RescueStuckJobsAfter: math.MaxInt64 / 2,

		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: month,
		DiscardedJobRetentionPeriod: month,

		ReindexerIndexNames: []string{},
		Logger:              slog.New(quiet{q.o.Log.Handler()}),
	}
}

// quiet drops River's own running commentary: the handlers' wrapper says what
// became of a job, with our words.
type quiet struct{ slog.Handler }

func (h quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}
func (h quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{h.Handler.WithAttrs(a)} }
func (h quiet) WithGroup(name string) slog.Handler   { return quiet{h.Handler.WithGroup(name)} }

// driver is River's driver with notifications that stay inside the process: a
// lane is woken by the commit itself (Enqueue), with no row and no NOTIFY for
// it, and other processes poll. River warns that the interface may change;
// its version is pinned, and the queue's tests run all of it.
type driver[TTx any] struct {
	riverdriver.Driver[TTx]
	q *Queue
}

func (d *driver[TTx]) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &listener{waker: d.q.waker, schema: p.Schema}
}

// GetExecutor implements riverdriver.Driver.
func (d *driver[TTx]) GetExecutor() riverdriver.Executor {
	exec := d.Driver.GetExecutor()
	if d.DatabaseName() == riverdriver.DatabaseNameSQLite {
		exec = shortTurns{exec}
	}
	return fairTurns{exec, d.q}
}

// shortTurns notes the end of jobs a few at a time on SQLite. River notes all
// of a quarter second's in one transaction, a statement each: at 200 jobs a
// second that holds the only writer for 20 ms, and a webhook waits behind it.
type shortTurns struct{ riverdriver.Executor }

// turn is how many jobs' ends are noted in one transaction.
const turn = 8

// JobSetStateIfRunningMany implements riverdriver.Executor. Where one turn
// fails River repeats all of them; those that were noted before stay so.
func (e shortTurns) JobSetStateIfRunningMany(ctx context.Context, p *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	var rows []*rivertype.JobRow
	for i := 0; i < len(p.ID); i += turn {
		to := min(i+turn, len(p.ID))
		part, err := e.Executor.JobSetStateIfRunningMany(ctx, &riverdriver.JobSetStateIfRunningManyParams{
			ID: p.ID[i:to], Attempt: p.Attempt[i:to], ErrData: p.ErrData[i:to], FinalizedAt: p.FinalizedAt[i:to],
			MetadataDoMerge: p.MetadataDoMerge[i:to], MetadataUpdates: p.MetadataUpdates[i:to], Now: p.Now,
			ScheduledAt: p.ScheduledAt[i:to], Schema: p.Schema, State: p.State[i:to],
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
	return rows, nil
}

func (d *driver[TTx]) SupportsListener() bool     { return true }
func (d *driver[TTx]) SupportsListenNotify() bool { return false }

// waker carries the names of lanes that have new work. Waking a lane twice
// before it was heard is waking it once.
type waker struct{ lanes chan string }

func newWaker() *waker { return &waker{make(chan string, 256)} }

func (w *waker) wake(lane string) {
	select {
	case w.lanes <- lane:
	default: // full of wake-ups that nobody has heard yet; the poll finds the job
	}
}

// listener hands the waker's lanes to River as if a database had sent them.
type listener struct {
	waker  *waker
	schema string
}

func (l *listener) Close(context.Context) error            { return nil }
func (l *listener) Connect(context.Context) error          { return nil }
func (l *listener) Listen(context.Context, string) error   { return nil }
func (l *listener) Unlisten(context.Context, string) error { return nil }
func (l *listener) Ping(context.Context) error             { return nil }
func (l *listener) Schema() string                         { return l.schema }
func (l *listener) SetAfterConnectExec(string)             {}

func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case lane := <-l.waker.lanes:
		payload, err := json.Marshal(map[string]string{"queue": lane})
		return &riverdriver.Notification{Topic: "river_insert", Payload: string(payload)}, err
	}
}

// pgxTx is the transaction that database/sql has open on conn, as River wants
// to see it. It runs statements and nothing else: whoever began the
// transaction ends it.
type pgxTx struct{ conn *pgx.Conn }

var errNotOurs = errors.New("queue: the transaction belongs to db.Tx")

func (t pgxTx) Begin(context.Context) (pgx.Tx, error) { return nil, errNotOurs }
func (t pgxTx) Commit(context.Context) error          { return errNotOurs }
func (t pgxTx) Rollback(context.Context) error        { return errNotOurs }
func (t pgxTx) Conn() *pgx.Conn                       { return t.conn }
func (t pgxTx) LargeObjects() pgx.LargeObjects        { return pgx.LargeObjects{} }
func (t pgxTx) CopyFrom(ctx context.Context, table pgx.Identifier, cols []string, src pgx.CopyFromSource) (int64, error) {
	return t.conn.CopyFrom(ctx, table, cols, src)
}
func (t pgxTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.conn.SendBatch(ctx, b)
}
func (t pgxTx) Prepare(ctx context.Context, name, query string) (*pgconn.StatementDescription, error) {
	return t.conn.Prepare(ctx, name, query)
}
func (t pgxTx) Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error) {
	return t.conn.Exec(ctx, query, args...)
}
func (t pgxTx) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	return t.conn.Query(ctx, query, args...)
}
func (t pgxTx) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	return t.conn.QueryRow(ctx, query, args...)
}

// unfinishedStates is River's bit mask of the states in which a key is taken:
// available, pending, retryable, running, scheduled.
const unfinishedStates = 1<<0 | 1<<4 | 1<<5 | 1<<6 | 1<<7

// uniqueKey is what the row's unique index sees of kind and key.
func uniqueKey(kind, key string) []byte {
	sum := sha256.Sum256([]byte(kind + "\x00" + key))
	return sum[:]
}
