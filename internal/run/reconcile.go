package run

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// After a restore a project is let go by itself where what is really there can
// be proven to be what the database knows. That is so of one whose state is
// kept elsewhere, and was not touched by the loss: a plan reads its lineage and
// serial there, and where these are what a plan or an apply recorded last before
// the backup was made, nothing was applied since. A state that is kept here came back with
// the database, and nothing here can tell what was written after: a person
// says so, by its thaw.

// Serial is a state's place in its history.
type Serial struct {
	Lineage string `json:"lineage"` // "" while there is no state, and where OpenTofu encrypts the plan
	Serial  int64  `json:"serial"`  // -1 where nobody knows
}

func (s Serial) String() string {
	switch {
	case s.Serial < 0:
		return "an unknown serial"
	case s == Serial{}:
		return "no state, or one that is encrypted"
	}
	return fmt.Sprintf("serial %d of lineage %s", s.Serial, s.Lineage)
}

// The findings about a project after a restore.
const (
	Equal    = "equal"    // a plan found what the database knows
	Differs  = "differs"  // a plan found something else
	Released = "released" // a person let it go
)

// Reconciled is what is known of a project since a restore.
type Reconciled struct {
	Client  string
	Repo    int64
	Project string // planner.Project's Key
	Status  string
	Known   Serial // recorded last before the backup was made
	Found   Serial // by the plan
	Run     string // the plan; "" for none
	Reason  string
}

const reconciledColumns = `client_id, repo_id, project, status, known_serial, known_lineage, found_serial, found_lineage, run_id, reason`

func scanReconciled(row scanner) (r Reconciled, err error) {
	err = row.Scan(&r.Client, &r.Repo, &r.Project, &r.Status, &r.Known.Serial, &r.Known.Lineage, &r.Found.Serial, &r.Found.Lineage, &r.Run, &r.Reason)
	return r, err
}

// Reconciled returns what is known of projects since the database came back.
func (s *Store) Reconciled(ctx context.Context, q db.Querier, rec Recovery) ([]Reconciled, error) {
	all, err := collect(ctx, q, scanReconciled, `SELECT `+reconciledColumns+` FROM recovery_projects WHERE recovery_id = $1 ORDER BY client_id, repo_id, project`, rec.ID)
	if err != nil {
		return nil, fmt.Errorf("read what was reconciled: %w", err)
	}
	return all, nil
}

func (s *Store) reconciled(ctx context.Context, q db.Querier, rec Recovery, repo int64, project string) (*Reconciled, error) {
	r, err := scanReconciled(q.QueryRowContext(ctx, `SELECT `+reconciledColumns+` FROM recovery_projects WHERE recovery_id = $1 AND repo_id = $2 AND project = $3`, rec.ID, repo, project))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was reconciled: %w", err)
	}
	return &r, nil
}

// HeldBack returns a sentence that says why the run's project is not applied
// since a restore, "" where it is.
func (s *Store) HeldBack(ctx context.Context, q db.Querier, r Run) (string, error) {
	rec, err := s.OpenRecovery(ctx, q)
	if err != nil || rec == nil {
		return "", err
	}
	known, err := s.reconciled(ctx, q, *rec, r.Repo, r.Project.Key())
	if err != nil {
		return "", err
	}
	switch {
	case known != nil && known.Status != Differs:
		return "", nil
	case known != nil:
		return known.Reason + " " + rec.Why(), nil
	}
	here, thawed, err := s.keptHere(ctx, q, r)
	switch {
	case err != nil || thawed:
		return "", err
	case here:
		return rec.Why(), nil
	}
	return rec.Why() + " Where a `plan` finds the state as it was recorded last before, this project is let go at once.", nil
}

// keptHere reports whether the run's project has its state here, as one has
// whose code declares no backend, or one that names this server, and whether a
// person has thawed that. One that was never written here, and one that was
// moved away, is kept elsewhere if the code says so.
func (s *Store) keptHere(ctx context.Context, q db.Querier, r Run) (here, thawed bool, err error) {
	var frozen string
	err = q.QueryRowContext(ctx, `SELECT s.frozen FROM state_projects p JOIN states s ON s.client_id = p.client_id AND s.name = p.name
		WHERE p.client_id = $1 AND p.repo_id = $2 AND p.project = $3 AND s.version_id <> ''`, r.Client, r.Repo, r.Project.Key()).Scan(&frozen)
	if errors.Is(err, sql.ErrNoRows) {
		return r.Project.Backend == "", false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("look for the state of %s: %w", r.Project.Name, err)
	}
	return true, frozen == "", nil
}

