package prices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Store keeps imported prices, who imported them, discounts and rates.
type Store struct {
	db    *db.DB
	trail *access.Trail
	now   func() time.Time
}

// NewStore returns the store of a database; now is nil for the clock.
func NewStore(d *db.DB, trail *access.Trail, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{d, trail, now}
}

// Import is one import of one part, as its history keeps it.
type Import struct {
	ID     string `json:"id"`
	Batch  string `json:"batch"`
	Cloud  string `json:"cloud"`
	Offer  string `json:"service"` // the vendor's name of it
	Region string `json:"region"`
	// Currency is that of the prices: USD, or one that the vendor sets prices in.
	Currency string       `json:"currency"`
	Actor    access.Actor `json:"actor"`
	At       time.Time    `json:"at"`
	Source   string       `json:"source"`
	SHA256   string       `json:"sha256"`
	AsOf     string       `json:"as_of"`
	Whole    bool         `json:"whole"`
	Prices   int          `json:"prices"` // that the list had
	Added    int          `json:"added"`
	Changed  int          `json:"changed"`
	Removed  int          `json:"removed"`
}

// fewest is from how many prices on a part that shrinks to less than half is
// taken for a list that was cut.
const fewest = 20

// Import stores what a list held, each part in a transaction of its own with
// its history and its line in the audit trail. What the list lacks of a whole
// part is removed. With dry, nothing is stored, and what is returned is what
// would be.
//
// A part that would lose more than half of its prices, or that is there of a
// later day, is refused with errs.Conflict and stays as it is, unless force is
// set; the other parts are stored all the same. Import may be repeated: the
// second time changes no price.
func (s *Store) Import(ctx context.Context, r Reading, actor access.Actor, force, dry bool) ([]Import, error) {
	batch := uuid.Must(uuid.NewV7()).String()
	var done []Import
	var refused []error
	for _, p := range r.Parts {
		var imported Import
		store := func(q db.Querier) error {
			imported = Import{
				ID: uuid.Must(uuid.NewV7()).String(), Batch: batch, Cloud: p.Cloud, Offer: p.Offer, Region: p.Region, Currency: p.currency(), Actor: actor, At: s.now().UTC(),
				Source: r.Source, SHA256: r.SHA256, AsOf: r.AsOf, Whole: p.Whole, Prices: len(p.Prices),
			}
			return imported.compare(ctx, q, p, force, !dry)
		}
		var err error
		if dry {
			err = s.db.Read(ctx, store)
		} else {
			err = s.db.Tx(ctx, func(tx *db.Tx) error {
				// By hand and on the schedule at once: the later one compares with
				// what the first has left.
				if err := tx.Serialize(ctx, "prices "+strings.Join([]string{p.Cloud, p.Offer, p.Region, p.currency()}, " ")); err != nil {
					return err
				}
				if err := store(tx); err != nil {
					return err
				}
				return s.keep(ctx, tx, imported)
			})
		}
		switch {
		case errs.Is(err, errs.Conflict):
			refused = append(refused, err)
		case err != nil:
			return done, fmt.Errorf("import prices of %s in %s: %w", p.Offer, p.Region, err)
		default:
			done = append(done, imported)
		}
	}
	return done, errors.Join(refused...)
}

