package backup

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// How an attempt ended.
const (
	Done   = "done"
	Failed = "failed"
)

// Attempt is one time that a backup was made, or was to be made.
type Attempt struct {
	ID      string
	Began   time.Time
	Ended   time.Time
	Outcome string // Done or Failed
	Size    int64  // bytes of the file
	Blobs   int64
	Missing int64  // blobs that rows name and that were not there
	Error   string // a sentence; "" for none
	actor   access.Actor
}

// Begin notes that a backup begins. What begins and is killed leaves no trace
// but that.
func Begin(ctx context.Context, d *db.DB, actor access.Actor) (Attempt, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Attempt{}, err
	}
	text, err := json.Marshal(actor)
	if err != nil {
		return Attempt{}, err
	}
	a := Attempt{ID: id.String(), Began: db.FromMillis(db.Millis(time.Now())), actor: actor}
	if _, err := d.ExecContext(ctx, `INSERT INTO backups (id, began_ms, actor) VALUES ($1, $2, $3)`, a.ID, db.Millis(a.Began), string(text)); err != nil {
		return a, fmt.Errorf("note that a backup begins: %w", err)
	}
	return a, nil
}

// End notes how it ended, with its audit event. size is that of the file; cause
// is nil for one that was read back and is whole.
func (a Attempt) End(ctx context.Context, d *db.DB, size int64, m Manifest, cause error) error {
	a.Ended, a.Outcome = time.Now(), Done
	detail := map[string]any{"size": size, "rows": m.Rows(), "blobs": m.Blobs, "missing": len(m.Missing), "events": m.Audit.Seq}
	if cause != nil {
		a.Outcome, a.Error = Failed, errs.Sentence(cause)
		size, m, detail = 0, Manifest{}, map[string]any{"error": a.Error}
	}
	err := d.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE backups SET ended_ms = $1, outcome = $2, size = $3, blobs = $4, missing = $5, error = $6 WHERE id = $7`,
			db.Millis(a.Ended), a.Outcome, size, m.Blobs, len(m.Missing), a.Error, a.ID); err != nil {
			return err
		}
		return access.NewTrail(d).Record(ctx, tx, access.Event{Action: "backup." + a.Outcome, Subject: "backup " + a.ID, Actor: a.actor, Detail: detail, At: a.Ended})
	})
	if err != nil {
		return fmt.Errorf("note how a backup ended: %w", err)
	}
	return nil
}

// LastAttempts returns the attempt that ended last, and the last one that ended
// well; nil where there was none. It is for figures and doctor: cheap, whatever
// is in the database.
func LastAttempts(ctx context.Context, q db.Querier) (last, good *Attempt, err error) {
	failed, err := lastAttempt(ctx, q, Failed)
	if err != nil {
		return nil, nil, err
	}
	if good, err = lastAttempt(ctx, q, Done); err != nil {
		return nil, nil, err
	}
	if last = good; failed != nil && (good == nil || failed.Ended.After(good.Ended)) {
		last = failed
	}
	return last, good, nil
}

func lastAttempt(ctx context.Context, q db.Querier, outcome string) (*Attempt, error) {
	a := Attempt{Outcome: outcome}
	var began, ended int64
	err := q.QueryRowContext(ctx, `SELECT id, began_ms, ended_ms, size, blobs, missing, error FROM backups WHERE outcome = $1 ORDER BY ended_ms DESC LIMIT 1`, outcome).
		Scan(&a.ID, &began, &ended, &a.Size, &a.Blobs, &a.Missing, &a.Error)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last backup: %w", err)
	}
	a.Began, a.Ended = db.FromMillis(began), db.FromMillis(ended)
	return &a, nil
}
