package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/db"
)

// In a fair lane clients take turns. When more jobs wait than there is room
// for, the next to start is a job of the client that has the fewest running
// there; among equals, of the one whose turn is longest ago; and of each client
// the job that waits longest. So a client's jobs keep their order, a flood
// delays nobody but its maker, and no job waits for ever: those ahead of it in
// its own client's line are finite, and every client's turn comes.
//
// The turn is chosen when room is free, not when a job comes in: whoever
// enqueues pays nothing for it. The chosen ones are given the priority that
// River takes first.

// For says whose job it is, in a lane that is fair.
func For(client string) Option { return func(i *insert) { i.client = client } }

// The priorities of a fair lane; it has no others.
const (
	itsTurn = 1
	inLine  = 2
)

// turns is whose turn it was, by lane.
type turns struct{ lanes map[string]*laneTurns }

type laneTurns struct {
	mu     sync.Mutex
	served map[string]int64 // client → when it was served last, counted in servings
	count  int64
	next   time.Duration // not chosen again before then, by the monotonic clock
}

// dutyCycle bounds what choosing costs while many jobs wait: for that many
// times as long as the last choice took, jobs start in the order of their
// priority and age alone.
const (
	dutyCycle = 10
	many      = 250
)

func newTurns(lanes []string) *turns {
	t := &turns{lanes: map[string]*laneTurns{}}
	for _, l := range lanes {
		t.lanes[l] = &laneTurns{served: map[string]int64{}}
	}
	return t
}

// fairTurns chooses before it fetches.
type fairTurns struct {
	riverdriver.Executor
	q *Queue
}

// JobGetAvailable implements riverdriver.Executor. That no choice could be made
// costs nobody his job: then the oldest start.
func (e fairTurns) JobGetAvailable(ctx context.Context, p *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	lane, fair := e.q.turns.lanes[p.Queue]
	if !fair || p.MaxToLock < 1 {
		return e.Executor.JobGetAvailable(ctx, p)
	}
	lane.mu.Lock()
	defer lane.mu.Unlock()
	if begin := e.q.o.Clock.Elapsed(); begin >= lane.next {
		waiting, err := e.q.choose(ctx, lane, p)
		if err != nil && ctx.Err() == nil {
			e.q.o.Log.Warn("nobody's turn could be chosen", "lane", p.Queue, "error", err)
		}
		if end := e.q.o.Clock.Elapsed(); waiting > many {
			lane.next = end + dutyCycle*(end-begin)
		}
	}
	res, err := e.Executor.JobGetAvailable(ctx, p)
	if err == nil {
		for _, job := range res.Jobs {
			lane.serve(clientOf(job))
		}
	}
	return res, err
}

// serve notes that a client had its turn. Whoever was not heard of for long is
// forgotten: to be unknown is to come first.
func (l *laneTurns) serve(client string) {
	l.count++
	l.served[client] = l.count
	if len(l.served) > 4096 {
		for c, at := range l.served {
			if at < l.count-2048 {
				delete(l.served, c)
			}
		}
	}
}

func clientOf(job *rivertype.JobRow) string {
	var meta struct{ Client string }
	_ = json.Unmarshal(job.Metadata, &meta) // "" where there is none
	return meta.Client
}

// line is the jobs of one client that wait in a lane, the oldest first.
type line struct {
	client  string
	jobs    []int64
	running int
}

// pick returns the n jobs whose turn it is. lines are in the order of their
// oldest jobs. Pure.
func pick(lines []line, served map[string]int64, n int) []int64 {
	last := map[string]int64{}
	for _, l := range lines {
		last[l.client] = served[l.client]
	}
	var ids []int64
	for turn := int64(0); len(ids) < n; turn++ {
		var best *line
		for i := range lines {
			l := &lines[i]
			switch {
			case len(l.jobs) == 0:
			case best == nil, l.running < best.running, l.running == best.running && last[l.client] < last[best.client]:
				best = l
			}
		}
		if best == nil {
			return ids
		}
		ids = append(ids, best.jobs[0])
		best.jobs = best.jobs[1:]
		best.running++
		last[best.client] = 1<<62 + turn
	}
	return ids
}

