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
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Approval is an owner's word that what a change costs over a budget is
// wanted. It holds project by project, while none costs more than it did then;
// where something of one had no price, for exactly that project's plan.
type Approval struct {
	ID     string       `json:"id"`
	Budget string       `json:"budget"`
	Actor  access.Actor `json:"actor"`
	Given  time.Time    `json:"given"`

	own []planned
}

// planned is what a word says of one project's plan. Words are kept by project
// and not as a sum: what one project was approved for must not be spent in
// another once the first is applied.
type planned struct {
	Key
	Digest   string          `json:"digest"`
	Currency string          `json:"currency"` // "" where there is no estimate
	Delta    decimal.Decimal `json:"delta"`
	After    decimal.Decimal `json:"after"`
	Exact    bool            `json:"exact"` // nothing is left out that could add
}

// plansOf is what entries say to whoever approves them.
func plansOf(entries []Entry) []planned {
	out := make([]planned, 0, len(entries))
	for _, e := range entries {
		b := e.bound()
		out = append(out, planned{e.Key, e.Digest, e.Amounts.Currency, e.Amounts.Delta, e.Amounts.After, b == cost.BoundExact || b == cost.BoundAtMost})
	}
	return out
}

// covers reports whether the word was given for as much as the change does now.
// done are the change's entries that are applied: what a word took as saved
// must still be to come, or have been saved.
func (a Approval) covers(now []planned, done []Entry) bool {
	of := func(all []planned, k Key) *planned {
		if i := slices.IndexFunc(all, func(p planned) bool { return p.Key == k }); i >= 0 {
			return &all[i]
		}
		return nil
	}
	for i := range now {
		if !now[i].within(of(a.own, now[i].Key)) {
			return false
		}
	}
	for _, then := range a.own {
		if then.Delta.IsNegative() && of(now, then.Key) == nil && !slices.ContainsFunc(done, func(e Entry) bool {
			return e.Key == then.Key && e.Last != nil && e.Last.Currency == then.Currency && e.Last.Delta.LessThanOrEqual(then.Delta)
		}) {
			return false
		}
	}
	return true
}

// within reports whether a plan does no more than the one that was approved;
// nil where none of its project was.
func (p planned) within(then *planned) bool {
	switch {
	case then == nil:
		return p.Exact && p.Currency != "" && !p.Delta.IsPositive()
	case p.Currency != then.Currency || p.Delta.GreaterThan(then.Delta):
		return false
	case p.Delta.IsPositive() && p.After.GreaterThan(then.After):
		return false
	}
	return p.Digest == then.Digest || p.Exact && then.Exact
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
		if who := identity(w.Actor); w.Budget == v.Budget && !said[who] && !of.wrote(w.Actor) && w.covers(v.own, v.done) {
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
		plans, err := json.Marshal(v.own)
		if err != nil {
			return err
		}
		sum := sumOf(v.own)
		id := uuid.Must(uuid.NewV7()).String()
		if _, err := tx.ExecContext(ctx, `INSERT INTO cost_approvals (id, client_id, repo_id, pull, change_id, budget, actor_id, actor, currency, delta, after, exact, plans, given_ms)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
			id, of.client, of.repo, of.pull, change, v.Budget, actor.ID, string(text), sum.Currency, sum.Delta.String(), sum.After.String(), flag(sum.Exact), string(plans), db.Millis(s.now())); err != nil {
			return fmt.Errorf("approve the cost of change %s: %w", change, err)
		}
		err = s.trail.Record(ctx, tx, access.Event{
			Client: of.client, Action: "budget.approve", Subject: change, Actor: actor, At: s.now(),
			Detail: map[string]any{"approval": id, "budget": v.Budget, "pull": of.pull, "currency": sum.Currency,
				"delta": sum.Delta.String(), "after": sum.After.String(), "exact": sum.Exact, "plans": v.own},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sumOf adds up what is approved, for people who look at the row or the trail:
// no word is judged by it. Of several currencies there is no sum.
func sumOf(all []planned) planned {
	sum := planned{Exact: true}
	for _, p := range all {
		if sum.Currency == "" {
			sum.Currency = p.Currency
		}
		if p.Currency != "" && p.Currency != sum.Currency {
			return planned{}
		}
		sum.Delta, sum.After, sum.Exact = sum.Delta.Add(p.Delta), sum.After.Add(p.After), sum.Exact && p.Exact
	}
	return sum
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
	rs, err := q.QueryContext(ctx, `SELECT id, budget, actor, plans, given_ms FROM cost_approvals WHERE repo_id=$1 AND pull=$2 ORDER BY id`, repo, pull)
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	defer rs.Close()
	var all []Approval
	for rs.Next() {
		var (
			a            Approval
			actor, plans string
			given        int64
		)
		if err := rs.Scan(&a.ID, &a.Budget, &actor, &plans, &given); err != nil {
			return nil, fmt.Errorf("read approvals: %w", err)
		}
		a.Given = moment(given)
		if err := json.Unmarshal([]byte(actor), &a.Actor); err != nil {
			return nil, fmt.Errorf("actor of approval %s: %w", a.ID, err)
		}
		if !strings.HasPrefix(plans, "[") {
			a.own = nil // of before words were kept by project: it covers nothing that adds, so its owner is asked again
		} else if err := json.Unmarshal([]byte(plans), &a.own); err != nil {
			return nil, fmt.Errorf("plans of approval %s: %w", a.ID, err)
		}
		all = append(all, a)
	}
	return all, rs.Err()
}
