package prices

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// clientID finds a client by its slug.
func clientID(ctx context.Context, q db.Querier, slug string) (id string, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM clients WHERE slug = $1`, slug).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.New(errs.NotFound, "There is no client %q.", slug)
	}
	return id, err
}

// SetDiscount stores a discount, in the place of one with the same scope and
// day.
func (s *Store) SetDiscount(ctx context.Context, d Discount, actor access.Actor) error {
	if err := d.Check(); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		client, err := clientID(ctx, tx, d.Client)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO price_discounts (client_id, cloud, service, since_day, percent) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (client_id, cloud, service, since_day) DO UPDATE SET percent = excluded.percent`, client, d.Cloud, d.Service, d.Since, d.Percent.String()); err != nil {
			return err
		}
		return s.trail.Record(ctx, tx, access.Event{Client: client, Action: "prices.discount_set", Subject: d.subject(), Actor: actor,
			At: s.now(), Detail: map[string]string{"since": d.Since, "percent": d.Percent.String()}})
	})
}

func (d Discount) subject() string {
	return strings.Join(strings.Fields("discount "+d.Cloud+" "+d.Service), " ")
}

// RemoveDiscount removes the discount of a client on a scope: that which began
// on d.Since, or all of them where that is "". It returns how many there were;
// none is errs.NotFound.
func (s *Store) RemoveDiscount(ctx context.Context, d Discount, actor access.Actor) (n int64, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		client, err := clientID(ctx, tx, d.Client)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `DELETE FROM price_discounts WHERE client_id = $1 AND cloud = $2 AND service = $3 AND ($4 = '' OR since_day = $4)`,
			client, d.Cloud, d.Service, d.Since)
		if err != nil {
			return err
		}
		if n, err = done.RowsAffected(); err != nil {
			return err
		}
		if n == 0 {
			return errs.New(errs.NotFound, "The database has no such discount of %s. `tidelock prices discount list` shows what there is.", d.Client)
		}
		return s.trail.Record(ctx, tx, access.Event{Client: client, Action: "prices.discount_removed", Subject: d.subject(), Actor: actor,
			At: s.now(), Detail: map[string]string{"since": d.Since}})
	})
	return n, err
}

// Discounts returns those of the database, of one client by its slug, or, for
// "", of all.
func (s *Store) Discounts(ctx context.Context, client string) (Discounts, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT c.slug, d.cloud, d.service, d.since_day, d.percent FROM price_discounts d JOIN clients c ON c.id = d.client_id
		WHERE $1 = '' OR c.slug = $1 ORDER BY c.slug, d.cloud, d.service, d.since_day`, client)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all Discounts
	for rows.Next() {
		var d Discount
		var percent string
		if err := rows.Scan(&d.Client, &d.Cloud, &d.Service, &d.Since, &percent); err != nil {
			return nil, err
		}
		if d.Percent, err = decimal.NewFromString(percent); err != nil {
			return nil, fmt.Errorf("discount of %s: %w", d.Client, err)
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// SetRate stores a rate, in the place of one of the same currency and day.
func (s *Store) SetRate(ctx context.Context, r Rate, actor access.Actor) error {
	if err := r.Check(); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO price_rates (currency, day, rate, source) VALUES ($1, $2, $3, $4)
			ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate, source = excluded.source`, r.Currency, r.Day, r.Value.String(), r.Source); err != nil {
			return err
		}
		return s.trail.Record(ctx, tx, access.Event{Action: "prices.rate_set", Subject: "rate " + r.Currency + " " + r.Day, Actor: actor,
			At: s.now(), Detail: map[string]string{"rate": r.Value.String(), "source": r.Source}})
	})
}

// RemoveRate removes the rate of a currency and day.
func (s *Store) RemoveRate(ctx context.Context, currency, day string, actor access.Actor) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM price_rates WHERE currency = $1 AND day = $2`, currency, day)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.New(errs.NotFound, "The database has no rate of %s of %s. `tidelock prices rate list` shows what there is.", currency, day)
		}
		return s.trail.Record(ctx, tx, access.Event{Action: "prices.rate_removed", Subject: "rate " + currency + " " + day, Actor: actor, At: s.now()})
	})
}

// Rates returns the database's rates of a currency, or, for "", of all, the
// oldest first.
func (s *Store) Rates(ctx context.Context, currency string) (Rates, error) {
	return StoredRates(ctx, s.db, currency)
}

// StoredRates is Store.Rates by a transaction or another connection.
func StoredRates(ctx context.Context, q db.Querier, currency string) (Rates, error) {
	rows, err := q.QueryContext(ctx, `SELECT currency, day, rate, source FROM price_rates WHERE $1 = '' OR currency = $1 ORDER BY currency, day`, currency)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all Rates
	for rows.Next() {
		var r Rate
		var value string
		if err := rows.Scan(&r.Currency, &r.Day, &value, &r.Source); err != nil {
			return nil, err
		}
		if r.Value, err = decimal.NewFromString(value); err != nil {
			return nil, fmt.Errorf("rate of %s on %s: %w", r.Currency, r.Day, err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
