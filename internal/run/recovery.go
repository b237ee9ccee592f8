package run

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Recovery is one time that the database came back from a backup or a replica.
// Until a person ends it nothing is applied: what is due may have been applied
// after the backup was made.
type Recovery struct {
	ID     string    `json:"id"`
	Source string    `json:"source"` // "backup" or "replica"
	Made   time.Time `json:"made"`   // when what came back was written; zero where that is not known
	Came   time.Time `json:"came"`
}

// Why says for people why nothing is applied.
func (r Recovery) Why() string {
	of := ""
	if !r.Made.IsZero() {
		of = " of " + r.Made.UTC().Format("2006-01-02 15:04 MST")
	}
	return fmt.Sprintf("Nothing is applied since the database came back from a %s%s: something may have been applied after that which it does not know. "+
		"When an administrator has compared the states (`tidelock restore status`) and ended this (`tidelock restore finish`), comment `plan`, and then `apply`.", r.Source, of)
}

// BeginRecovery records that the database came back, with its audit event.
func (s *Store) BeginRecovery(ctx context.Context, tx *db.Tx, source string, made time.Time, actor access.Actor) (Recovery, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Recovery{}, err
	}
	r := Recovery{ID: id.String(), Source: source, Made: made, Came: s.now()}
	text, err := toJSON(actor)
	if err != nil {
		return r, err
	}
	if _, err := exec(ctx, tx, `INSERT INTO recoveries (id, source, made_ms, came_ms, actor) VALUES ($1, $2, $3, $4, $5)`, r.ID, source, db.Millis(made), db.Millis(r.Came), text); err != nil {
		return r, fmt.Errorf("record recovery: %w", err)
	}
	return r, s.trail.Record(ctx, tx, access.Event{Action: "database.restored", Subject: "recovery " + r.ID, Actor: actor, Detail: map[string]any{"source": source, "made": made}, At: r.Came})
}

// OpenRecovery returns the recovery that nobody has ended yet, nil for none.
func (s *Store) OpenRecovery(ctx context.Context, q db.Querier) (*Recovery, error) {
	var r Recovery
	var made, came int64
	err := q.QueryRowContext(ctx, `SELECT id, source, made_ms, came_ms FROM recoveries WHERE ended_ms = 0 ORDER BY came_ms DESC LIMIT 1`).Scan(&r.ID, &r.Source, &made, &came)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read recovery: %w", err)
	}
	r.Made, r.Came = db.FromMillis(made), db.FromMillis(came)
	return &r, nil
}

// EndRecovery lets applies begin again. It is refused while states are frozen,
// or projects have another serial than the database knows.
func (s *Store) EndRecovery(ctx context.Context, tx *db.Tx, actor access.Actor, reason string) error {
	r, err := s.OpenRecovery(ctx, tx)
	if err != nil {
		return err
	}
	if r == nil {
		return errs.New(errs.NotFound, "There is no restore that is to be ended.")
	}
	// What was moved away before is frozen for that, and stays so.
	var frozen int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM states WHERE frozen <> '' AND NOT (version_id = '' AND frozen LIKE 'It was moved to %')`).Scan(&frozen); err != nil {
		return err
	}
	if frozen > 0 {
		return errs.New(errs.Conflict, "%d states are frozen still. Compare each with what is really there, and let it be written with `tidelock state thaw`; `tidelock restore status` lists them.", frozen)
	}
	all, err := s.Reconciled(ctx, tx, *r)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Status == Differs {
			return errs.New(errs.Conflict, "The project %s is not as the database knows it. %s Look at it, then let it go with `tidelock restore release`; `tidelock restore status` lists such projects.", one.Project, one.Reason)
		}
	}
	text, err := toJSON(actor)
	if err != nil {
		return err
	}
	now := s.now()
	if _, err := exec(ctx, tx, `UPDATE recoveries SET ended_by = $1, ended_ms = $2, reason = $3 WHERE ended_ms = 0`, text, db.Millis(now), reason); err != nil {
		return err
	}
	return s.trail.Record(ctx, tx, access.Event{Action: "database.restore_finished", Subject: "recovery " + r.ID, Actor: actor, Detail: map[string]any{"reason": reason}, At: now})
}
