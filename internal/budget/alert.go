package budget

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

// Alert is a threshold that a budget has reached. Each is told once a month:
// falling below it and rising again is not told a second time.
type Alert struct {
	Budget    string    `json:"budget"`
	Month     Month     `json:"month"`
	Threshold string    `json:"threshold"` // "percent 80"
	Change    string    `json:"change"`    // whose merge or apply reached it; "" where time did
	Text      string    `json:"text"`      // a sentence, plain text; of a shared budget without amounts
	At        time.Time `json:"at"`
}

type alertKey struct{ budget, month, threshold string }

// alerted reads when thresholds were told of.
func alerted(ctx context.Context, q db.Querier) (map[alertKey]time.Time, error) {
	rs, err := q.QueryContext(ctx, `SELECT budget, month, threshold, at_ms FROM cost_alerts`)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rs.Close()
	out := map[alertKey]time.Time{}
	for rs.Next() {
		var k alertKey
		var at int64
		if err := rs.Scan(&k.budget, &k.month, &k.threshold, &at); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		out[k] = moment(at)
	}
	return out, rs.Err()
}

// Alert writes down which thresholds are reached now and were not told of in
// their month, each with its audit event, and returns them for the caller to
// tell. Of several who ask at once, one gets each. change is what may have
// reached them, "" where that is time alone.
func (s *Store) Alert(ctx context.Context, tx *db.Tx, change string) ([]Alert, error) {
	due, err := s.due(ctx, tx, change)
	if err != nil {
		return nil, err
	}
	var out []Alert
	for _, a := range due {
		first, err := s.keepAlert(ctx, tx, a)
		if err != nil {
			return nil, err
		}
		if first {
			out = append(out, a.Alert)
		}
	}
	return out, nil
}

// AlertDue reports whether time alone has reached a threshold that was not told
// of. It only reads: who looks often need not keep others from writing.
func (s *Store) AlertDue(ctx context.Context) (bool, error) {
	if s == nil {
		return false, nil
	}
	some := false
	err := s.db.Read(ctx, func(q db.Querier) error {
		due, err := s.due(ctx, q, "")
		some = len(due) > 0
		return err
	})
	return some, err
}

// dueAlert is an alert and whose it is: "" where the budget looks at several
// clients.
type dueAlert struct {
	Alert
	client string
}

// due finds the thresholds that are reached and were not told of.
func (s *Store) due(ctx context.Context, q db.Querier, change string) ([]dueAlert, error) {
	if s == nil || !s.watched() {
		return nil, nil
	}
	var of subject
	if change != "" {
		var err error
		if of, err = s.subject(ctx, q, change); err != nil || of.client == "" {
			return nil, err
		}
	}
	l, err := s.load(ctx, q, part{client: s.reach(of.client)})
	if err != nil {
		return nil, err
	}
	told, err := alerted(ctx, q)
	if err != nil {
		return nil, err
	}
	dated, err := pricesOf(ctx, q, change)
	if err != nil {
		return nil, err
	}
	var out []dueAlert
	for _, b := range s.budgets {
		if m, current := b.month(l.now); !current || len(b.Thresholds) == 0 || MonthOf(l.now).Before(m) {
			continue
		}
		p, err := s.stand(ctx, l, b, "")
		if err != nil {
			return nil, err
		}
		if change != "" && !p.clients[of.client] {
			continue
		}
		client := ""
		if len(p.clients) == 1 {
			for c := range p.clients {
				client = c
			}
		}
		st := p.status(l, told)
		for _, t := range st.Thresholds {
			if t.Crossed && t.Alerted.IsZero() {
				out = append(out, dueAlert{Alert{Budget: b.Name, Month: p.month, Threshold: t.key(), Change: change, Text: st.says(t) + dated, At: l.now}, client})
			}
		}
	}
	return out, nil
}

// pricesOf says how old the prices are that the change's plans were estimated
// by: what tells of costs says so.
func pricesOf(ctx context.Context, q db.Querier, change string) (string, error) {
	rs, err := q.QueryContext(ctx, `SELECT as_of FROM cost_ledger WHERE change_id=$1`, change)
	if err != nil {
		return "", fmt.Errorf("prices of change %s: %w", change, err)
	}
	defer rs.Close()
	var all []Entry
	for rs.Next() {
		var e Entry
		if err := rs.Scan(&e.Amounts.AsOf); err != nil {
			return "", fmt.Errorf("prices of change %s: %w", change, err)
		}
		all = append(all, e)
	}
	return Verdict{AsOf: asOf(all)}.Dated(), rs.Err()
}

// watched reports whether any budget has a threshold.
func (s *Store) watched() bool {
	for _, b := range s.budgets {
		if len(b.Thresholds) > 0 {
			return true
		}
	}
	return false
}

// keepAlert writes an alert down. It reports false where somebody was first.
func (s *Store) keepAlert(ctx context.Context, tx *db.Tx, a dueAlert) (bool, error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO cost_alerts (budget, client_id, month, threshold, change_id, at_ms, text) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (budget, month, threshold) DO NOTHING`, a.Budget, a.client, a.Month.String(), a.Threshold, a.Change, db.Millis(a.At), a.Text)
	if err != nil {
		return false, fmt.Errorf("alert of budget %s: %w", a.Budget, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, s.trail.Record(ctx, tx, access.Event{
		Client: a.client, Action: "budget.alert", Subject: a.Budget, Actor: access.Actor{Kind: access.Schedule, Name: "budgets"}, At: a.At,
		Detail: map[string]any{"month": a.Month.String(), "threshold": a.Threshold, "change": a.Change, "text": a.Text},
	})
}

// Alerts returns what was told in a change's comment, the oldest first.
func (s *Store) Alerts(ctx context.Context, q db.Querier, change string) ([]Alert, error) {
	if s == nil {
		return nil, nil
	}
	rs, err := q.QueryContext(ctx, `SELECT budget, month, threshold, at_ms, text FROM cost_alerts WHERE change_id=$1 ORDER BY at_ms, budget, threshold`, change)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rs.Close()
	var all []Alert
	for rs.Next() {
		a := Alert{Change: change}
		var month string
		var at int64
		if err := rs.Scan(&a.Budget, &month, &a.Threshold, &at, &a.Text); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		a.At = moment(at)
		if a.Month, err = ParseMonth(month); err != nil {
			return nil, fmt.Errorf("alert of budget %s: %w", a.Budget, err)
		}
		all = append(all, a)
	}
	return all, rs.Err()
}

// says is the sentence of an alert.
func (st Status) says(t Threshold) string {
	mark := t.mark(st.Currency, st.Shared)
	if st.Shared {
		return fmt.Sprintf("The budget %s has reached %s of %s.", st.Budget, mark, st.Month)
	}
	how := ""
	switch {
	case !st.Known:
		how = "about "
	case st.AtLeast:
		how = "at least "
	}
	what := "what it looks at costs " + how + cost.Money(st.Rate.Add(st.Merged), st.Currency) + " a month"
	if t.Kind == Projected {
		what = st.Month.String() + " is heading for " + how + cost.Money(st.Projected, st.Currency)
	}
	return fmt.Sprintf("The budget %s has reached %s: %s, and the budget is %s.", st.Budget, mark, what, cost.Money(st.Amount, st.Currency))
}

// Name says which threshold it is, in words: "80 %", "$4,000.00", "100 % by
// forecast".
func (t Threshold) Name(currency string) string {
	switch t.Kind {
	case Absolute:
		return cost.Money(t.Value, currency)
	case Projected:
		return t.Value.String() + "\u00a0% by forecast"
	}
	return t.Value.String() + "\u00a0%"
}
