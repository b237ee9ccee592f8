package state

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Keep says which versions stay: of each state the newest Count, and those
// that are younger than Age. A Count of zero keeps all.
type Keep struct {
	Count int
	Age   time.Duration
}

// pruneBatch is how many versions go in one transaction: others write
// meanwhile.
const pruneBatch = 50

// Prune removes versions that need not stay, and returns how many. Of no state
// does it remove the one that counts, the last one, one that somebody has
// asked to restore, or one that a run could not write and that may be pushed.
func (s *Store) Prune(ctx context.Context) (removed int, err error) {
	if s.Keep.Count <= 0 {
		return 0, nil
	}
	before := db.Millis(s.Now().Add(-s.Keep.Age))
	for {
		n, err := s.pruneSome(ctx, before)
		removed += n
		if err != nil || n < pruneBatch {
			return removed, err
		}
	}
}

func (s *Store) pruneSome(ctx context.Context, before int64) (removed int, err error) {
	var gone []Version
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		gone = gone[:0]
		rows, err := tx.QueryContext(ctx, `SELECT `+versionFields+` FROM state_versions v JOIN states s ON s.id = v.state_id
			WHERE v.seq <= s.seq - $1 AND v.seq < s.seq AND v.created_ms < $2 AND v.id <> s.version_id
			AND NOT EXISTS (SELECT 1 FROM state_restores r WHERE r.state_id = s.id AND r.version_id = v.id AND r.status = 'asked')
			AND NOT EXISTS (SELECT 1 FROM state_errored e WHERE e.version_id = v.id AND v.lineage = s.lineage AND v.serial > s.serial)
			AND (s.version_id <> '' OR v.seq < (SELECT max(w.seq) FROM state_versions w WHERE w.state_id = s.id))
			ORDER BY v.created_ms LIMIT $3`, s.Keep.Count, before, pruneBatch)
		if err != nil {
			return err
		}
		for rows.Next() {
			v, err := scanVersion(rows)
			if err != nil {
				_ = rows.Close()
				return err
			}
			gone = append(gone, v)
		}
		if err := rows.Close(); err != nil {
			return err
		}
		for _, v := range gone {
			if err := s.drop(ctx, tx, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("prune versions: %w", err)
	}
	for _, v := range gone {
		if v.blob != "" {
			// One that stays behind takes room and opens to nobody: its data key
			// is gone with the row.
			if err := s.Blobs.Delete(ctx, v.Client, v.blob); err != nil {
				s.Log.Warn("content of a removed version not deleted", keyClient, v.Client, keyError, err)
			}
		}
	}
	return len(gone), nil
}

func (s *Store) drop(ctx context.Context, tx *db.Tx, v Version) error {
	for _, query := range []string{`DELETE FROM state_errored WHERE version_id = $1`, `DELETE FROM state_contents WHERE version_id = $1`, `DELETE FROM state_versions WHERE id = $1`} {
		if _, err := tx.ExecContext(ctx, query, v.ID); err != nil {
			return err
		}
	}
	return addUsage(ctx, tx, v.Client, 0, -v.Stored)
}

// Watch prunes now and then until ctx ends.
func (s *Store) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		n, err := s.Prune(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.Log.Error("versions of states not pruned", keyError, err)
		case n > 0:
			s.Log.Info("versions of states pruned", "versions", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
