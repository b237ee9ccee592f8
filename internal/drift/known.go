package drift

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
)

const projectColumns = `repo_id, client_id, dir, workspace, project, status, since_ms, checked_ms, check_id, run_id, digest, pull, remedy, remedy_digest`

func scanProject(scan func(...any) error) (Project, error) {
	var p Project
	var since, checked int64
	err := scan(&p.Repo, &p.Client, &p.Dir, &p.Workspace, &p.Name, &p.Status, &since, &checked, &p.Check, &p.Run, &p.Digest, &p.Pull, &p.Remedy, &p.RemedyDigest)
	p.Since, p.Checked = moment(since), moment(checked)
	return p, err
}

// Projects returns what is known of the projects of a repository, or (0) of
// all, of one client or ("") of all, by repository and name.
func (s *Store) Projects(ctx context.Context, q db.Querier, client string, repo int64) ([]Project, error) {
	all, err := rows(ctx, q, scanProject, `SELECT `+projectColumns+` FROM drift_projects
		WHERE ($1 = '' OR client_id = $1) AND (CAST($2 AS BIGINT) = 0 OR repo_id = $2) ORDER BY repo_id, project, dir, workspace LIMIT 20000`, client, repo)
	if err != nil {
		return nil, fmt.Errorf("drift of projects: %w", err)
	}
	return all, nil
}

// Note stores what a check found of a project.
func (s *Store) Note(ctx context.Context, tx *db.Tx, client string, repo int64, f Found) error {
	was, err := scanProject(tx.QueryRowContext(ctx, `SELECT `+projectColumns+` FROM drift_projects WHERE repo_id = $1 AND dir = $2 AND workspace = $3`,
		repo, f.Project.Dir, f.Project.Workspace).Scan)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("drift of %s: %w", f.Project.Name, err)
	}
	if was.Checked.After(f.At) {
		return nil // a younger check was faster
	}
	p := After(was, repo, client, f)
	if _, err := tx.ExecContext(ctx, `INSERT INTO drift_projects (`+projectColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)
		ON CONFLICT (repo_id, dir, workspace) DO UPDATE SET project=excluded.project, status=excluded.status, since_ms=excluded.since_ms,
			checked_ms=excluded.checked_ms, check_id=excluded.check_id, run_id=excluded.run_id, digest=excluded.digest, pull=excluded.pull`,
		p.Repo, p.Client, p.Dir, p.Workspace, p.Name, p.Status, millis(p.Since), millis(p.Checked), p.Check, p.Run, p.Digest, p.Pull, p.Remedy, p.RemedyDigest); err != nil {
		return fmt.Errorf("drift of %s: %w", f.Project.Name, err)
	}
	if was.Status == f.Status || was.Status == "" && f.Status == Clean {
		return nil
	}
	return s.trail.Record(ctx, tx, access.Event{Client: client, Action: "drift." + string(f.Status), Subject: f.Run, Actor: BySchedule, At: s.now(),
		Detail: map[string]any{"project": f.Project.Name, "before": was.Status}})
}

// Drop forgets the projects of a repository that there says are gone. One with a
// pull request that would take its drift back has nothing to take back any more,
// and is forgotten once that is closed.
func (s *Store) Drop(ctx context.Context, tx *db.Tx, repo int64, there func(key string) bool) error {
	all, err := s.Projects(ctx, tx, "", repo)
	if err != nil {
		return err
	}
	for _, p := range all {
		if there(p.Key()) {
			continue
		}
		if p.Remedy != 0 {
			if _, err := tx.ExecContext(ctx, `UPDATE drift_projects SET status = $4, digest = '' WHERE repo_id = $1 AND dir = $2 AND workspace = $3`, repo, p.Dir, p.Workspace, Clean); err != nil {
				return fmt.Errorf("drift of %s: %w", p.Name, err)
			}
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM drift_projects WHERE repo_id = $1 AND dir = $2 AND workspace = $3`, repo, p.Dir, p.Workspace); err != nil {
			return fmt.Errorf("drift of %s: %w", p.Name, err)
		}
	}
	return nil
}

