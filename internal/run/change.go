package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

const changeColumns = `id, client_id, repo_id, pull, head_sha, base_sha, status, reason, notes, settings, comment_id, comment_intent_ms,
	rev, answered_rev, merge_sha, auto_merge, created_ms, updated_ms, trusted, group_ref, branch`

func scanChange(row scanner) (Change, error) {
	var (
		c                        Change
		intent, created, updated int64
		auto                     int64
		trusted                  string
	)
	err := row.Scan(&c.ID, &c.Client, &c.Repo, &c.Pull, &c.HeadSHA, &c.BaseSHA, &c.Status, &c.Reason, &c.Notes, &c.Settings, &c.CommentID, &intent,
		&c.Rev, &c.AnsweredRev, &c.MergeSHA, &auto, &created, &updated, &trusted, &c.GroupRef, &c.Branch)
	if err != nil {
		return Change{}, err
	}
	if err := fromJSON(trusted, &c.Trusted); err != nil {
		return Change{}, fmt.Errorf("change %s: %w", c.ID, err)
	}
	if intent != 0 {
		c.CommentIntent = db.FromMillis(intent)
	}
	c.AutoMerge, c.Created, c.Updated = auto != 0, db.FromMillis(created), db.FromMillis(updated)
	return c, nil
}

// Change returns a change by its ID; errs.NotFound if there is none.
func (s *Store) Change(ctx context.Context, q db.Querier, id string) (Change, error) {
	return one(ctx, q, scanChange, "That change is not known here.", `SELECT `+changeColumns+` FROM changes WHERE id=$1`, id)
}

// ChangeAt returns the change of a pull at a head commit; errs.NotFound if
// that head was never seen.
func (s *Store) ChangeAt(ctx context.Context, q db.Querier, repo int64, pull int, head string) (Change, error) {
	return one(ctx, q, scanChange, fmt.Sprintf("No plan exists for #%d at this commit yet.", pull),
		`SELECT `+changeColumns+` FROM changes WHERE repo_id=$1 AND pull=$2 AND head_sha=$3`, repo, pull, head)
}

// Changes returns the newest changes, of one client or (client "") of all.
func (s *Store) Changes(ctx context.Context, q db.Querier, client string, limit int) ([]Change, error) {
	return collect(ctx, q, scanChange, `SELECT `+changeColumns+` FROM changes
		WHERE ($1 = '' OR client_id=$1) ORDER BY created_ms DESC, id DESC LIMIT $2`, client, limit)
}

// Opened is what opening a change did.
type Opened struct {
	Change  Change
	Created bool     // false: this head was seen before
	Stop    []string // running plans of older heads, to be stopped by the caller
	Cut     []string // older changes that were not finished: their checks must be told
}

