package budget

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Approval is an owner's word that what a change costs over a budget is
// wanted. It holds while the change's plans cost no more than they did then;
// where something of them had no price, for exactly those plans.
type Approval struct {
	ID     string       `json:"id"`
	Budget string       `json:"budget"`
	Actor  access.Actor `json:"actor"`
	Given  time.Time    `json:"given"`

	own amountsOf
}

// covers reports whether the word was given for as much as the change does
// now.
func (a Approval) covers(now amountsOf) bool {
	switch {
	case a.own.currency != now.currency || now.delta.GreaterThan(a.own.delta) || now.after.GreaterThan(a.own.after):
		return false
	case a.own.plans == now.plans:
		return true
	}
	return a.own.exact && now.exact
}

// subject is whose change it is.
type subject struct {
	client, change string
	repo           int64
	pull           int
	author         string
	authorID       int64
}

func (s *Store) subject(ctx context.Context, q db.Querier, change string) (subject, error) {
	of := subject{change: change}
	err := q.QueryRowContext(ctx, `SELECT c.client_id, c.repo_id, c.pull, p.author, p.author_id
		FROM changes c JOIN pulls p ON p.repo_id=c.repo_id AND p.number=c.pull WHERE c.id=$1`, change).
		Scan(&of.client, &of.repo, &of.pull, &of.author, &of.authorID)
	if errors.Is(err, sql.ErrNoRows) {
		return subject{}, nil // a branch's change has no pull request
	}
	if err != nil {
		return subject{}, fmt.Errorf("read change %s: %w", change, err)
	}
	return of, nil
}

// wrote reports whether the actor opened the pull request.
func (of subject) wrote(a access.Actor) bool {
	if a.ID != 0 && of.authorID != 0 {
		return a.ID == of.authorID
	}
	return strings.EqualFold(a.Name, of.author)
}

// standing returns the words that count for the verdict, the first of each
// person. The author's never does.
func standing(words []Approval, v Verdict, of subject) []Approval {
	var out []Approval
	said := map[string]bool{}
	for _, w := range words {
		if who := identity(w.Actor); w.Budget == v.Budget && !said[who] && !of.wrote(w.Actor) && w.covers(v.own) {
			said[who] = true
			out = append(out, w)
		}
	}
	return out
}

// identity tells people apart: by GitHub's number, since a login may pass to
// somebody else.
func identity(a access.Actor) string {
	if a.ID != 0 {
		return strconv.FormatInt(a.ID, 10)
	}
	return a.Kind + " " + strings.ToLower(a.Name)
}

// Said reports whether the actor's word counts for the verdict already.
func (v Verdict) Said(a access.Actor) bool {
	for _, w := range v.ApprovedBy {
		if identity(w.Actor) == identity(a) {
			return true
		}
	}
	return false
}

// Approve writes down that the actor approves what the change costs over the
// budgets of the verdicts, as these were judged, together with its audit event.
// That the actor is an owner is the caller's to ask. A word that counts already
// is not written again.
func (s *Store) Approve(ctx context.Context, tx *db.Tx, change string, verdicts []Verdict, actor access.Actor) error {
	of, err := s.subject(ctx, tx, change)
	if err != nil {
		return err
	}
	if of.client == "" {
		return errs.New(errs.NotFound, "That change is not known here.")
	}
	if of.wrote(actor) {
		return errs.New(errs.Forbidden, "Who opened the pull request can't approve what it costs.")
	}
	text, err := json.Marshal(actor)
	if err != nil {
		return err
	}
	words, err := approvals(ctx, tx, of.repo, of.pull)
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		v.ApprovedBy = standing(words, v, of)
		if v.Said(actor) {
			continue
		}
		id := uuid.Must(uuid.NewV7()).String()
		if _, err := tx.ExecContext(ctx, `INSERT INTO cost_approvals (id, client_id, repo_id, pull, change_id, budget, actor_id, actor, currency, delta, after, exact, plans, given_ms)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
			id, of.client, of.repo, of.pull, change, v.Budget, actor.ID, string(text), v.own.currency, v.own.delta.String(), v.own.after.String(), flag(v.own.exact), v.own.plans, db.Millis(s.now())); err != nil {
			return fmt.Errorf("approve the cost of change %s: %w", change, err)
		}
		err := s.trail.Record(ctx, tx, access.Event{
			Client: of.client, Action: "budget.approve", Subject: change, Actor: actor, At: s.now(),
			Detail: map[string]any{"approval": id, "budget": v.Budget, "pull": of.pull, "currency": v.own.currency,
				"delta": v.own.delta.String(), "after": v.own.after.String(), "exact": v.own.exact, "plans": v.own.plans},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Revoke takes back the actor's words about a change's pull request, for as
// many budgets as there are, each with its audit event, and returns the names
// of those. What has begun to be applied by them goes on.
func (s *Store) Revoke(ctx context.Context, tx *db.Tx, change string, actor access.Actor) ([]string, error) {
	of, err := s.subject(ctx, tx, change)
	if err != nil {
		return nil, err
	}
	words, err := approvals(ctx, tx, of.repo, of.pull)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, w := range words {
		if identity(w.Actor) != identity(actor) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM cost_approvals WHERE id=$1`, w.ID); err != nil {
			return nil, fmt.Errorf("take approval %s back: %w", w.ID, err)
		}
		err := s.trail.Record(ctx, tx, access.Event{
			Client: of.client, Action: "budget.revoke", Subject: change, Actor: actor, At: s.now(),
			Detail: map[string]any{"approval": w.ID, "budget": w.Budget, "pull": of.pull},
		})
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, w.Budget) {
			names = append(names, w.Budget)
		}
	}
	return names, nil
}

// approvals reads the words about a pull request, the oldest first.
func approvals(ctx context.Context, q db.Querier, repo int64, pull int) ([]Approval, error) {
	rs, err := q.QueryContext(ctx, `SELECT id, budget, actor, currency, delta, after, exact, plans, given_ms FROM cost_approvals WHERE repo_id=$1 AND pull=$2 ORDER BY id`, repo, pull)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	defer rs.Close()
	var all []Approval
	for rs.Next() {
		var (
			a                   Approval
			actor, delta, after string
			exact, given        int64
		)
		if err := rs.Scan(&a.ID, &a.Budget, &actor, &a.own.currency, &delta, &after, &exact, &a.own.plans, &given); err != nil {
			return nil, fmt.Errorf("read approvals: %w", err)
		}
		a.own.exact, a.Given = exact != 0, moment(given)
		if err := json.Unmarshal([]byte(actor), &a.Actor); err != nil {
			return nil, fmt.Errorf("actor of approval %s: %w", a.ID, err)
		}
		if a.own.delta, err = decimal.NewFromString(delta); err == nil {
			a.own.after, err = decimal.NewFromString(after)
		}
		if err != nil {
			return nil, fmt.Errorf("amounts of approval %s: %w", a.ID, err)
		}
		all = append(all, a)
	}
	return all, rs.Err()
}
