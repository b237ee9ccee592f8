package access

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Event is an act that is worth a line in the audit trail.
type Event struct {
	Client  string // client ID; empty for an act on the installation as a whole
	Action  string // what was done: "run.applied", "lock.released"
	Subject string // to what: a kind and an ID, "run 0190…"
	Actor   Actor
	Detail  any       // more facts, as JSON; nil for none. Never a secret: a redact.Secret masks itself
	At      time.Time // now if zero
}

// Entry is an event as the trail keeps it.
type Entry struct {
	Seq     int64 // 1, 2, 3, … over all clients
	ID      string
	Client  string
	At      time.Time
	Actor   Actor
	Action  string
	Subject string
	Detail  json.RawMessage // nil for none
	Hash    string          // hex of SHA-256
}

// Head is where the chain ended at some moment. Kept outside the database it
// proves later that nothing up to there was rewritten.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Trail is the audit trail. It is safe for concurrent use.
type Trail struct{ db *db.DB }

// NewTrail returns the trail of the database.
func NewTrail(d *db.DB) *Trail { return &Trail{d} }

// row is an event as it stands in the table and in its hash.
type row struct {
	seq                           int64
	id, client                    string
	at                            int64
	actor, action, subject, extra string
	prev, hash                    string
}

// sum returns the hash that belongs to r: over every column, each with its
// length before it, so that no two events can be read as one another.
func (r row) sum() string {
	h := sha256.New()
	h.Write([]byte("tidelock event 1\n"))
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	number(r.seq)
	number(r.at)
	for _, s := range []string{r.prev, r.id, r.client, r.actor, r.action, r.subject, r.extra} {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Record appends e in tx. From here until tx ends nobody else can append, so
// it belongs at the end of a transaction's work.
func (t *Trail) Record(ctx context.Context, tx *db.Tx, e Event) error {
	if e.Action == "" || e.Actor.Kind == "" {
		return fmt.Errorf("record event: action %q of actor %q: both are needed", e.Action, e.Actor.Kind)
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("record event %s: %w", e.Action, err)
	}
	actor, err := json.Marshal(e.Actor)
	if err != nil {
		return fmt.Errorf("record event %s: %w", e.Action, err)
	}
	r := row{id: id.String(), client: e.Client, at: db.Millis(e.At), actor: string(actor), action: e.Action, subject: e.Subject}
	if e.Detail != nil {
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("record event %s: detail: %w", e.Action, err)
		}
		r.extra = string(detail)
	}
	// The head's row is the lock on the chain's end.
	err = tx.QueryRowContext(ctx, `UPDATE event_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash`).Scan(&r.seq, &r.prev)
	if err != nil {
		return fmt.Errorf("record event %s: %w", e.Action, err)
	}
	r.hash = r.sum()
	_, err = tx.ExecContext(ctx, `
		INSERT INTO events (seq, id, client_id, at_ms, actor, action, subject, detail, prev_hash, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.seq, r.id, sql.NullString{String: r.client, Valid: r.client != ""}, r.at, r.actor, r.action, r.subject, r.extra, r.prev, r.hash)
	if err != nil {
		return fmt.Errorf("record event %s: %w", e.Action, err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE event_head SET hash = $1 WHERE id = 1`, r.hash); err != nil {
		return fmt.Errorf("record event %s: %w", e.Action, err)
	}
	return nil
}

const columns = `SELECT seq, id, coalesce(client_id, ''), at_ms, actor, action, subject, detail, prev_hash, hash FROM events`

func scan(rows *sql.Rows) (r row, err error) {
	err = rows.Scan(&r.seq, &r.id, &r.client, &r.at, &r.actor, &r.action, &r.subject, &r.extra, &r.prev, &r.hash)
	return r, err
}

// List returns the newest events, at most limit, the newest first: the
// client's, or everybody's where client is empty.
func (t *Trail) List(ctx context.Context, client string, limit int) ([]Entry, error) {
	query, args := columns+` ORDER BY seq DESC LIMIT $1`, []any{limit}
	if client != "" {
		query, args = columns+` WHERE client_id = $2 ORDER BY seq DESC LIMIT $1`, []any{limit, client}
	}
	rows, err := t.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
		e := Entry{Seq: r.seq, ID: r.id, Client: r.client, At: db.FromMillis(r.at), Action: r.action, Subject: r.subject, Hash: r.hash}
		if err := json.Unmarshal([]byte(r.actor), &e.Actor); err != nil {
			return nil, fmt.Errorf("list events: event %d: actor: %w", r.seq, err)
		}
		if r.extra != "" {
			e.Detail = json.RawMessage(r.extra)
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return entries, nil
}

// Head returns where the chain ends now; sequence 0 for a trail without events.
func (t *Trail) Head(ctx context.Context) (Head, error) { return head(ctx, t.db) }

func head(ctx context.Context, q db.Querier) (Head, error) {
	var h Head
	err := q.QueryRowContext(ctx, `SELECT seq, hash FROM event_head WHERE id = 1`).Scan(&h.Seq, &h.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return h, altered("the end of the audit trail is not recorded any more")
	}
	if err != nil {
		return h, fmt.Errorf("read the audit trail's end: %w", err)
	}
	return h, nil
}

// Verify recomputes the whole chain. It returns nil if every event is as it
// was recorded and none is missing, and if the chain runs through each known
// head. Otherwise the error, errs.Conflict, names the first event that is
// wrong.
func (t *Trail) Verify(ctx context.Context, known ...Head) error {
	return t.db.Read(ctx, func(q db.Querier) error {
		end, err := head(ctx, q)
		if err != nil {
			return err
		}
		want := map[int64]string{}
		for _, k := range known {
			if h, ok := want[k.Seq]; ok && h != k.Hash {
				return altered("two known ends of the audit trail contradict each other at event %d", k.Seq)
			}
			if k.Seq > end.Seq {
				return altered("the audit trail ends at event %d, and a known end says that there was an event %d", end.Seq, k.Seq)
			}
			want[k.Seq] = k.Hash
		}
		rows, err := q.QueryContext(ctx, columns+` ORDER BY seq`)
		if err != nil {
			return fmt.Errorf("verify events: %w", err)
		}
		defer rows.Close()
		last := row{}
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return fmt.Errorf("verify events: %w", err)
			}
			switch {
			case r.seq != last.seq+1:
				return altered("event %d of the audit trail is missing: event %d follows event %d", last.seq+1, r.seq, last.seq)
			case r.prev != last.hash:
				return altered("event %d of the audit trail does not follow from the event before it", r.seq)
			case r.hash != r.sum():
				return altered("event %d of the audit trail was changed after it was recorded", r.seq)
			}
			if h, ok := want[r.seq]; ok && h != r.hash {
				return altered("event %d of the audit trail is not the one that a known end tells of", r.seq)
			}
			last = r
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("verify events: %w", err)
		}
		if last.seq != end.Seq || last.hash != end.Hash {
			return altered("the audit trail should end at event %d, and ends at event %d", end.Seq, last.seq)
		}
		return nil
	})
}

// altered says that somebody changed the trail by other means than Record.
func altered(format string, args ...any) error {
	return errs.New(errs.Conflict, "The audit trail was tampered with: "+format+".", args...)
}