// OpenChange finds or creates the change of the pull at its head, and makes
// every older change of the pull Outdated: their waiting runs are superseded
// here, their running plans are marked and returned for stopping, and running
// applies are left to finish (a push never tears an apply apart). The locks of
// older changes go over to the new one. The comment goes over too: there is
// one comment a pull, updated in place.
func (s *Store) OpenChange(ctx context.Context, tx *db.Tx, p Pull, actor access.Actor) (Opened, error) {
	existing, err := s.ChangeAt(ctx, tx, p.Repo, p.Number, p.HeadSHA)
	if err == nil && existing.Status.Live() {
		return Opened{Change: existing}, nil
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Opened{}, fmt.Errorf("open change %d#%d: %w", p.Repo, p.Number, err)
	}
	now := db.Millis(s.now())
	out := Opened{Created: true}
	var outdated error
	if out.Stop, out.Cut, outdated = s.outdate(ctx, tx, p.Repo, p.Number, p.HeadSHA); outdated != nil {
		return Opened{}, outdated
	}
	if existing.ID != "" {
		// The head came back (a force-push to an earlier commit, a reopened
		// pull): its change lives again, planned anew.
		if _, err := exec(ctx, tx, `UPDATE changes SET status=$2, reason='', base_sha=$3, merge_sha='', rev=rev+1, updated_ms=$4 WHERE id=$1`,
			existing.ID, Pending, p.BaseSHA, now); err != nil {
			return Opened{}, err
		}
	} else {
		existing.ID = newID()
		if _, err := exec(ctx, tx, `INSERT INTO changes (id, client_id, repo_id, pull, head_sha, base_sha, status, reason, merge_sha, created_ms, updated_ms)
			VALUES ($1,$2,$3,$4,$5,$6,$7,'','',$8,$8)`, existing.ID, p.Client, p.Repo, p.Number, p.HeadSHA, p.BaseSHA, Pending, now); err != nil {
			return Opened{}, fmt.Errorf("open change %d#%d: %w", p.Repo, p.Number, err)
		}
	}
	if err := s.inheritComment(ctx, tx, existing.ID, p.Repo, p.Number); err != nil {
		return Opened{}, err
	}
	if _, err := exec(ctx, tx, `UPDATE locks SET change_id=$3 WHERE repo_id=$1 AND pull=$2 AND run_id=''`, p.Repo, p.Number, existing.ID); err != nil {
		return Opened{}, err
	}
	if out.Change, err = s.Change(ctx, tx, existing.ID); err != nil {
		return Opened{}, err
	}
	return out, s.audit(ctx, tx, p.Client, "change.open", existing.ID, actor, map[string]any{"repo": p.Repo, "pull": p.Number, "head": p.HeadSHA})
}

// inheritComment gives the change the comment that an earlier change of the
// pull already has.
func (s *Store) inheritComment(ctx context.Context, tx *db.Tx, id string, repo int64, pull int) error {
	previous, err := one(ctx, tx, scanChange, "", `SELECT `+changeColumns+` FROM changes
		WHERE repo_id=$1 AND pull=$2 AND id<>$3 AND group_ref='' AND (comment_id<>0 OR comment_intent_ms<>0) ORDER BY comment_id DESC LIMIT 1`, repo, pull, id)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, `UPDATE changes SET comment_id=$2, comment_intent_ms=$3 WHERE id=$1`, id, previous.CommentID, millisOrZero(previous.CommentIntent))
	return err
}

func millisOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return db.Millis(t)
}

// outdate supersedes the live changes of a pull at other heads than keep. It
// returns the running plans among their runs, and the changes that were cut
// off before they had finished.
func (s *Store) outdate(ctx context.Context, tx *db.Tx, repo int64, pull int, keep string) (stop, cut []string, err error) {
	old, err := collect(ctx, tx, scanChange, `SELECT `+changeColumns+` FROM changes WHERE repo_id=$1 AND pull=$2 AND head_sha<>$3
		AND group_ref='' AND status NOT IN ($4,$5)`, repo, pull, keep, Outdated, Closed)
	if err != nil {
		return nil, nil, fmt.Errorf("outdate changes of %d#%d: %w", repo, pull, err)
	}
	for _, c := range old {
		ended, running, err := s.endRuns(ctx, tx, c.ID, Superseded)
		if err != nil {
			return nil, nil, err
		}
		stop = append(stop, running...)
		if ended > 0 || c.Status == Pending {
			cut = append(cut, c.ID)
		}
		if err := s.setChange(ctx, tx, c.ID, Outdated, ""); err != nil {
			return nil, nil, err
		}
	}
	return stop, cut, nil
}

// endRuns gives every unfinished run of a change, but a running apply, the
// final status; it returns how many those were, and the plans among them that
// were running.
func (s *Store) endRuns(ctx context.Context, tx *db.Tx, change string, final Status) (ended int, running []string, err error) {
	runs, err := s.runsOf(ctx, tx, change)
	if err != nil {
		return 0, nil, err
	}
	for _, r := range runs {
		if r.Status.Finished() || r.underWay() {
			continue
		}
		if r.Status == Running {
			running = append(running, r.ID)
		}
		if err := s.move(ctx, tx, r, final, ""); err != nil {
			return 0, nil, err
		}
		ended++
	}
	return ended, running, nil
}