// LetGo lets a project be applied again after a restore, because a person
// knows that all is right.
func (s *Store) LetGo(ctx context.Context, tx *db.Tx, client string, repo int64, project string, actor access.Actor, reason string) error {
	rec, err := s.OpenRecovery(ctx, tx)
	if err != nil {
		return err
	}
	if rec == nil {
		return errs.New(errs.NotFound, "There is no restore that is to be ended.")
	}
	r := Reconciled{Client: client, Repo: repo, Project: project, Status: Released, Reason: reason, Known: Serial{Serial: -1}, Found: Serial{Serial: -1}}
	known, err := s.reconciled(ctx, tx, *rec, repo, project)
	if err != nil {
		return err
	}
	if known != nil {
		r.Known, r.Found, r.Run = known.Known, known.Found, known.Run
	} else {
		var runs int
		at := strings.LastIndexByte(project, ':')
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM runs WHERE repo_id = $1 AND dir = $2 AND workspace = $3`, repo, project[:max(0, at)], project[at+1:]).Scan(&runs); err != nil {
			return fmt.Errorf("look for runs of %s: %w", project, err)
		}
		if runs == 0 { // a name that was mistyped would let nothing go, and look as if it had
			return errs.New(errs.NotFound, "No run of the project %s is known in that repository. Nothing was let go.", project)
		}
	}
	return s.noteReconciled(ctx, tx, *rec, r, actor)
}

// reconcile compares what a plan that ended has read with what the database
// recorded last before it was lost.
func (s *Store) reconcile(ctx context.Context, tx *db.Tx, r Run, final Status) error {
	if final != Planned || r.Kind != Plan && r.Kind != Drift {
		return nil
	}
	rec, err := s.OpenRecovery(ctx, tx)
	if err != nil || rec == nil {
		return err
	}
	if here, _, err := s.keptHere(ctx, tx, r); err != nil || here {
		return err
	}
	known, err := s.reconciled(ctx, tx, *rec, r.Repo, r.Project.Key())
	if err != nil || known != nil && known.Status != Differs {
		return err
	}
	// One that was under way before may have read the state before it was lost.
	var created int64
	if err := tx.QueryRowContext(ctx, `SELECT created_ms FROM runs WHERE id = $1`, r.ID).Scan(&created); err != nil {
		return fmt.Errorf("read when run %s was made: %w", r.ID, err)
	}
	if created < db.Millis(rec.Came) {
		return nil
	}
	last, by, err := s.lastKnown(ctx, tx, r.Key(), *rec)
	if err != nil {
		return err
	}
	// A plan that OpenTofu encrypted tells as little as one of no state: two of
	// them prove nothing.
	if (Serial{r.StateLineage, r.StateSerial}) == (Serial{}) && last == (Serial{}) {
		return nil
	}
	n := Reconciled{Client: r.Client, Repo: r.Repo, Project: r.Project.Key(), Status: Equal, Known: last, Found: Serial{r.StateLineage, r.StateSerial}, Run: r.ID}
	switch {
	case n.Found == n.Known:
		n.Reason = fmt.Sprintf("A plan found the state as it was recorded last: %s.", n.Found)
	case by == "":
		n.Status, n.Reason = Differs, fmt.Sprintf("The plan found %s, and the database that came back knows nothing of the project.", n.Found)
	case last.Serial < 0:
		n.Status, n.Reason = Differs, fmt.Sprintf("The plan found %s, and what the database that came back recorded last is the apply %s, after which nobody noted the serial.", n.Found, by)
	default:
		n.Status, n.Reason = Differs, fmt.Sprintf("The plan found %s, and the database that came back recorded %s last.", n.Found, n.Known)
	}
	if known != nil && known.Found == n.Found {
		return nil // told already
	}
	return s.noteReconciled(ctx, tx, *rec, n, access.Actor{Kind: access.Bot})
}

// lastKnown returns what was recorded last of the project before the database
// was lost, and by which run; "" where nothing was. What was under way then and
// ended after the restore has read what is there now: it proves nothing.
func (s *Store) lastKnown(ctx context.Context, q db.Querier, k Key, rec Recovery) (last Serial, by string, err error) {
	var kind Kind
	err = q.QueryRowContext(ctx, `SELECT id, kind, state_lineage, state_serial FROM runs WHERE repo_id = $1 AND dir = $2 AND workspace = $3 AND finished_ms > 0 AND finished_ms < $4
		AND (kind IN ($5, $6) AND status = $7 OR kind IN ($8, $9) AND status IN ($10, $11, $12, $13)) ORDER BY finished_ms DESC, id DESC LIMIT 1`,
		k.Repo, k.Dir, k.Workspace, db.Millis(rec.Came), Plan, Drift, Planned, Apply, StateChange, Applied, Failed, Interrupted, Canceled).Scan(&by, &kind, &last.Lineage, &last.Serial)
	if errors.Is(err, sql.ErrNoRows) {
		return Serial{}, "", nil
	}
	if err != nil {
		return last, "", fmt.Errorf("look for what is known of %s: %w", k.Dir, err)
	}
	if (kind == Apply || kind == StateChange) && last.Serial == 0 { // it could not tell
		last = Serial{Serial: -1}
	}
	return last, by, nil
}

func (s *Store) noteReconciled(ctx context.Context, tx *db.Tx, rec Recovery, r Reconciled, actor access.Actor) error {
	text, err := toJSON(actor)
	if err != nil {
		return err
	}
	if _, err := exec(ctx, tx, `INSERT INTO recovery_projects (recovery_id, client_id, repo_id, project, status, known_serial, known_lineage, found_serial, found_lineage, run_id, actor, reason, at_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (recovery_id, repo_id, project) DO UPDATE SET status = $5, known_serial = $6, known_lineage = $7, found_serial = $8, found_lineage = $9, run_id = $10, actor = $11, reason = $12, at_ms = $13`,
		rec.ID, r.Client, r.Repo, r.Project, r.Status, r.Known.Serial, r.Known.Lineage, r.Found.Serial, r.Found.Lineage, r.Run, text, r.Reason, db.Millis(s.now())); err != nil {
		return fmt.Errorf("note what was reconciled of %s: %w", r.Project, err)
	}
	return s.audit(ctx, tx, r.Client, "restore."+r.Status, fmt.Sprintf("project %d %s", r.Repo, r.Project), actor,
		map[string]any{"recovery": rec.ID, "known": r.Known, "found": r.Found, "run": r.Run, "reason": r.Reason})
}
