package run

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Now is what a run that is under way does. It is out of date once the run has
// ended.
type Now struct {
	Text  string        `json:"text,omitempty"`     // "reading data.aws_ami.a, for 40s"
	Guess bool          `json:"guess,omitempty"`    // the total is what an earlier run took
	Quiet time.Duration `json:"quiet_ns,omitempty"` // nothing was heard of Terraform for so long; 0 while it speaks
	Waits string        `json:"waits,omitempty"`    // what it waits for before Terraform is started, a noun: "memory"
}

// Counts is how far a run is, for people: "12/40", "12 of about 40"; "" where
// that is not known.
func (r Run) Counts() string {
	switch {
	case r.Total == 0 && r.Done == 0:
		return ""
	case r.Total == 0:
		return fmt.Sprintf("%d done", r.Done)
	case r.Now.Guess:
		return fmt.Sprintf("%d of about %d", r.Done, r.Total)
	}
	return fmt.Sprintf("%d/%d", r.Done, r.Total)
}

// Progress records how far a run is that is under way, and what it does. It
// changes nothing else, so it needs no transaction of the caller's.
func (s *Store) Progress(ctx context.Context, id string, done, total int, now Now) error {
	text, err := toJSON(now)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `UPDATE runs SET progress_done=$2, progress_total=$3, progress=$4 WHERE id=$1 AND status IN ($5,$6)`,
			id, done, total, text, Running, Checking)
		return err
	})
}

// OfNode returns the runs that are under way on a node.
func (s *Store) OfNode(ctx context.Context, q db.Querier, node string) ([]Run, error) {
	return collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE status IN ($1,$2) AND node_id=$3 ORDER BY id`, Running, Checking, node)
}

// Took is what earlier runs of a project took.
type Took struct {
	Steps  int   // of the newest plan; 0 for none
	Memory int64 // the most of the newest few, in bytes; 0 for none
}

// tookOf is how many of a project's newest runs count.
const tookOf = 5

// Took returns what earlier runs of the project took.
func (s *Store) Took(ctx context.Context, q db.Querier, k Key) (t Took, err error) {
	runs, err := collect(ctx, q, func(row scanner) (r Run, err error) {
		err = row.Scan(&r.Kind, &r.Steps, &r.PeakMemory)
		return r, err
	}, `SELECT kind, steps, peak_memory FROM runs WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND peak_memory > 0
		ORDER BY created_ms DESC LIMIT $4`, k.Repo, k.Dir, k.Workspace, tookOf)
	for _, r := range runs {
		if t.Steps == 0 && r.Kind == Plan { // a comparison goes through others
			t.Steps = r.Steps
		}
		t.Memory = max(t.Memory, r.PeakMemory)
	}
	return t, err
}