func (s *Store) setChange(ctx context.Context, tx *db.Tx, id string, status ChangeStatus, reason string) error {
	_, err := exec(ctx, tx, `UPDATE changes SET status=$2, reason=$3, rev=rev+1, updated_ms=$4 WHERE id=$1`, id, status, reason, db.Millis(s.now()))
	if err != nil {
		return fmt.Errorf("change %s: %w", id, err)
	}
	return nil
}

// ClosePull closes the changes of a pull that was closed without merging:
// what waits is canceled, its locks are released. It returns the plans to be
// stopped and the projects whose locks became free.
func (s *Store) ClosePull(ctx context.Context, tx *db.Tx, p Pull, actor access.Actor) (stop []string, freed []Key, err error) {
	live, err := collect(ctx, tx, scanChange, `SELECT `+changeColumns+` FROM changes WHERE repo_id=$1 AND pull=$2 AND status NOT IN ($3,$4)`,
		p.Repo, p.Number, Outdated, Closed)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range live {
		_, running, err := s.endRuns(ctx, tx, c.ID, Canceled)
		if err != nil {
			return nil, nil, err
		}
		stop = append(stop, running...)
		if err := s.setChange(ctx, tx, c.ID, Closed, ""); err != nil {
			return nil, nil, err
		}
	}
	freed, err = s.ReleaseAll(ctx, tx, p.Repo, p.Number, actor)
	return stop, freed, err
}

// SetSettings keeps how the pull is treated, as JSON of the caller's.
func (s *Store) SetSettings(ctx context.Context, tx *db.Tx, id, settings string) error {
	_, err := exec(ctx, tx, `UPDATE changes SET settings=$2 WHERE id=$1`, id, settings)
	return err
}

// SetUnplannable ends the planning of a change with a reason for people.
func (s *Store) SetUnplannable(ctx context.Context, tx *db.Tx, id, reason string) error {
	return s.setChange(ctx, tx, id, Unplannable, reason)
}

// SetGated ends the planning of a change for now: something must be done by
// somebody before it is planned. reason says what, for people.
func (s *Store) SetGated(ctx context.Context, tx *db.Tx, id, reason string) error {
	return s.setChange(ctx, tx, id, Gated, reason)
}

// SetEmpty records that the change touches no project; notes says what somebody
// should look at all the same, "" if nothing.
func (s *Store) SetEmpty(ctx context.Context, tx *db.Tx, id, notes string) error {
	if err := s.setChange(ctx, tx, id, Empty, ""); err != nil {
		return err
	}
	_, err := exec(ctx, tx, `UPDATE changes SET notes=$2 WHERE id=$1`, id, notes)
	return err
}

// SetMerged records the commit that the change became on the base branch.
func (s *Store) SetMerged(ctx context.Context, tx *db.Tx, c Change, mergeSHA string, actor access.Actor) error {
	n, err := exec(ctx, tx, `UPDATE changes SET merge_sha=$2, rev=rev+1, updated_ms=$3 WHERE id=$1 AND merge_sha<>$2`, c.ID, mergeSHA, db.Millis(s.now()))
	if err != nil || n == 0 {
		return err
	}
	return s.audit(ctx, tx, c.Client, "change.merged", c.ID, actor, map[string]any{"repo": c.Repo, "pull": c.Pull, "merge": mergeSHA})
}

// SetAutoMerge asks for the pull to be merged once everything is applied.
func (s *Store) SetAutoMerge(ctx context.Context, tx *db.Tx, id string) error {
	_, err := exec(ctx, tx, `UPDATE changes SET auto_merge=1, updated_ms=$2 WHERE id=$1`, id, db.Millis(s.now()))
	return err
}

// Touch says that GitHub must be told something new of the change.
func (s *Store) Touch(ctx context.Context, tx *db.Tx, id string) error {
	_, err := exec(ctx, tx, `UPDATE changes SET rev=rev+1, updated_ms=$2 WHERE id=$1`, id, db.Millis(s.now()))
	return err
}

// ErrBusy says that another worker is answering for the change right now.
var ErrBusy = errors.New("another worker answers for this change")

