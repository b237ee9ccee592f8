package actuals

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Store keeps what was billed, who imported it, and which resources are whose.
type Store struct {
	db    *db.DB
	trail *access.Trail
	rules Rules
	now   func() time.Time
	told  toldMonths
}

// NewStore returns the store of a database; now is nil for the clock.
func NewStore(d *db.DB, trail *access.Trail, rules Rules, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: d, trail: trail, rules: rules, now: now}
}

// What became of a part.
const (
	Added    = "added"
	Replaced = "replaced"
	Same     = "unchanged"
	Removed  = "removed" // the newer export no longer has the sub account
)

// Outcome is what an import did with one part.
type Outcome struct {
	Part
	What string `json:"what"`
	Was  int64  `json:"was_lines,omitempty"` // lines before
}

// Import is one import as its history keeps it.
type Import struct {
	ID      string       `json:"id"`
	At      time.Time    `json:"at"`
	Actor   access.Actor `json:"actor"`
	Client  string       `json:"client,omitempty"` // slug, where all of it was said to be one client's
	Forced  bool         `json:"forced,omitempty"`
	Sources []Source     `json:"sources"`
	Parts   []Outcome    `json:"parts"`
}

// Changed reports whether the import changed anything.
func (i Import) Changed() bool {
	return slices.ContainsFunc(i.Parts, func(o Outcome) bool { return o.What != Same })
}

// ImportOptions say how an import is meant.
type ImportOptions struct {
	Actor  access.Actor
	Client string // slug of whose all of it is; "": the rules say
	Force  bool   // also what is older than what is there, or looks cut
	// SubAccounts is set where the export covers only the sub accounts that it
	// has, and not all of their billing account.
	SubAccounts bool
	Dry         bool // compare, and store nothing
}

// kept is a part as the database has it.
type kept struct {
	id, client string
	imported   string // ID of the last import that had it, changed or not
	Part
}

// stale is for how long rows that nobody shows may belong to an import that is
// under way.
const stale = 24 * time.Hour

