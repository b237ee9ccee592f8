package run

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

const lockColumns = `repo_id, dir, workspace, client_id, change_id, pull, run_id, holder, fence, taken_ms`

func scanLock(row scanner) (Lock, error) {
	var (
		l     Lock
		taken int64
	)
	err := row.Scan(&l.Repo, &l.Dir, &l.Workspace, &l.Client, &l.Change, &l.Pull, &l.Run, &l.Holder, &l.Fence, &taken)
	l.Taken = db.FromMillis(taken)
	return l, err
}

// Lock returns the project's lock; errs.NotFound when it is free.
func (s *Store) Lock(ctx context.Context, q db.Querier, k Key) (Lock, error) {
	return one(ctx, q, scanLock, "That project is not locked.", `SELECT `+lockColumns+` FROM locks WHERE repo_id=$1 AND dir=$2 AND workspace=$3`,
		k.Repo, k.Dir, k.Workspace)
}

// Locks returns the locks of a repository, all pulls', by directory.
func (s *Store) Locks(ctx context.Context, q db.Querier, repo int64) ([]Lock, error) {
	return collect(ctx, q, scanLock, `SELECT `+lockColumns+` FROM locks WHERE repo_id=$1 ORDER BY dir, workspace`, repo)
}

// Acquire takes the project's lock for the run's pull. A pull that already
// holds it keeps it, with the fence it has. held is false when another pull
// holds the lock; the lock returned is then that one's.
func (s *Store) Acquire(ctx context.Context, tx *db.Tx, r Run) (l Lock, held bool, err error) {
	k := r.Key()
	current, err := s.Lock(ctx, tx, k)
	switch {
	case err == nil && current.Pull != r.Pull:
		return current, false, nil
	case err == nil:
		if current.Change != r.Change && current.Run == "" {
			current.Change = r.Change
			_, err = exec(ctx, tx, `UPDATE locks SET change_id=$4 WHERE repo_id=$1 AND dir=$2 AND workspace=$3`, k.Repo, k.Dir, k.Workspace, r.Change)
		}
		return current, true, err
	case !errs.Is(err, errs.NotFound):
		return Lock{}, false, err
	}
	var fence int64
	if err := tx.QueryRowContext(ctx, `INSERT INTO lock_fences (repo_id, dir, workspace, fence) VALUES ($1,$2,$3,1)
		ON CONFLICT (repo_id, dir, workspace) DO UPDATE SET fence=lock_fences.fence+1 RETURNING fence`, k.Repo, k.Dir, k.Workspace).Scan(&fence); err != nil {
		return Lock{}, false, fmt.Errorf("lock %s: %w", r.Project.Name, err)
	}
	l = Lock{Key: k, Client: r.Client, Change: r.Change, Pull: r.Pull, Holder: r.Actor.Name, Fence: fence, Taken: db.FromMillis(db.Millis(s.now()))}
	n, err := exec(ctx, tx, `INSERT INTO locks (`+lockColumns+`) VALUES ($1,$2,$3,$4,$5,$6,'',$7,$8,$9) ON CONFLICT (repo_id, dir, workspace) DO NOTHING`,
		k.Repo, k.Dir, k.Workspace, l.Client, l.Change, l.Pull, l.Holder, l.Fence, db.Millis(l.Taken))
	if err != nil {
		return Lock{}, false, fmt.Errorf("lock %s: %w", r.Project.Name, err)
	}
	if n == 0 { // another transaction took it between the look and the insert
		current, err = s.Lock(ctx, tx, k)
		return current, err == nil && current.Pull == r.Pull, err
	}
	return l, true, s.audit(ctx, tx, r.Client, "lock.take", r.Project.Name, r.Actor, map[string]any{"pull": r.Pull, "dir": k.Dir, "workspace": k.Workspace, "fence": fence})
}

// holdLock marks the lock as used by the apply. It refuses a stale fence.
func (s *Store) holdLock(ctx context.Context, tx *db.Tx, r Run, fence int64) error {
	k := r.Key()
	n, err := exec(ctx, tx, `UPDATE locks SET run_id=$5 WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND fence=$4 AND pull=$6 AND (run_id='' OR run_id=$5)`,
		k.Repo, k.Dir, k.Workspace, fence, r.ID, r.Pull)
	if err != nil {
		return err
	}
	if n == 0 {
		return errs.New(errs.Conflict, "The lock on %s is no longer this pull request's. Nothing was applied.", r.Project.Name)
	}
	return nil
}

