package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// WarnAhead is how long before a waiver expires people are told of it.
const WarnAhead = 7 * 24 * time.Hour

// rememberLapsed is how long it is told of a finding that it was accepted once.
const rememberLapsed = 365 * 24 * time.Hour

const waiverColumns = `id, client_id, repo_id, dir, workspace, project, pull, plan_digest, fingerprint, rule, pack, address, message,
	actor, reason, given_ms, expires_ms, ended, ended_ms, ended_by`

func scanWaiver(row scanner) (Waiver, error) {
	var (
		w                     Waiver
		actor, endedBy        string
		given, expires, ended int64
	)
	err := row.Scan(&w.ID, &w.Client, &w.Repo, &w.Dir, &w.Workspace, &w.Project, &w.Pull, &w.PlanDigest, &w.Fingerprint, &w.Rule, &w.Pack,
		&w.Address, &w.Message, &actor, &w.Reason, &given, &expires, &w.Ended, &ended, &endedBy)
	if err != nil {
		return w, err
	}
	w.Given = db.FromMillis(given)
	if expires != 0 {
		w.Expires = db.FromMillis(expires)
	}
	if ended != 0 {
		w.EndedAt = db.FromMillis(ended)
	}
	if err := fromJSON(actor, &w.Actor); err != nil {
		return w, fmt.Errorf("waiver %s: %w", w.ID, err)
	}
	return w, fromJSON(endedBy, &w.EndedBy)
}

// Word is what somebody accepts of what the policies found in a plan.
type Word struct {
	Plan     Run
	Findings []policy.Finding // each with its fingerprint
	// All accepts everything that was found in exactly this plan, also what its
	// report has no room to list.
	All     bool
	Expires time.Time // zero: the word is for exactly this plan
	Reason  string    // of a word that expires, needed
	Actor   access.Actor
}

// check refuses what nobody can say, whoever let it through.
func (w Word) check(now time.Time) error {
	name := w.Plan.Project.Name
	switch {
	case w.Plan.PlanDigest == "":
		return errs.New(errs.Conflict, "There is no plan of %s whose findings could be accepted.", name)
	case w.Plan.wrote(w.Actor):
		return errs.New(errs.Forbidden, "Who opened the pull request can't accept its policy findings.")
	case w.Expires.IsZero():
	case w.All:
		return errs.New(errs.Invalid, "Everything that was found in %s can be accepted for one plan only.", name)
	case strings.TrimSpace(w.Reason) == "":
		return errs.New(errs.Invalid, "Accepting a finding of %s for longer than this plan needs a reason.", name)
	case !w.Expires.After(now):
		return errs.New(errs.Invalid, "A word about %s that is over already accepts nothing.", name)
	}
	for _, f := range w.Findings {
		if f.Fingerprint == "" {
			return errs.New(errs.Invalid, "A finding of %s in %s can't be told from others, so it is accepted with the whole plan only.", f.Rule, name)
		}
		if f.Level == policy.Hard {
			return errs.New(errs.Forbidden, "What %s found in %s can't be accepted by anyone.", f.Rule, name)
		}
	}
	return nil
}

