package explorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/state"
)

// format is of what is written. Whoever changes what is kept of a resource
// raises it, and everything is read anew.
const format = 2

// Index is the inventory in the database. It is safe for concurrent use, by
// several processes too.
type Index struct {
	db     *db.DB
	states *state.Store // nil where states are not read
	log    *slog.Logger
	now    func() time.Time

	mu    sync.Mutex
	later map[string]time.Time // states that could not be read for now, until when
}

// New returns the inventory. Without states it can be searched, and takes
// plans; log and now may be nil.
func New(d *db.DB, states *state.Store, log *slog.Logger, now func() time.Time) *Index {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	return &Index{db: d, states: states, log: log, now: now, later: map[string]time.Time{}}
}

// The kinds of source.
const (
	kindState = "state"
	kindPlan  = "plan"
)

// source is where resources are known from.
type source struct {
	id, client, kind, state string
	repo                    int64
	dir, workspace          string
	name, lineage, version  string
	resources               int
	note                    string
	asOf                    int64
}

// errOvertaken says that somebody began to write the same source later, and
// does it.
var errOvertaken = errors.New("somebody else writes the same")

// batch is how many resources are written in one transaction: others write
// meanwhile.
const batch = 200

// writing brings what is kept of a source to what it has now, in small
// transactions. Until the last the source counts as not read.
type writing struct {
	x    *Index
	src  source
	turn int64
	have map[string]string // digests of what was there, by address
	seen map[string]bool
	rows []row
	full bool // there were more than are kept
}

// begin starts a writing, and ends any other of the same source.
func (x *Index) begin(ctx context.Context, src source) (*writing, error) {
	w := &writing{x: x, src: src, have: map[string]string{}, seen: map[string]bool{}}
	err := x.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO inventory_sources (id, client_id, kind, state_id, repo_id, dir, workspace, name, lineage, as_of_ms, turn) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)
			ON CONFLICT (id) DO UPDATE SET turn = inventory_sources.turn + 1, version_id = '', format = 0`,
			src.id, src.client, src.kind, src.state, src.repo, src.dir, src.workspace, src.name, src.lineage, src.asOf)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT turn FROM inventory_sources WHERE id = $1`, src.id).Scan(&w.turn)
	})
	if err != nil {
		return nil, err
	}
	return w, db.Each(ctx, x.db, func(scan func(...any) error) error {
		var address, digest string
		err := scan(&address, &digest)
		w.have[address] = digest
		return err
	}, `SELECT address, digest FROM inventory_resources WHERE source_id = $1`, src.id)
}

// add keeps a resource.
func (w *writing) add(ctx context.Context, r row) error {
	if w.seen[r.address] { // no state that Terraform wrote has one twice
		return nil
	}
	if len(w.seen) >= maxResources {
		w.full = true
		return nil
	}
	w.seen[r.address] = true
	old, had := w.have[r.address]
	delete(w.have, r.address)
	if had && old == r.digest {
		return nil
	}
	w.rows = append(w.rows, r)
	if len(w.rows) < batch {
		return nil
	}
	return w.flush(ctx)
}

// flush writes what has gathered.
func (w *writing) flush(ctx context.Context) error {
	if len(w.rows) == 0 {
		return nil
	}
	err := w.tx(ctx, func(tx *db.Tx) error {
		for some := range slices.Chunk(w.rows, 20) {
			if err := w.insert(ctx, tx, some); err != nil {
				return err
			}
		}
		return nil
	})
	w.rows = w.rows[:0]
	return err
}

func (w *writing) insert(ctx context.Context, tx *db.Tx, rows []row) error {
	var text strings.Builder
	var args []any
	text.WriteString(`INSERT INTO inventory_resources (source_id, address, client_id, type, name, module, provider, cloud_id, arn, region, digest) VALUES `)
	for _, r := range rows {
		args = tuple(&text, args, w.src.id, r.address, w.src.client, r.typ, r.name, r.module, r.provider, r.id, r.arn, r.region, r.digest)
	}
	text.WriteString(` ON CONFLICT (source_id, address) DO UPDATE SET client_id = excluded.client_id, type = excluded.type, name = excluded.name, module = excluded.module,
		provider = excluded.provider, cloud_id = excluded.cloud_id, arn = excluded.arn, region = excluded.region, digest = excluded.digest`)
	if _, err := tx.ExecContext(ctx, text.String(), args...); err != nil {
		return err
	}
	text.Reset()
	args = nil
	text.WriteString(`INSERT INTO inventory_attributes (source_id, address, text) VALUES `)
	for _, r := range rows {
		args = tuple(&text, args, w.src.id, r.address, r.text)
	}
	text.WriteString(` ON CONFLICT (source_id, address) DO UPDATE SET text = excluded.text`)
	_, err := tx.ExecContext(ctx, text.String(), args...)
	return err
}

// tuple writes placeholders for more values.
func tuple(text *strings.Builder, args []any, values ...any) []any {
	if len(args) > 0 {
		text.WriteString(", ")
	}
	for i := range values {
		text.WriteString(map[bool]string{true: "(", false: ", "}[i == 0])
		fmt.Fprintf(text, "$%d", len(args)+i+1)
	}
	text.WriteByte(')')
	return append(args, values...)
}

// tx is a transaction of whoever began last.
func (w *writing) tx(ctx context.Context, f func(*db.Tx) error) error {
	return w.x.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE inventory_sources SET turn = turn WHERE id = $1 AND turn = $2`, w.src.id, w.turn)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errOvertaken)
		}
		return f(tx)
	})
}

// finish takes away what is there no more, and has the source count as read.
func (w *writing) finish(ctx context.Context, more func(*db.Tx) error) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	gone := slices.Sorted(maps.Keys(w.have))
	for some := range slices.Chunk(gone, batch) {
		err := w.tx(ctx, func(tx *db.Tx) error {
			for _, address := range some {
				for _, query := range []string{`DELETE FROM inventory_attributes WHERE source_id = $1 AND address = $2`, `DELETE FROM inventory_resources WHERE source_id = $1 AND address = $2`} {
					if _, err := tx.ExecContext(ctx, query, w.src.id, address); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if w.full {
		w.src.note = fmt.Sprintf("It has more resources than the %d that are listed.", maxResources)
	}
	return w.tx(ctx, func(tx *db.Tx) error {
		if more != nil {
			if err := more(tx); err != nil {
				return err
			}
		}
		s := w.src
		_, err := tx.ExecContext(ctx, `UPDATE inventory_sources SET client_id = $1, name = $2, lineage = $3, version_id = $4, format = $5, resources = $6, note = $7, as_of_ms = $8 WHERE id = $9`,
			s.client, s.name, s.lineage, s.version, format, len(w.seen), s.note, s.asOf, s.id)
		return err
	})
}