// compare counts what a part changes, and with write changes it.
func (i *Import) compare(ctx context.Context, q db.Querier, p Part, force, write bool) error {
	have, err := partOf(ctx, q, p)
	if err != nil {
		return err
	}
	var put []Price
	for _, price := range p.Prices {
		old, ok := have[price.Key]
		delete(have, price.Key)
		switch {
		case !ok:
			i.Added++
			put = append(put, price)
		case !old.Amount.Equal(price.Amount) || old.Unit != price.Unit:
			i.Changed++
			put = append(put, price)
		}
	}
	if !p.Whole {
		clear(have)
	}
	i.Removed = len(have)
	var last string
	if err := q.QueryRowContext(ctx, `SELECT coalesce(max(as_of), '') FROM price_imports WHERE cloud = $1 AND offer = $2 AND region = $3 AND currency = $4`, p.Cloud, p.Offer, p.Region, p.currency()).Scan(&last); err != nil {
		return err
	}
	kept := len(p.Prices) - i.Added
	switch {
	case force:
	case last > i.AsOf:
		return errs.New(errs.Conflict, "The prices of %s in %s that are there are of %s, and those of the list of %s. Nothing of this part was changed; --force takes the older ones.", p.Offer, p.Region, last, i.AsOf)
	case kept+i.Removed >= fewest && i.Removed > kept:
		return errs.New(errs.Conflict, "The list has %d of the %d prices of %s in %s that are there: it looks cut. Nothing of this part was changed; --force removes the others.", kept, kept+i.Removed, p.Offer, p.Region)
	}
	if !write {
		return nil
	}
	for k := range have {
		where, args := p.within(`cloud = $1 AND service = $2 AND region = $3 AND sku = $4`, k.Cloud, k.Service, k.Region, k.SKU)
		if _, err := q.ExecContext(ctx, `DELETE FROM `+where, args...); err != nil {
			return err
		}
	}
	table, columns, key := "prices", 7, ""
	if p.native() {
		table, columns, key = "prices_native", 8, "currency, "
	}
	for some := range slices.Chunk(put, 100) {
		var text strings.Builder
		text.WriteString(`INSERT INTO ` + table + ` (cloud, service, region, sku, offer, amount, unit`)
		if p.native() {
			text.WriteString(`, currency`)
		}
		text.WriteString(`) VALUES `)
		var args []any
		for n, price := range some {
			if n > 0 {
				text.WriteString(", ")
			}
			for c := range columns {
				fmt.Fprintf(&text, "%c$%d", "(,"[min(c, 1)], n*columns+c+1)
			}
			text.WriteByte(')')
			args = append(args, price.Key.Cloud, price.Key.Service, price.Key.Region, price.Key.SKU, p.Offer, price.Amount.String(), price.Unit)
			if p.native() {
				args = append(args, p.Currency)
			}
		}
		// Two lists may have the same thing, as AmazonEC2 and AWSELB have load
		// balancers: the one that was imported last counts.
		text.WriteString(` ON CONFLICT (` + key + `cloud, service, region, sku) DO UPDATE SET offer = excluded.offer, amount = excluded.amount, unit = excluded.unit`)
		if _, err := q.ExecContext(ctx, text.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// keep writes the history of an import.
func (s *Store) keep(ctx context.Context, tx *db.Tx, i Import) error {
	actor, err := json.Marshal(i.Actor)
	if err != nil {
		return err
	}
	whole := 0
	if i.Whole {
		whole = 1
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO price_imports (id, batch, cloud, offer, region, actor, at_ms, source, sha256, as_of, whole, prices, added, changed, removed, currency)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		i.ID, i.Batch, i.Cloud, i.Offer, i.Region, string(actor), db.Millis(i.At), i.Source, i.SHA256, i.AsOf, whole, i.Prices, i.Added, i.Changed, i.Removed, i.Currency); err != nil {
		return err
	}
	return s.trail.Record(ctx, tx, access.Event{Action: "prices.imported", Subject: "prices " + i.Cloud + " " + i.Offer + " " + i.Region, Actor: i.Actor, At: i.At,
		Detail: map[string]any{"import": i.ID, "source": i.Source, "sha256": i.SHA256, "as_of": i.AsOf, "currency": i.Currency, "prices": i.Prices, "added": i.Added, "changed": i.Changed, "removed": i.Removed}})
}

func partOf(ctx context.Context, q db.Querier, p Part) (map[pricebook.Key]Price, error) {
	where, args := p.within(`cloud = $1 AND offer = $2 AND region = $3`, p.Cloud, p.Offer, p.Region)
	rows, err := q.QueryContext(ctx, `SELECT service, sku, amount, unit FROM `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := map[pricebook.Key]Price{}
	for rows.Next() {
		k := pricebook.Key{Cloud: p.Cloud, Region: p.Region}
		var amount, unit string
		if err := rows.Scan(&k.Service, &k.SKU, &amount, &unit); err != nil {
			return nil, err
		}
		d, err := decimal.NewFromString(amount)
		if err != nil {
			return nil, fmt.Errorf("price of %+v: %w", k, err)
		}
		have[k] = Price{k, d, unit}
	}
	return have, rows.Err()
}

// History returns the imports, the last one first, at most limit.
func (s *Store) History(ctx context.Context, limit int) ([]Import, error) {
	return history(ctx, s.db, `ORDER BY id DESC LIMIT $1`, limit)
}

// ages returns what each part's prices are as of. An import that was not of all
// of a part leaves older prices beside its own, and so a part is as old as the
// oldest import since the last one of all of it.
func ages(ctx context.Context, q db.Querier) (map[partAge]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT i.currency, i.cloud, i.offer, i.region, min(i.as_of) FROM price_imports i
		LEFT JOIN (SELECT currency, cloud, offer, region, max(id) AS id FROM price_imports WHERE whole = 1 GROUP BY currency, cloud, offer, region) w
			ON w.currency = i.currency AND w.cloud = i.cloud AND w.offer = i.offer AND w.region = i.region
		WHERE i.id >= coalesce(w.id, '') GROUP BY i.currency, i.cloud, i.offer, i.region`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[partAge]string{}
	for rows.Next() {
		var p partAge
		var day string
		if err := rows.Scan(&p.currency, &p.cloud, &p.offer, &p.region, &day); err != nil {
			return nil, err
		}
		all[p] = day
	}
	return all, rows.Err()
}

// partAge names a part.
type partAge struct{ currency, cloud, offer, region string }

func history(ctx context.Context, q db.Querier, which string, args ...any) ([]Import, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, batch, cloud, offer, region, actor, at_ms, source, sha256, as_of, whole, prices, added, changed, removed, currency FROM price_imports i `+which, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Import
	for rows.Next() {
		var i Import
		var actor string
		var at int64
		var whole int
		if err := rows.Scan(&i.ID, &i.Batch, &i.Cloud, &i.Offer, &i.Region, &actor, &at, &i.Source, &i.SHA256, &i.AsOf, &whole, &i.Prices, &i.Added, &i.Changed, &i.Removed, &i.Currency); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(actor), &i.Actor); err != nil {
			return nil, fmt.Errorf("actor of import %s: %w", i.ID, err)
		}
		i.At, i.Whole = db.FromMillis(at).UTC(), whole == 1
		all = append(all, i)
	}
	return all, rows.Err()
}