// choose marks the waiting jobs whose turn it is, as many as there is room for.
// It returns how many wait.
func (q *Queue) choose(ctx context.Context, t *laneTurns, p *riverdriver.JobGetAvailableParams) (waiting int, err error) {
	lines, marked, waiting, err := q.lines(ctx, p)
	if err != nil || len(lines) < 2 {
		return waiting, err // one client alone has no one to wait for
	}
	chosen := map[int64]bool{}
	for _, id := range pick(lines, t.served, p.MaxToLock) {
		chosen[id] = true
	}
	var up, down []any
	for id := range chosen {
		if !marked[id] {
			up = append(up, id)
		}
	}
	for id := range marked {
		if !chosen[id] {
			down = append(down, id)
		}
	}
	if len(up)+len(down) == 0 {
		return waiting, nil
	}
	return waiting, q.o.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := setPriority(ctx, tx, itsTurn, up); err != nil {
			return err
		}
		return setPriority(ctx, tx, inLine, down)
	})
}

// lines reads who waits in the lane, and which jobs are marked already. It
// returns nothing where all that wait have room.
func (q *Queue) lines(ctx context.Context, p *riverdriver.JobGetAvailableParams) (lines []line, marked map[int64]bool, waiting int, err error) {
	now := `now()`
	if q.o.DB.Dialect() == db.SQLite {
		now = `datetime('now', 'subsec')`
	}
	rows, err := q.o.DB.QueryContext(ctx, `SELECT id, kind, coalesce(metadata ->> 'client', ''), priority FROM river_job
		WHERE state = 'available' AND queue = $1 AND scheduled_at <= `+now+` ORDER BY scheduled_at, id`, p.Queue)
	if err != nil {
		return nil, nil, 0, err
	}
	defer rows.Close()
	at := map[string]int{}
	marked = map[int64]bool{}
	for rows.Next() {
		var id int64
		var kind, client string
		var priority int
		if err := rows.Scan(&id, &kind, &client, &priority); err != nil {
			return nil, nil, 0, err
		}
		if p.Kind != nil && !slices.Contains(p.Kind, kind) {
			continue // waits for a node that knows it
		}
		waiting++
		if priority <= itsTurn {
			marked[id] = true
		}
		i, ok := at[client]
		if !ok {
			i = len(lines)
			at[client] = i
			lines = append(lines, line{client: client})
		}
		if l := &lines[i]; len(l.jobs) < p.MaxToLock {
			l.jobs = append(l.jobs, id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, 0, err
	}
	if waiting <= p.MaxToLock || len(lines) < 2 {
		return nil, nil, waiting, nil
	}
	return lines, marked, waiting, q.countRunning(ctx, p.Queue, lines, at)
}

func (q *Queue) countRunning(ctx context.Context, lane string, lines []line, at map[string]int) error {
	rows, err := q.o.DB.QueryContext(ctx, `SELECT coalesce(metadata ->> 'client', ''), count(*) FROM river_job
		WHERE state = 'running' AND queue = $1 GROUP BY 1`, lane)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var client string
		var n int
		if err := rows.Scan(&client, &n); err != nil {
			return err
		}
		if i, ok := at[client]; ok {
			lines[i].running = n
		}
	}
	return rows.Err()
}

// setPriority changes jobs that still wait.
func setPriority(ctx context.Context, tx *db.Tx, priority int, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	marks := make([]string, len(ids))
	for i := range ids {
		marks[i] = fmt.Sprintf("$%d", i+2)
	}
	_, err := tx.ExecContext(ctx, `UPDATE river_job SET priority = $1 WHERE state = 'available' AND id IN (`+strings.Join(marks, ", ")+`)`,
		append([]any{priority}, ids...)...)
	return err
}

// metadata is what a job carries beside its arguments; nil where that is
// nothing.
func (i *insert) metadata() ([]byte, error) {
	meta := struct {
		Coalesce bool   `json:"coalesce,omitempty"`
		Client   string `json:"client,omitempty"`
	}{i.coalesce, i.client}
	if !meta.Coalesce && meta.Client == "" {
		return nil, nil
	}
	return json.Marshal(meta)
}