// SetRemedy stores which pull request would take a project's drift back; 0 for
// none.
func (s *Store) SetRemedy(ctx context.Context, p Project, pull int, digest string) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE drift_projects SET remedy = $4, remedy_digest = $5 WHERE repo_id = $1 AND dir = $2 AND workspace = $3`,
			p.Repo, p.Dir, p.Workspace, pull, digest); err != nil {
			return fmt.Errorf("drift of %s: %w", p.Name, err)
		}
		if pull == 0 || pull == p.Remedy {
			return nil
		}
		return s.trail.Record(ctx, tx, access.Event{Client: p.Client, Action: "drift.remedy", Subject: p.Run, Actor: BySchedule, At: s.now(),
			Detail: map[string]any{"project": p.Name, "pull": pull}})
	})
}

const repoColumns = `repo_id, client_id, read_ms, problem, trouble, issue, issue_state, issue_shown, issue_dismissed`

func scanRepo(scan func(...any) error) (Repo, error) {
	var r Repo
	var read int64
	err := scan(&r.ID, &r.Client, &read, &r.Problem, &r.Trouble, &r.Issue.Number, &r.Issue.State, &r.Issue.Shown, &r.Issue.Dismissed)
	r.Read = moment(read)
	return r, err
}

// Repo returns what is known of a repository; the zero Repo with its ID where
// nothing is.
func (s *Store) Repo(ctx context.Context, q db.Querier, repo int64) (Repo, error) {
	r, err := scanRepo(q.QueryRowContext(ctx, `SELECT `+repoColumns+` FROM drift_repos WHERE repo_id = $1`, repo).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Repo{ID: repo}, nil
	}
	return r, err
}

// Repos returns what is known of the repositories of one client or ("") of all.
func (s *Store) Repos(ctx context.Context, q db.Querier, client string) ([]Repo, error) {
	return rows(ctx, q, scanRepo, `SELECT `+repoColumns+` FROM drift_repos WHERE ($1 = '' OR client_id = $1) ORDER BY repo_id`, client)
}

// ErrBusy says that another worker tells GitHub of the repository right now.
var ErrBusy = errors.New("another worker tells of this repository's drift")

// BeginTelling claims the right to write of the repository's drift to GitHub
// until the claim ends or EndTelling is called, so that two workers never open
// two issues. ErrBusy while another holds it. A node that was killed gives its
// claims up by DropTelling.
func (s *Store) BeginTelling(ctx context.Context, client string, repo int64, node string, claim time.Duration) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO drift_repos (repo_id, client_id) VALUES ($1,$2) ON CONFLICT (repo_id) DO NOTHING`, repo, client); err != nil {
			return err
		}
		now := s.now()
		res, err := tx.ExecContext(ctx, `UPDATE drift_repos SET telling_until_ms = $2, telling_node = $3 WHERE repo_id = $1 AND telling_until_ms < $4`,
			repo, db.Millis(now.Add(claim)), node, db.Millis(now))
		if err != nil {
			return fmt.Errorf("drift of repository %d: %w", repo, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrBusy)
		}
		return nil
	})
}

// EndTelling gives the claim back and notes why GitHub could not be told, for
// people; "" where it was.
func (s *Store) EndTelling(ctx context.Context, repo int64, trouble string) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE drift_repos SET telling_until_ms = 0, trouble = $2 WHERE repo_id = $1`, repo, trouble)
		return err
	})
}

// DropTelling ends the claims that an earlier process of the node left behind.
func (s *Store) DropTelling(ctx context.Context, tx *db.Tx, node string) error {
	_, err := tx.ExecContext(ctx, `UPDATE drift_repos SET telling_until_ms = 0 WHERE telling_node = $1 AND telling_until_ms <> 0`, node)
	return err
}

// SetIssue stores how the issue stands.
func (s *Store) SetIssue(ctx context.Context, r Repo, i Issue) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE drift_repos SET issue = $2, issue_state = $3, issue_shown = $4, issue_dismissed = $5 WHERE repo_id = $1`,
			r.ID, i.Number, i.State, i.Shown, i.Dismissed); err != nil {
			return fmt.Errorf("drift issue of repository %d: %w", r.ID, err)
		}
		if i.State == r.Issue.State || i.State == IssueIntended {
			return nil
		}
		return s.trail.Record(ctx, tx, access.Event{Client: r.Client, Action: "drift.issue", Subject: fmt.Sprint(r.ID), Actor: BySchedule, At: s.now(),
			Detail: map[string]any{"issue": i.Number, "state": i.State}})
	})
}
