package web

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// Lists are read with queries of their own: they join what a page shows in one
// go, and leave the long columns where they are. IDs are version 7 UUIDs, so
// their order is that of time, and the primary key's index serves it.

// rows reads every row of a query.
func rows[T any](ctx context.Context, q db.Querier, scan func(func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rs, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	all := []T{}
	for rs.Next() {
		one, err := scan(rs.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rs.Err()
}

func parse(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// listed is a change with what a list shows beside it.
type listed struct {
	run.Change
	client string // slug
	repo   clients.Repo
	pull   run.Pull
}

// listChanges returns the newest changes that are older than before (a change
// ID; "" for the newest of all), of one client or of all.
func listChanges(ctx context.Context, q db.Querier, client, before string, limit int) ([]listed, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (listed, error) {
		var (
			l                listed
			created, updated int64
			merged, draft    int64
			state            string
		)
		err := scan(&l.ID, &l.client, &l.Repo, &l.Pull, &l.HeadSHA, &l.BaseSHA, &l.Status, &created, &updated, &l.repo.Owner, &l.repo.Name,
			&l.repo.CloneURL, &l.pull.Title, &l.pull.Author, &l.pull.HeadRef, &l.pull.BaseRef, &l.pull.HeadRepo, &state, &merged, &draft, &l.GroupRef)
		l.repo.ID, l.pull.Repo, l.pull.Number = l.Repo, l.Repo, l.Pull
		l.pull.Open, l.pull.Merged, l.pull.Draft = state == "open", merged != 0, draft != 0
		l.Created, l.Updated = db.FromMillis(created), db.FromMillis(updated)
		return l, err
	}, `SELECT c.id, k.slug, c.repo_id, c.pull, c.head_sha, c.base_sha, c.status, c.created_ms, c.updated_ms, r.owner, r.name, r.clone_url,
			coalesce(p.title, ''), coalesce(p.author, ''), coalesce(p.head_ref, ''), coalesce(p.base_ref, ''), coalesce(p.head_repo_id, c.repo_id),
			coalesce(p.state, ''), coalesce(p.merged, 0), coalesce(p.draft, 0), c.group_ref
		FROM changes c JOIN clients k ON k.id = c.client_id JOIN repos r ON r.id = c.repo_id
			LEFT JOIN pulls p ON p.repo_id = c.repo_id AND p.number = c.pull
		WHERE ($1 = '' OR c.client_id = $1) AND ($2 = '' OR c.id < $2) AND c.branch = '' ORDER BY c.id DESC LIMIT $3`, client, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	return all, nil
}

// pairsBetween returns the pairs of every change from first to last, by ID,
// with as much as a phase and a summary need.
func (s *site) pairsBetween(ctx context.Context, q db.Querier, first, last, client string) (map[string][]run.Pair, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (run.Run, error) {
		var (
			r               run.Run
			created         int64
			summary, report string
		)
		err := scan(&r.ID, &r.Client, &r.Change, &r.Repo, &r.Pull, &r.Kind, &r.Project.Dir, &r.Project.Workspace, &r.Status, &r.PlanRun, &r.PlanDigest, &summary, &report, &created)
		if err != nil {
			return r, err
		}
		r.Created = db.FromMillis(created)
		var verdict struct {
			Verdict policy.Verdict `json:"verdict"`
		}
		if err := parse(report, &verdict); err != nil {
			return r, fmt.Errorf("report of run %s: %w", r.ID, err)
		}
		switch verdict.Verdict {
		case "":
		case policy.Fail: // who accepted what it found decides whether it forbids the plan
			if err := parse(report, &r.Report); err != nil {
				return r, fmt.Errorf("report of run %s: %w", r.ID, err)
			}
		default:
			r.Report = &policy.Report{Verdict: verdict.Verdict}
		}
		return r, parse(summary, &r.Summary)
	}, `SELECT id, client_id, change_id, repo_id, pull, kind, dir, workspace, status, plan_run_id, plan_digest, summary, report, created_ms
		FROM runs WHERE change_id >= $1 AND change_id <= $2 AND ($3 = '' OR client_id = $3) ORDER BY ord, created_ms, id`, first, last, client)
	if err != nil {
		return nil, fmt.Errorf("read runs of changes: %w", err)
	}
	judged := make([]*run.Run, len(all))
	for i := range all {
		judged[i] = &all[i]
	}
	if err := s.Runs.AddWaivers(ctx, q, judged); err != nil {
		return nil, err
	}
	of := map[string][]run.Run{}
	for _, r := range all {
		of[r.Change] = append(of[r.Change], r)
	}
	pairs := make(map[string][]run.Pair, len(of))
	for id, runs := range of {
		pairs[id] = run.Pairs(runs)
	}
	return pairs, nil
}

// siblings returns every change of a pull, the newest first.
func siblings(ctx context.Context, q db.Querier, repo int64, pull int) ([]run.Change, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (run.Change, error) {
		var (
			c       run.Change
			created int64
		)
		err := scan(&c.ID, &c.HeadSHA, &c.Status, &c.GroupRef, &created)
		c.Created = db.FromMillis(created)
		return c, err
	}, `SELECT id, head_sha, status, group_ref, created_ms FROM changes WHERE repo_id = $1 AND pull = $2 ORDER BY id DESC LIMIT 100`, repo, pull)
	if err != nil {
		return nil, fmt.Errorf("list changes of a pull: %w", err)
	}
	return all, nil
}

// listedRun is a run with what a list shows beside it.
type listedRun struct {
	run.Run
	client string
	repo   clients.Repo
}

// listRuns returns the newest runs that are older than before, without what is
// long.
func listRuns(ctx context.Context, q db.Querier, client, before string, limit int) ([]listedRun, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (listedRun, error) {
		var (
			r                          listedRun
			actor, summary             string
			options, operation, stop   string
			now                        string
			retry                      int64
			created, started, finished int64
		)
		err := scan(&r.ID, &r.client, &r.Change, &r.Repo, &r.repo.Owner, &r.repo.Name, &r.repo.CloneURL, &r.Pull, &r.Kind, &r.Project.Name, &r.Project.Dir,
			&r.Project.Workspace, &r.Status, &actor, &r.Node, &r.PlanRun, &r.PlanDigest, &summary, &r.Error, &r.Done, &r.Total,
			&r.LogBlob, &r.PlanJSONBlob, &created, &started, &finished,
			&options, &operation, &stop, &retry, &r.Layer, &r.Batch, &now, &r.PeakMemory)
		if err != nil {
			return r, err
		}
		r.repo.ID, r.Retry = r.Repo, retry != 0
		r.Created = db.FromMillis(created)
		if started != 0 {
			r.Started = db.FromMillis(started)
		}
		if finished != 0 {
			r.Finished = db.FromMillis(finished)
		}
		for _, part := range []struct {
			text string
			into any
		}{{actor, &r.Actor}, {summary, &r.Summary}, {options, &r.Options}, {operation, &r.Operation}, {stop, &r.StopActor}, {now, &r.Now}} {
			if err := parse(part.text, part.into); err != nil {
				return r, fmt.Errorf("run %s: %w", r.ID, err)
			}
		}
		return r, nil
	}, `SELECT u.id, k.slug, u.change_id, u.repo_id, r.owner, r.name, r.clone_url, u.pull, u.kind, u.project, u.dir, u.workspace, u.status,
			u.actor, u.node_id, u.plan_run_id, u.plan_digest, u.summary, u.error, u.progress_done, u.progress_total,
			u.log_blob, u.plan_json_blob, u.created_ms, u.started_ms, u.finished_ms,
			u.options, u.operation, u.stop_actor, u.retry, u.layer, u.batch, u.progress, u.peak_memory
		FROM runs u JOIN clients k ON k.id = u.client_id JOIN repos r ON r.id = u.repo_id
		WHERE ($1 = '' OR u.client_id = $1) AND ($2 = '' OR u.id < $2) ORDER BY u.id DESC LIMIT $3`, client, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return all, nil
}

// listedLock is a lock with what a list shows beside it.
type listedLock struct {
	run.Lock
	client string
	repo   clients.Repo
	kind   run.Kind // of the run that uses it; "" where none does
}

// listLocks returns the locks by repository and directory.
func listLocks(ctx context.Context, q db.Querier, client string) ([]listedLock, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (listedLock, error) {
		var (
			l     listedLock
			taken int64
		)
		err := scan(&l.client, &l.Repo, &l.repo.Owner, &l.repo.Name, &l.repo.CloneURL, &l.Dir, &l.Workspace, &l.Pull, &l.Change, &l.Run, &l.Holder, &l.Fence, &taken, &l.kind)
		l.repo.ID, l.Taken = l.Repo, db.FromMillis(taken)
		return l, err
	}, `SELECT k.slug, l.repo_id, r.owner, r.name, r.clone_url, l.dir, l.workspace, l.pull, l.change_id, l.run_id, l.holder, l.fence, l.taken_ms, coalesce(u.kind, '')
		FROM locks l JOIN clients k ON k.id = l.client_id JOIN repos r ON r.id = l.repo_id LEFT JOIN runs u ON u.id = l.run_id
		WHERE ($1 = '' OR l.client_id = $1) ORDER BY r.owner, r.name, l.dir, l.workspace LIMIT 5000`, client)
	if err != nil {
		return nil, fmt.Errorf("list locks: %w", err)
	}
	return all, nil
}

// deliveryView is a webhook that was set aside.
type deliveryView struct {
	GUID     string `json:"guid"`
	Event    string `json:"event"`
	Action   string `json:"action,omitempty"`
	Repo     string `json:"repo,omitempty"` // owner/name, where it is known
	Error    string `json:"error"`
	Received moment `json:"received_at"`
}

func (s *site) failedDeliveries(ctx context.Context, q db.Querier, limit int) ([]deliveryView, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (deliveryView, error) {
		var (
			d           deliveryView
			owner, name string
			received    int64
		)
		err := scan(&d.GUID, &d.Event, &d.Action, &owner, &name, &d.Error, &received)
		if owner != "" {
			d.Repo = owner + "/" + name
		}
		d.Error, d.Received = plain(d.Error), s.at(db.FromMillis(received))
		return d, err
	}, `SELECT d.guid, d.event, d.action, coalesce(r.owner, ''), coalesce(r.name, ''), d.error, d.received_ms
		FROM deliveries d LEFT JOIN repos r ON r.id = d.repo_id
		WHERE d.status = 'failed' ORDER BY d.received_ms DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list deliveries that were set aside: %w", err)
	}
	return all, nil
}

// nodeView is a server process on this database.
type nodeView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Started moment `json:"started_at"`
	Beat    moment `json:"beat_at"` // when it last said that it lives
}

func (s *site) nodes(ctx context.Context, q db.Querier) ([]nodeView, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (nodeView, error) {
		var (
			n             nodeView
			started, beat int64
		)
		err := scan(&n.ID, &n.Name, &started, &beat)
		n.Started, n.Beat = s.at(db.FromMillis(started)), s.at(db.FromMillis(beat))
		return n, err
	}, `SELECT id, name, started_ms, beat_ms FROM nodes ORDER BY beat_ms DESC LIMIT 50`)
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return all, nil
}

// eventView is a line of the audit trail.
type eventView struct {
	Seq     int64           `json:"seq"`
	ID      string          `json:"id"`
	Client  string          `json:"client,omitempty"` // slug
	At      moment          `json:"at"`
	Actor   access.Actor    `json:"actor"`
	Action  string          `json:"action"`
	Subject string          `json:"subject"`
	Detail  json.RawMessage `json:"detail,omitempty"`
	Hash    string          `json:"hash"`
}