// Import puts what was read in the place of what is there of the same billing
// periods and accounts, all at once: whoever reads meanwhile sees all of it or
// nothing. An export that was imported before changes nothing, and its history
// stays as it is.
//
// errs.Conflict, and nothing is changed: the export ends earlier than what is
// there, has less than half its lines, or lacks sub accounts that are there,
// and Force is not set; or another import has changed the same period
// meanwhile.
func (s *Store) Import(ctx context.Context, r *Reading, o ImportOptions) (Import, error) {
	in := Import{ID: uuid.Must(uuid.NewV7()).String(), At: s.now().UTC(), Actor: o.Actor, Client: o.Client, Forced: o.Force, Sources: r.Sources}
	before, err := s.parts(ctx, s.db, r.Parts)
	if err != nil {
		return in, err
	}
	if o.Client != "" {
		var n int
		if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM clients WHERE slug = $1`, o.Client).Scan(&n); err != nil {
			return in, fmt.Errorf("import: %w", err)
		}
		if n == 0 {
			return in, errs.New(errs.NotFound, "There is no client %q. Nothing was imported.", o.Client)
		}
	}
	if in.Parts, err = compare(r.Parts, before, o); err != nil || o.Dry || !in.Changed() {
		return in, err
	}
	if err := s.sweep(ctx); err != nil {
		return in, err
	}
	ids, err := s.write(ctx, r, in)
	if err == nil {
		err = s.db.Tx(ctx, func(tx *db.Tx) error { return s.swap(ctx, tx, in, ids, before, o) })
	}
	if err != nil {
		return in, errors.Join(err, s.letGo(context.WithoutCancel(ctx), ids))
	}
	return in, s.sweep(ctx)
}

// letGo has the rows of an import that failed deleted by the next one. Where
// even that fails they are found to be stale.
func (s *Store) letGo(ctx context.Context, ids map[unit]string) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `UPDATE billing_loose SET at_ms = 0 WHERE part_id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// compare says what becomes of each part.
func compare(parts []Part, before map[unit]kept, o ImportOptions) ([]Outcome, error) {
	var all []Outcome
	type totals struct {
		was, is     int64
		have, there time.Time
		gone        []string
	}
	accounts := map[unit]*totals{}
	in := map[unit]bool{}
	of := func(u unit) *totals {
		t := accounts[u.account()]
		if t == nil {
			t = &totals{}
			accounts[u.account()] = t
		}
		return t
	}
	for _, p := range parts {
		in[p.unit] = true
		old, ok := before[p.unit]
		out := Outcome{Part: p, What: Added, Was: old.Lines}
		if ok && old.Digest == p.Digest && old.client == o.Client {
			out.What = Same
		} else if ok {
			out.What = Replaced
		}
		all = append(all, out)
		t := of(p.unit)
		t.was += old.Lines
		t.is += p.Lines
		t.have, t.there = later(t.have, p.Through), later(t.there, old.Through)
	}
	for u, old := range before {
		if in[u] || o.SubAccounts {
			continue
		}
		t := of(u)
		t.was += old.Lines
		t.there = later(t.there, old.Through)
		t.gone = append(t.gone, u.SubAccount)
		all = append(all, Outcome{Part: old.Part, What: Removed, Was: old.Lines})
	}
	slices.SortFunc(all, func(a, b Outcome) int { return a.unit.compare(b.unit) })
	if o.Force {
		return all, nil
	}
	var refused []string
	for _, u := range sortedUnits(accounts) {
		t := accounts[u]
		name := fmt.Sprintf("%s, account %s, from %s", u.Provider, u.Account, u.Period)
		switch {
		case len(t.gone) > 0:
			slices.Sort(t.gone)
			shown := strings.Join(t.gone[:min(len(t.gone), 5)], ", ")
			refused = append(refused, fmt.Sprintf("%s: the export lacks %d of the sub accounts that are there (%s). Name all files of the export in one command; with --sub-accounts only those that it has are replaced.", name, len(t.gone), shown))
		case t.was > 20 && t.is*2 < t.was:
			refused = append(refused, fmt.Sprintf("%s: the export has %d lines, and what is there %d: it looks cut. Name all files of the export in one command.", name, t.is, t.was))
		case t.have.Before(t.there):
			refused = append(refused, fmt.Sprintf("%s: the export ends at %s, and what is there at %s: it is older.", name, t.have.Format(time.RFC3339), t.there.Format(time.RFC3339)))
		}
	}
	if len(refused) > 0 {
		return all, errs.New(errs.Conflict, "%s\nNothing was changed; --force takes the export as it is.", strings.Join(refused, "\n"))
	}
	return all, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (u unit) compare(o unit) int {
	for _, c := range [...]int{strings.Compare(u.Period, o.Period), strings.Compare(u.Provider, o.Provider), strings.Compare(u.Account, o.Account), strings.Compare(u.SubAccount, o.SubAccount)} {
		if c != 0 {
			return c
		}
	}
	return 0
}

func sortedUnits[T any](m map[unit]T) []unit {
	var all []unit
	for u := range m {
		all = append(all, u)
	}
	slices.SortFunc(all, unit.compare)
	return all
}

// parts returns what is there of the accounts and periods that the parts have.
func (s *Store) parts(ctx context.Context, q db.Querier, parts []Part) (map[unit]kept, error) {
	asked := map[unit]bool{}
	for _, p := range parts {
		asked[p.account()] = true
	}
	all := map[unit]kept{}
	for u := range asked {
		some, err := partsWhere(ctx, q, `WHERE period = $1 AND provider = $2 AND billing_account = $3`, u.Period, u.Provider, u.Account)
		if err != nil {
			return nil, err
		}
		for _, k := range some {
			all[k.unit] = k
		}
	}
	return all, nil
}

func partsWhere(ctx context.Context, q db.Querier, where string, args ...any) ([]kept, error) {
	rows, err := q.QueryContext(ctx, `SELECT period, provider, billing_account, sub_account, id, import_id, period_end_ms, through_ms, sub_account_name, client, digest, lines, rows, totals
		FROM billing_parts `+where+` ORDER BY period, provider, billing_account, sub_account`, args...)
	if err != nil {
		return nil, fmt.Errorf("read imported periods: %w", err)
	}
	defer rows.Close()
	var all []kept
	for rows.Next() {
		var k kept
		var end, through int64
		var totals string
		if err := rows.Scan(&k.Period, &k.Provider, &k.Account, &k.SubAccount, &k.id, &k.imported, &end, &through, &k.Name, &k.client, &k.Digest, &k.Lines, &k.Rows, &totals); err != nil {
			return nil, fmt.Errorf("read imported periods: %w", err)
		}
		if err := json.Unmarshal([]byte(totals), &k.Totals); err != nil {
			return nil, fmt.Errorf("totals of %v: %w", k.unit, err)
		}
		k.End = db.FromMillis(end).UTC()
		if through != 0 {
			k.Through = db.FromMillis(through).UTC()
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// perInsert is how many rows one statement writes, perTx how many one
// transaction: others write in between.
const (
	perInsert = 50
	perTx     = 5000
	rowFields = 16
)

// write stores the rows of the parts that change, where nobody looks yet, and
// returns the parts' new IDs.
func (s *Store) write(ctx context.Context, r *Reading, in Import) (map[unit]string, error) {
	ids := map[unit]string{}
	for _, o := range in.Parts {
		if o.What == Added || o.What == Replaced {
			ids[o.unit] = uuid.Must(uuid.NewV7()).String()
		}
	}
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `INSERT INTO billing_loose (part_id, at_ms) VALUES ($1, $2)`, id, db.Millis(in.At.Add(stale))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var args []any
	n := map[string]int64{}
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		err := s.db.Tx(ctx, func(tx *db.Tx) error {
			for some := range slices.Chunk(args, perInsert*rowFields) {
				if _, err := tx.ExecContext(ctx, insertRows(len(some)/rowFields), some...); err != nil {
					return err
				}
			}
			return nil
		})
		args = args[:0]
		return err
	}
	err = r.groups.each(func(g *group) error {
		id, ok := ids[g.unit]
		if !ok {
			return nil
		}
		correction := 0
		if g.correction {
			correction = 1
		}
		n[id]++
		args = append(args, id, n[id], g.service, g.resource, g.resourceName, g.resourceType, g.region, g.category, correction, g.currency, g.tags,
			g.billed.String(), g.effective.String(), g.list.String(), g.lines, g.unlisted)
		if len(args) >= perTx*rowFields {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return ids, fmt.Errorf("import: %w", err)
	}
	return ids, nil
}

func insertRows(n int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO billing_rows (part_id, n, service, resource_id, resource_name, resource_type, region, category, correction, currency, tags, billed, effective, list, lines, unlisted) VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		for f := range rowFields {
			mark := byte(',')
			if f == 0 {
				mark = '('
			}
			b.WriteByte(mark)
			fmt.Fprintf(&b, "$%d", i*rowFields+f+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// swap shows the new rows in the place of the old, with the history.
func (s *Store) swap(ctx context.Context, tx *db.Tx, in Import, ids map[unit]string, before map[unit]kept, o ImportOptions) error {
	parts := make([]Part, len(in.Parts))
	for i, p := range in.Parts {
		parts[i] = p.Part
	}
	if err := tx.Serialize(ctx, "billing import"); err != nil {
		return err
	}
	now, err := s.parts(ctx, tx, parts)
	if err != nil {
		return err
	}
	moved := len(now) != len(before)
	for u, k := range before {
		moved = moved || now[u].id != k.id
	}
	if moved {
		return errs.New(errs.Conflict, "Another import has changed the same billing periods meanwhile. Nothing was changed; import again.")
	}
	for _, p := range in.Parts {
		if p.What == Same { // that the newer export has it too tells how far it goes
			if _, err := tx.ExecContext(ctx, `UPDATE billing_parts SET import_id = $1 WHERE id = $2`, in.ID, before[p.unit].id); err != nil {
				return err
			}
			continue
		}
		if old, ok := before[p.unit]; ok {
			if _, err := tx.ExecContext(ctx, `DELETE FROM billing_parts WHERE period = $1 AND provider = $2 AND billing_account = $3 AND sub_account = $4`, p.Period, p.Provider, p.Account, p.SubAccount); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO billing_loose (part_id, at_ms) VALUES ($1, 0)`, old.id); err != nil {
				return err
			}
		}
		if p.What == Removed {
			continue
		}
		totals, err := json.Marshal(p.Totals)
		if err != nil {
			return err
		}
		id := ids[p.unit]
		res, err := tx.ExecContext(ctx, `DELETE FROM billing_loose WHERE part_id = $1`, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errs.New(errs.Conflict, "The import took longer than a day, and what it wrote is gone. Import again."))
		}
		through := int64(0)
		if !p.Through.IsZero() {
			through = db.Millis(p.Through)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO billing_parts (period, provider, billing_account, sub_account, id, import_id, period_end_ms, through_ms, sub_account_name, client, digest, lines, rows, totals)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			p.Period, p.Provider, p.Account, p.SubAccount, id, in.ID, db.Millis(p.End), through, p.Name, o.Client, p.Digest, p.Lines, p.Rows, string(totals)); err != nil {
			return err
		}
	}
	return s.keep(ctx, tx, in)
}

// keep writes the history of an import.
func (s *Store) keep(ctx context.Context, tx *db.Tx, in Import) error {
	actor, err := json.Marshal(in.Actor)
	if err != nil {
		return err
	}
	sources, err := json.Marshal(in.Sources)
	if err != nil {
		return err
	}
	parts, err := json.Marshal(in.Parts)
	if err != nil {
		return err
	}
	forced := 0
	if in.Forced {
		forced = 1
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO billing_imports (id, at_ms, actor, client, forced, sources, parts) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		in.ID, db.Millis(in.At), string(actor), in.Client, forced, string(sources), string(parts)); err != nil {
		return err
	}
	return s.trail.Record(ctx, tx, access.Event{Action: "billing.imported", Subject: "billing import " + in.ID, Actor: in.Actor, At: in.At,
		Detail: map[string]any{"sources": in.Sources, "parts": len(in.Parts), "client": in.Client, "forced": in.Forced}})
}

// sweep deletes the rows that nobody shows, some at a time.
func (s *Store) sweep(ctx context.Context) error {
	for {
		var id string
		err := s.db.QueryRowContext(ctx, `SELECT coalesce(min(part_id), '') FROM billing_loose WHERE at_ms < $1`, db.Millis(s.now())).Scan(&id)
		if err != nil || id == "" {
			return err
		}
		for more := true; more; {
			err := s.db.Tx(ctx, func(tx *db.Tx) error {
				var from int64
				if err := tx.QueryRowContext(ctx, `SELECT coalesce(min(n), 0) FROM billing_rows WHERE part_id = $1`, id).Scan(&from); err != nil {
					return err
				}
				if more = from > 0; !more {
					_, err := tx.ExecContext(ctx, `DELETE FROM billing_loose WHERE part_id = $1`, id)
					return err
				}
				_, err := tx.ExecContext(ctx, `DELETE FROM billing_rows WHERE part_id = $1 AND n < $2`, id, from+perTx)
				return err
			})
			if err != nil {
				return fmt.Errorf("delete rows that were replaced: %w", err)
			}
		}
	}
}

// History returns the imports, the last one first, at most limit.
func (s *Store) History(ctx context.Context, limit int) ([]Import, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, at_ms, actor, client, forced, sources, parts FROM billing_imports ORDER BY id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("history of imports: %w", err)
	}
	defer rows.Close()
	var all []Import
	for rows.Next() {
		var i Import
		var at, forced int64
		var actor, sources, parts string
		if err := rows.Scan(&i.ID, &at, &actor, &i.Client, &forced, &sources, &parts); err != nil {
			return nil, fmt.Errorf("history of imports: %w", err)
		}
		for text, into := range map[*string]any{&actor: &i.Actor, &sources: &i.Sources, &parts: &i.Parts} {
			if err := json.Unmarshal([]byte(*text), into); err != nil {
				return nil, fmt.Errorf("import %s: %w", i.ID, err)
			}
		}
		i.At, i.Forced = db.FromMillis(at).UTC(), forced == 1
		all = append(all, i)
	}
	return all, rows.Err()
}