// Replaced reports whether the pull has another change that lives: what is to
// be said of it is that one's to say.
func (s *Store) Replaced(ctx context.Context, q db.Querier, c Change) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM changes WHERE repo_id=$1 AND pull=$2 AND id<>$3 AND status NOT IN ($4,$5) AND group_ref=''`,
		c.Repo, c.Pull, c.ID, Outdated, Closed).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("change %s: %w", c.ID, err)
	}
	return n > 0, nil
}

// BeginAnswer claims the right to write to GitHub for the change's pull until
// the claim ends or FinishAnswer is called, so that two workers never post two
// comments, and none writes over what another has just said. It returns ErrBusy while another holds it. A node that was killed
// gives its claims up by DropAnswers.
func (s *Store) BeginAnswer(ctx context.Context, id, node string, claim time.Duration) (Change, error) {
	var c Change
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		now := s.now()
		n, err := exec(ctx, tx, `UPDATE changes SET answering_until_ms=$2, answering_node=$4 WHERE id=$1 AND answering_until_ms<$3
			AND NOT EXISTS (SELECT 1 FROM changes o WHERE o.repo_id=changes.repo_id AND o.pull=changes.pull AND o.id<>changes.id AND o.answering_until_ms>=$3)`,
			id, db.Millis(now.Add(claim)), db.Millis(now), node)
		if err != nil {
			return err
		}
		if c, err = s.Change(ctx, tx, id); err != nil {
			return err
		}
		if n == 0 {
			return ErrBusy
		}
		return nil
	})
	return c, err
}

// FinishAnswer ends the claim; rev is the revision that GitHub now shows (0:
// none was told).
func (s *Store) FinishAnswer(ctx context.Context, id string, rev int64) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `UPDATE changes SET answering_until_ms=0,
			answered_rev=CASE WHEN answered_rev<$2 THEN $2 ELSE answered_rev END WHERE id=$1`, id, rev)
		return err
	})
}

// DropAnswers ends the claims that an earlier process of the node left behind:
// nobody writes under them any more. Call it before any work starts.
func (s *Store) DropAnswers(ctx context.Context, tx *db.Tx, node string) error {
	_, err := exec(ctx, tx, `UPDATE changes SET answering_until_ms=0 WHERE answering_node=$1 AND answering_until_ms<>0`, node)
	return err
}

// IntendComment records, before the pull's comment is posted, that it is about
// to be: after a crash in between, the comment is looked for instead of being
// posted a second time.
func (s *Store) IntendComment(ctx context.Context, c Change) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `UPDATE changes SET comment_intent_ms=$3, comment_id=0 WHERE repo_id=$1 AND pull=$2`, c.Repo, c.Pull, db.Millis(s.now()))
		return err
	})
}

// SaveComment records the comment's ID for every change of the pull.
func (s *Store) SaveComment(ctx context.Context, c Change, comment int64) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `UPDATE changes SET comment_id=$3 WHERE repo_id=$1 AND pull=$2`, c.Repo, c.Pull, comment)
		return err
	})
}

// Check is what was last posted of one check of a change.
type Check struct {
	Name  string
	ID    int64  // GitHub's; 0 until posted
	State string // hash of what was posted, to leave out updates that say nothing new
}

// Checks returns what was posted for the change, by name.
func (s *Store) Checks(ctx context.Context, q db.Querier, change string) (map[string]Check, error) {
	all, err := collect(ctx, q, func(row scanner) (Check, error) {
		var c Check
		return c, row.Scan(&c.Name, &c.ID, &c.State)
	}, `SELECT name, check_id, state FROM checks WHERE change_id=$1`, change)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]Check, len(all))
	for _, c := range all {
		byName[c.Name] = c
	}
	return byName, nil
}

// SaveCheck records what was posted.
func (s *Store) SaveCheck(ctx context.Context, change string, c Check) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO checks (change_id, name, check_id, state) VALUES ($1,$2,$3,$4)
			ON CONFLICT (change_id, name) DO UPDATE SET check_id=excluded.check_id, state=excluded.state`, change, c.Name, c.ID, c.State)
		return err
	})
}
