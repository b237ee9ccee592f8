package state

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/keyring"
)

// KeyUse is a key that wraps data keys of versions.
type KeyUse struct {
	ID       string
	Versions int // whose data key it wraps
	Current  int // of those, versions that count
	Active   bool
	There    bool // among the keys of this server
}

// KeysInUse returns the keys that are there, and those that versions need.
func (s *Store) KeysInUse(ctx context.Context) ([]KeyUse, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT v.key_id, count(*), count(s.id) FROM state_versions v LEFT JOIN states s ON s.version_id = v.id GROUP BY v.key_id ORDER BY v.key_id`)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer rows.Close()
	used := map[string]KeyUse{}
	var order []string
	for rows.Next() {
		var u KeyUse
		if err := rows.Scan(&u.ID, &u.Versions, &u.Current); err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		used[u.ID] = u
		order = append(order, u.ID)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var all []KeyUse
	for _, id := range s.Keys.IDs() {
		u := used[id]
		u.ID, u.There, u.Active = id, true, id == s.Keys.Active()
		all = append(all, u)
	}
	for _, id := range order {
		if !s.Keys.Has(id) {
			all = append(all, used[id])
		}
	}
	return all, nil
}

// CheckKeys names a key that versions need and that is not there: as an error
// where one of them counts, else in the log.
func (s *Store) CheckKeys(ctx context.Context) error {
	all, err := s.KeysInUse(ctx)
	if err != nil {
		return err
	}
	for _, u := range all {
		switch {
		case u.There:
		case u.Current > 0:
			return fmt.Errorf("%d states can't be read: %w", u.Current, s.Keys.Lost(u.ID))
		default:
			s.Log.Warn("a key is lost, and versions of states that do not count any more can't be read", "key", u.ID, "versions", u.Versions)
		}
	}
	return nil
}

// rotateBatch is how many data keys are wrapped anew in one transaction.
const rotateBatch = 100

// Rotate wraps every data key with the active key, in its newest version where
// it has such, that is not wrapped so. The contents stay as they are. progress is
// told how many are done; what a lost key wraps is left and counted. It may be
// stopped, and begun again.
func (s *Store) Rotate(ctx context.Context, who Who, progress func(done int)) (done, lost int, err error) {
	stale, has, err := s.Keys.Stale(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("rotate keys: %w", err)
	}
	after := ""
	for {
		versions, names, err := s.toRotate(ctx, after, has)
		if err != nil || len(versions) == 0 {
			if err == nil && done > 0 {
				err = s.DB.Tx(ctx, func(tx *db.Tx) error {
					return s.record(ctx, tx, State{Name: "*"}, who, "state.keys_rotated", map[string]any{"key": s.Keys.Active(), "versions": done, "lost": lost})
				})
			}
			return done, lost, err
		}
		after = versions[len(versions)-1].ID
		// Keys may be in Vault: nothing holds the database while they are asked.
		fresh := make([]keyring.Wrapped, len(versions))
		for i, v := range versions {
			old := keyring.Wrapped{Key: v.Key, Data: v.wrapped}
			if !stale(old) {
				continue
			}
			if !s.Keys.Has(v.Key) {
				lost++
				continue
			}
			w, err := s.Keys.Rewrap(ctx, old, bound(v.Client, names[i], v.ID))
			if err != nil {
				return done, lost, fmt.Errorf("rotate the key of version %d of state %s: %w", v.Seq, names[i], err)
			}
			fresh[i] = w
		}
		n := 0
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			n = 0
			for i, v := range versions {
				if fresh[i].Data == nil {
					continue
				}
				if _, err := tx.ExecContext(ctx, `UPDATE state_versions SET key_id = $1, wrapped = $2 WHERE id = $3 AND key_id = $4`, fresh[i].Key, fresh[i].Data, v.ID, v.Key); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return done, lost, fmt.Errorf("rotate keys: %w", err)
		}
		if done += n; progress != nil {
			progress(done)
		}
	}
}

// toRotate returns versions behind after that another key than the active one
// wraps, or any where that has versions of its own.
func (s *Store) toRotate(ctx context.Context, after string, any bool) (all []Version, names []string, err error) {
	but := s.Keys.Active()
	if any {
		but = ""
	}
	rows, err := s.DB.QueryContext(ctx, `SELECT `+versionFields+`, s.name FROM state_versions v JOIN states s ON s.id = v.state_id WHERE v.key_id <> $1 AND v.id > $2 ORDER BY v.id LIMIT $3`,
		but, after, rotateBatch)
	if err != nil {
		return nil, nil, fmt.Errorf("rotate keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		v, err := scanVersion(rows, &name)
		if err != nil {
			return nil, nil, fmt.Errorf("rotate keys: %w", err)
		}
		all, names = append(all, v), append(names, name)
	}
	return all, names, rows.Err()
}
