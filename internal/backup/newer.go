package backup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
)

// Newer is a trace of something that the database which came back does not
// know: it was made after the backup.
type Newer struct {
	Client string    `json:"client"` // ID; "" where that is not known
	What   string    `json:"what"`   // "state", "plan", "log": of a stored file; "run": a run's folder
	Name   string    `json:"name"`   // reference, or the run's ID
	Made   time.Time `json:"made"`
}

// FindNewer looks for what was made after the time that a database is of, and
// that it does not know: stored files that no row names, and folders of runs.
// What it finds shows that more was done; that it finds nothing proves nothing,
// since a small state lies in the database alone.
func FindNewer(ctx context.Context, d *db.DB, blobs *blob.Store, runs string, since time.Time) ([]Newer, error) {
	h, err := householdOf(ctx, d)
	if err != nil {
		return nil, err
	}
	var all []Newer
	err = blobs.List(ctx, "", func(i blob.Item) error {
		// The reference has the time in it; that of the file is another's where
		// it came back with the backup.
		kind, made := blob.Kind(i.Ref), madeAt(i.Ref)
		if kind != "probe" && made.After(since) && h.orphan(i.Client, i.Ref) {
			all = append(all, Newer{i.Client, kind, i.Ref, made})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(runs)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("look for folders of runs: %w", err)
	}
	for _, e := range entries {
		// Only those that are a run's own: "ID", and not what lies beside it.
		if id, err := uuid.Parse(e.Name()); err != nil || !e.IsDir() || id.Version() != 7 {
			continue
		}
		var known int
		if err := d.QueryRowContext(ctx, `SELECT count(*) FROM runs WHERE id = $1`, e.Name()).Scan(&known); err != nil {
			return nil, fmt.Errorf("look for run %s: %w", e.Name(), err)
		}
		if made := madeAt(e.Name()); known == 0 && made.After(since) {
			all = append(all, Newer{"", "run", filepath.Join(runs, e.Name()), made})
		}
	}
	slices.SortFunc(all, func(a, b Newer) int {
		if c := a.Made.Compare(b.Made); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, nil
}

// madeAt is the time in the ID at the end of a name; zero where there is none.
func madeAt(name string) time.Time {
	const length = len("00000000-0000-0000-0000-000000000000")
	if len(name) < length {
		return time.Time{}
	}
	id, err := uuid.Parse(name[len(name)-length:])
	if err != nil || id.Version() != 7 {
		return time.Time{}
	}
	sec, nsec := id.Time().UnixTime()
	return time.Unix(sec, nsec).UTC()
}