// accepted is a finding in the audit trail.
type accepted struct {
	Waiver      string `json:"waiver"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Rule        string `json:"rule,omitempty"`
	Address     string `json:"address,omitempty"`
}

func acceptedOf(w Waiver) accepted { return accepted{w.ID, w.Fingerprint, w.Rule, w.Address} }

// Waive records what the actor accepts, and returns how many findings are
// accepted anew: what they said already counts once, and a longer word takes a
// shorter one's place. That the actor is an owner is the caller's to ask.
func (s *Store) Waive(ctx context.Context, tx *db.Tx, word Word) (int, error) {
	if err := word.check(s.now()); err != nil {
		return 0, err
	}
	r := word.Plan
	said, err := collect(ctx, tx, scanWaiver, `SELECT `+waiverColumns+` FROM policy_waivers
		WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND ended='' AND actor_id=$4`, r.Repo, r.Project.Dir, r.Project.Workspace, word.Actor.ID)
	if err != nil {
		return 0, fmt.Errorf("read waivers: %w", err)
	}
	given := db.FromMillis(db.Millis(s.now()))
	expires := word.Expires
	if !expires.IsZero() {
		expires = db.FromMillis(db.Millis(expires))
		word.Expires = expires
	}
	var fresh []accepted
	for _, f := range word.accepts() {
		w := word.waiver(f, given)
		w.ID = newID()
		again := false
		for _, old := range said {
			if identity(old.Actor) != identity(w.Actor) || old.Fingerprint != w.Fingerprint || old.PlanDigest != w.PlanDigest || (!w.Sticky() && old.Pull != w.Pull) || !old.Stands(given) {
				continue
			}
			if !w.Sticky() || !old.Expires.Before(w.Expires) {
				again = true
				break
			}
			if _, err := s.endWaiver(ctx, tx, old.ID, Replaced, word.Actor, false); err != nil {
				return 0, err
			}
		}
		if again {
			continue
		}
		if err := s.insertWaiver(ctx, tx, w); err != nil {
			return 0, err
		}
		said = append(said, w) // two findings may have one fingerprint
		fresh = append(fresh, acceptedOf(w))
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	detail := map[string]any{"project": r.Project.Name, "pull": r.Pull, "findings": fresh}
	if expires.IsZero() {
		detail["digest"] = r.PlanDigest
	} else {
		detail["until"] = expires.UTC().Format(time.RFC3339)
	}
	if word.All {
		detail["all"] = true
	}
	if word.Reason != "" {
		detail["reason"] = word.Reason
	}
	return len(fresh), s.audit(ctx, tx, r.Client, "policy.waive", r.ID, word.Actor, detail)
}

func (s *Store) insertWaiver(ctx context.Context, tx *db.Tx, w Waiver) error {
	actor, err := toJSON(w.Actor)
	if err != nil {
		return err
	}
	expires := int64(0)
	if !w.Expires.IsZero() {
		expires = db.Millis(w.Expires)
	}
	_, err = exec(ctx, tx, `INSERT INTO policy_waivers (id, client_id, repo_id, dir, workspace, project, pull, plan_digest, fingerprint, rule, pack,
			address, message, actor_id, actor, reason, given_ms, expires_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)`,
		w.ID, w.Client, w.Repo, w.Dir, w.Workspace, w.Project, w.Pull, w.PlanDigest, w.Fingerprint, w.Rule, w.Pack,
		w.Address, w.Message, w.Actor.ID, actor, w.Reason, db.Millis(w.Given), expires)
	if err != nil {
		return fmt.Errorf("accept a finding of %s: %w", w.Project, err)
	}
	return nil
}

// endWaiver ends a waiver that has not ended. It reports false where somebody
// was first.
func (s *Store) endWaiver(ctx context.Context, tx *db.Tx, id string, how Ending, by access.Actor, untold bool) (bool, error) {
	actor, err := toJSON(by)
	if err != nil {
		return false, err
	}
	n, err := exec(ctx, tx, `UPDATE policy_waivers SET ended=$2, ended_ms=$3, ended_by=$4, untold=$5 WHERE id=$1 AND ended=''`,
		id, how, db.Millis(s.now()), actor, flag(untold))
	if err != nil {
		return false, fmt.Errorf("end waiver %s: %w", id, err)
	}
	return n > 0, nil
}

// Revoke takes words back, whoever gave them, and returns those that had not
// ended before. untold has SweptWaivers return them once, for callers that
// can't have the pulls told that stood on them.
func (s *Store) Revoke(ctx context.Context, tx *db.Tx, words []Waiver, by access.Actor, why string, untold bool) ([]Waiver, error) {
	return s.endAll(ctx, tx, words, Revoked, by, why, untold)
}

// endAll ends waivers and writes one event for all that have in common whose
// word of when and where they were.
func (s *Store) endAll(ctx context.Context, tx *db.Tx, words []Waiver, how Ending, by access.Actor, why string, untold bool) ([]Waiver, error) {
	var ended []Waiver
	for _, w := range words {
		ok, err := s.endWaiver(ctx, tx, w.ID, how, by, untold)
		if err != nil {
			return nil, err
		}
		if ok {
			w.Ended, w.EndedAt, w.EndedBy = how, s.now(), by
			ended = append(ended, w)
		}
	}
	action := map[Ending]string{Revoked: "policy.revoke", Expired: "policy.expire"}[how]
	type event struct {
		client string
		Key
		who   string
		given int64
	}
	var order []event
	of := map[event][]Waiver{}
	for _, w := range ended {
		e := event{w.Client, w.Key, identity(w.Actor), db.Millis(w.Given)}
		if of[e] == nil {
			order = append(order, e)
		}
		of[e] = append(of[e], w)
	}
	for _, e := range order {
		first := of[e][0]
		var findings []accepted
		for _, w := range of[e] {
			findings = append(findings, acceptedOf(w))
		}
		detail := map[string]any{"project": first.Project, "given_by": first.Actor.Name, "given": first.Given.UTC().Format(time.RFC3339), "findings": findings}
		if !first.Expires.IsZero() {
			detail["until"] = first.Expires.UTC().Format(time.RFC3339)
		}
		if why != "" {
			detail["reason"] = why
		}
		if err := s.audit(ctx, tx, e.client, action, first.ID, by, detail); err != nil {
			return nil, err
		}
	}
	return ended, nil
}

// SweptWaivers ends what has expired, which the trail gets told once, and
// returns every waiver of which the pulls that stand on it should tell
// something new: that it expired, that it was taken back where nobody could
// tell them, or that it is about to expire, which comes once a day in the last
// week. At most limit of each at a time; more is true where there may be others.
func (s *Store) SweptWaivers(ctx context.Context, tx *db.Tx, limit int) (news []Waiver, more bool, err error) {
	now := s.now()
	read := func(where string, args ...any) ([]Waiver, error) {
		all, err := collect(ctx, tx, scanWaiver, `SELECT `+waiverColumns+` FROM policy_waivers WHERE `+where+fmt.Sprintf(" ORDER BY expires_ms, id LIMIT %d", limit), args...)
		more = more || len(all) == limit
		return all, err
	}
	over, err := read(`ended='' AND expires_ms<>0 AND expires_ms<=$1`, db.Millis(now))
	if err != nil {
		return nil, false, fmt.Errorf("expire waivers: %w", err)
	}
	if over, err = s.endAll(ctx, tx, over, Expired, access.Actor{Kind: access.Schedule, Name: "policy waivers"}, "", false); err != nil {
		return nil, false, err
	}
	untold, err := read(`untold=1`)
	if err != nil {
		return nil, false, fmt.Errorf("read revoked waivers: %w", err)
	}
	for _, w := range untold {
		if _, err := exec(ctx, tx, `UPDATE policy_waivers SET untold=0 WHERE id=$1`, w.ID); err != nil {
			return nil, false, err
		}
	}
	soon, err := read(`ended='' AND expires_ms>$1 AND expires_ms<=$2 AND warned_ms<=$3`, db.Millis(now), db.Millis(now.Add(WarnAhead)), db.Millis(now.Add(-24*time.Hour)))
	if err != nil {
		return nil, false, fmt.Errorf("read waivers that expire soon: %w", err)
	}
	for _, w := range soon {
		if _, err := exec(ctx, tx, `UPDATE policy_waivers SET warned_ms=$2 WHERE id=$1`, w.ID, db.Millis(now)); err != nil {
			return nil, false, err
		}
	}
	return slices.Concat(over, untold, soon), more, nil
}

// JudgedChanges returns the live changes of pulls with a plan of the project
// that the policies forbid, or would had nobody accepted what they found: what
// they tell depends on the project's waivers. Pulls that are closed, and merged
// ones whose plan is applied, are not among them.
func (s *Store) JudgedChanges(ctx context.Context, q db.Querier, k Key) ([]string, error) {
	type judged struct{ change, report string }
	all, err := collect(ctx, q, func(row scanner) (j judged, err error) {
		err = row.Scan(&j.change, &j.report)
		return j, err
	}, `SELECT r.change_id, r.report FROM runs r JOIN changes c ON c.id=r.change_id
		WHERE r.repo_id=$1 AND r.dir=$2 AND r.workspace=$3 AND r.kind=$4 AND r.status=$5 AND c.status=$6 AND r.pull<>0
			AND EXISTS (SELECT 1 FROM pulls p WHERE p.repo_id=r.repo_id AND p.number=r.pull AND (p.state='open' OR p.merged=1))
			AND NOT EXISTS (SELECT 1 FROM runs a WHERE a.plan_run_id=r.id AND a.status=$7)
		ORDER BY r.change_id`, k.Repo, k.Dir, k.Workspace, Plan, Planned, Ready, Applied)
	if err != nil {
		return nil, fmt.Errorf("read judged changes: %w", err)
	}
	var out []string
	for _, j := range all {
		var verdict struct {
			Verdict policy.Verdict `json:"verdict"`
		}
		if err := fromJSON(j.report, &verdict); err != nil {
			return nil, fmt.Errorf("report of a plan of change %s: %w", j.change, err)
		}
		if verdict.Verdict == policy.Fail {
			out = append(out, j.change)
		}
	}
	return slices.Compact(out), nil
}

// WaiverFilter narrows a list of waivers. The zero one lets all through.
type WaiverFilter struct {
	Client   string // its ID
	Repo     int64
	Keys     []Key     // of one repository
	Standing bool      // those that count now: not ended, and where they are for one plan, of a pull that is open
	Before   time.Time // those that expire by then
	Older    string    // those that are older than this one, by ID; for lists in pieces
	Limit    int       // 0: 500
}

// Waivers returns waivers, the newest first.
func (s *Store) Waivers(ctx context.Context, q db.Querier, f WaiverFilter) ([]Waiver, error) {
	var (
		where []string
		args  []any
	)
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if f.Client != "" {
		add(`client_id=?`, f.Client)
	}
	if f.Repo != 0 {
		add(`repo_id=?`, f.Repo)
	}
	if len(f.Keys) > 0 {
		var any []string
		for _, k := range f.Keys {
			args = append(args, k.Repo, k.Dir, k.Workspace)
			any = append(any, fmt.Sprintf("(repo_id=$%d AND dir=$%d AND workspace=$%d)", len(args)-2, len(args)-1, len(args)))
		}
		where = append(where, "("+strings.Join(any, " OR ")+")")
	}
	if f.Standing {
		add(`ended=''`)
		add(`(expires_ms>? OR expires_ms=0 AND EXISTS (SELECT 1 FROM pulls p WHERE p.repo_id=policy_waivers.repo_id AND p.number=policy_waivers.pull AND p.state='open'))`, db.Millis(s.now()))
	}
	if !f.Before.IsZero() {
		add(`expires_ms<>0 AND expires_ms<=?`, db.Millis(f.Before))
	}
	if f.Older != "" {
		add(`id<?`, f.Older)
	}
	query := `SELECT ` + waiverColumns + ` FROM policy_waivers`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 500
	}
	all, err := collect(ctx, q, scanWaiver, query+fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, limit), args...)
	if err != nil {
		return nil, fmt.Errorf("list waivers: %w", err)
	}
	return all, nil
}

// Waiver returns one by its ID; errs.NotFound if there is none.
func (s *Store) Waiver(ctx context.Context, q db.Querier, id string) (Waiver, error) {
	return one(ctx, q, scanWaiver, "There is no such waiver.", `SELECT `+waiverColumns+` FROM policy_waivers WHERE id=$1`, id)
}

// addWaivers notes when the runs were read, and adds what people said about
// the findings of those that policies forbid. It asks the database for nothing
// where there is none.
func (s *Store) addWaivers(ctx context.Context, q db.Querier, runs []*Run) error {
	now := s.now()
	var judged []*Run
	repos := map[int64]*span{}
	for _, r := range runs {
		r.Read, r.Waivers, r.Author, r.AuthorID = now, nil, "", 0
		if r.Report == nil || r.Report.Verdict != policy.Fail || r.PlanDigest == "" {
			continue
		}
		judged = append(judged, r)
		if repos[r.Repo] == nil {
			repos[r.Repo] = &span{first: r.Pull, last: r.Pull}
		}
		repos[r.Repo].add(*r)
	}
	for repo, of := range repos {
		if err := s.addWaiversOf(ctx, q, judged, repo, of); err != nil {
			return fmt.Errorf("read waivers: %w", err)
		}
	}
	return nil
}

// AddWaivers adds to runs that were read in another way what this store's own
// reading adds.
func (s *Store) AddWaivers(ctx context.Context, q db.Querier, runs []*Run) error {
	return s.addWaivers(ctx, q, runs)
}

// span is what is asked for of one repository.
type span struct {
	first, last int // pulls
	dirs        []string
}

// maxDirs is how many directories are named in a query: beyond that the whole
// repository's waivers are read.
const maxDirs = 50

func (s *span) add(r Run) {
	s.first, s.last = min(s.first, r.Pull), max(s.last, r.Pull)
	if len(s.dirs) <= maxDirs && !slices.Contains(s.dirs, r.Project.Dir) {
		s.dirs = append(s.dirs, r.Project.Dir)
	}
}

func (s *Store) addWaiversOf(ctx context.Context, q db.Querier, runs []*Run, repo int64, of *span) error {
	type author struct {
		login string
		id    int64
	}
	authors := map[int]author{}
	_, err := collect(ctx, q, func(row scanner) (struct{}, error) {
		var number int
		var a author
		err := row.Scan(&number, &a.login, &a.id)
		authors[number] = a
		return struct{}{}, err
	}, `SELECT number, author, author_id FROM pulls WHERE repo_id=$1 AND number>=$2 AND number<=$3`, repo, of.first, of.last)
	if err != nil {
		return err
	}
	args := []any{repo, of.first, of.last, db.Millis(s.now().Add(-rememberLapsed))}
	dirs := ""
	if len(of.dirs) <= maxDirs {
		var marks []string
		for _, d := range of.dirs {
			args = append(args, d)
			marks = append(marks, fmt.Sprintf("$%d", len(args)))
		}
		dirs = ` AND dir IN (` + strings.Join(marks, ",") + `)`
	}
	words, err := collect(ctx, q, scanWaiver, `SELECT `+waiverColumns+` FROM policy_waivers WHERE repo_id=$1 AND ended IN ('','expired')
		AND ((plan_digest='' AND expires_ms>$4) OR (plan_digest<>'' AND pull>=$2 AND pull<=$3))`+dirs+` ORDER BY given_ms, id`, args...)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.Repo != repo {
			continue
		}
		a, known := authors[r.Pull]
		if !known { // nobody's word counts where it may be the author's own
			continue
		}
		r.Author, r.AuthorID = a.login, a.id
		found := map[string]bool{"": true}
		for _, f := range r.Report.Findings {
			found[f.Fingerprint] = true
		}
		for _, w := range words {
			if found[w.Fingerprint] && w.about(*r) {
				r.Waivers = append(r.Waivers, w)
			}
		}
	}
	return nil
}