// Release frees the lock that the run's pull holds on its project. It reports
// false when there was none.
func (s *Store) Release(ctx context.Context, tx *db.Tx, r Run) (bool, error) {
	k := r.Key()
	n, err := exec(ctx, tx, `DELETE FROM locks WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND pull=$4 AND (run_id='' OR run_id=$5)`,
		k.Repo, k.Dir, k.Workspace, r.Pull, r.ID)
	if err != nil || n == 0 {
		return false, err
	}
	return true, s.audit(ctx, tx, r.Client, "lock.release", r.Project.Name, r.Actor, map[string]any{"pull": r.Pull, "dir": k.Dir, "workspace": k.Workspace})
}

// KeepForPerson takes the apply's mark off its lock, if it has it, but leaves
// the lock with the pull: after a failed apply nobody else may touch the
// project until a person has decided.
func (s *Store) KeepForPerson(ctx context.Context, tx *db.Tx, r Run) error {
	k := r.Key()
	_, err := exec(ctx, tx, `UPDATE locks SET run_id='' WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND run_id=$4`, k.Repo, k.Dir, k.Workspace, r.ID)
	return err
}

// ReleaseOthers frees the pull's locks on projects that are not among the
// wanted, but those that an apply left for a person to decide on. It returns
// what became free.
func (s *Store) ReleaseOthers(ctx context.Context, tx *db.Tx, c Change, wanted []Wanted, actor access.Actor) ([]Key, error) {
	held, err := collect(ctx, tx, scanLock, `SELECT `+lockColumns+` FROM locks WHERE repo_id=$1 AND pull=$2 AND run_id=''
		AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.repo_id=locks.repo_id AND runs.pull=locks.pull AND runs.dir=locks.dir
			AND runs.workspace=locks.workspace AND runs.kind=$3 AND runs.status NOT IN ($4,$5,$6))`, c.Repo, c.Pull, Apply, Applied, Canceled, Superseded)
	if err != nil {
		return nil, err
	}
	keep := map[Key]bool{}
	for _, w := range wanted {
		keep[Key{c.Repo, w.Project.Dir, w.Project.Workspace}] = true
	}
	var others []Lock
	for _, l := range held {
		if !keep[l.Key] {
			others = append(others, l)
		}
	}
	return s.releaseEach(ctx, tx, others, actor)
}

// ReleaseAll frees the locks of a pull, but those under a running apply and
// those that an interrupted one left. It returns what became free.
func (s *Store) ReleaseAll(ctx context.Context, tx *db.Tx, repo int64, pull int, actor access.Actor) ([]Key, error) {
	held, err := collect(ctx, tx, scanLock, `SELECT `+lockColumns+` FROM locks WHERE repo_id=$1 AND pull=$2 AND run_id=''`, repo, pull)
	if err != nil {
		return nil, err
	}
	return s.releaseEach(ctx, tx, held, actor)
}

func (s *Store) releaseEach(ctx context.Context, tx *db.Tx, locks []Lock, actor access.Actor) ([]Key, error) {
	var freed []Key
	for _, l := range locks {
		if _, err := exec(ctx, tx, `DELETE FROM locks WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND fence=$4`, l.Repo, l.Dir, l.Workspace, l.Fence); err != nil {
			return nil, err
		}
		if err := s.audit(ctx, tx, l.Client, "lock.release", l.Dir, actor, map[string]any{"pull": l.Pull, "dir": l.Dir, "workspace": l.Workspace}); err != nil {
			return nil, err
		}
		freed = append(freed, l.Key)
	}
	return freed, nil
}

// Unlock is a person's word that the pull gives the project up. It is refused
// while an apply runs; one that only checks its plan is canceled. The lock that
// an interrupted apply left is released and that run is closed as superseded,
// which is the decision it waited for.
func (s *Store) Unlock(ctx context.Context, tx *db.Tx, l Lock, actor access.Actor) error {
	if l.Run != "" {
		r, err := s.Run(ctx, tx, l.Run)
		if err != nil {
			return err
		}
		switch r.Status {
		case Interrupted:
			if err := s.move(ctx, tx, r, Superseded, r.Error); err != nil {
				return err
			}
		case Checking:
			if err := s.Cancel(ctx, tx, r, actor, "Unlocked by "+actor.String()+" before anything was applied."); err != nil {
				return err
			}
		case Running:
			return errs.New(errs.Conflict, "Project %s is being applied right now. Unlock it when that has finished.", r.Project.Name)
		}
	}
	n, err := exec(ctx, tx, `DELETE FROM locks WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND fence=$4`, l.Repo, l.Dir, l.Workspace, l.Fence)
	if err != nil {
		return err
	}
	if n == 0 {
		return errs.New(errs.Conflict, "The lock on %s changed hands at the same moment. Look again.", l.Dir)
	}
	return s.audit(ctx, tx, l.Client, "lock.unlock", l.Dir, actor, map[string]any{"pull": l.Pull, "dir": l.Dir, "workspace": l.Workspace, "by": actor.String()})
}
