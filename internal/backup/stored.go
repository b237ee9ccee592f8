package backup

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// Trouble is a blob that a row names and that can't be used.
type Trouble struct {
	Client string `json:"client"`
	Ref    string `json:"ref"`
	State  string `json:"state,omitempty"` // where it is a version of one
	Seq    int64  `json:"version,omitempty"`
	Why    string `json:"why"` // a sentence
}

// Stored says how the blobs are.
type Stored struct {
	Checked int64     // that rows name and that were read to their end
	Bytes   int64     // of those, as they lie there
	Missing []Trouble // that rows name and that are not there
	Damaged []Trouble // that rows name, and that are not what was put
	Orphans Orphans
}

// Orphans are blobs that no row names.
type Orphans struct {
	Count int64
	Bytes int64
	Young int64 // besides, that are too young to tell: the row of each may be still to come
	Alien int64 // besides, of clients that are not in this database: another installation's, perhaps
}

// readers is how many blobs are read at once.
const readers = 4

// CheckBlobs reads every blob that a row names to its end, versions of states
// by their hash too, and counts what no row names and is older than age. It
// changes nothing, and the server may run meanwhile. The error is of what kept
// it from looking; what it found is in the report.
func CheckBlobs(ctx context.Context, d *db.DB, blobs *blob.Store, states *state.Store, age time.Duration, progress func(Progress)) (s Stored, err error) {
	refs, err := References(ctx, d)
	if err != nil {
		return s, err
	}
	versions, err := versionsOf(ctx, d)
	if err != nil {
		return s, err
	}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for ref := range refs {
		g.Go(func() error {
			v := versions[ref]
			n, why, err := readBlob(gctx, blobs, states, ref, v)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			t := Trouble{Client: ref.Client, Ref: ref.Name, State: v.state, Seq: v.seq}
			switch {
			case errs.Is(why, errs.NotFound):
				t.Why = "It is not there."
				s.Missing = append(s.Missing, t)
			case why != nil:
				t.Why = errs.Sentence(why)
				s.Damaged = append(s.Damaged, t)
			default:
				s.Checked, s.Bytes = s.Checked+1, s.Bytes+n
			}
			if progress != nil {
				progress(Progress{Part: "reading", Blobs: s.Checked, Bytes: s.Bytes})
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return s, err
	}
	// What retention removed meanwhile is no loss.
	if len(s.Missing) > 0 {
		now, err := References(ctx, d)
		if err != nil {
			return s, err
		}
		s.Missing = slices.DeleteFunc(s.Missing, func(t Trouble) bool { return !now[Ref{t.Client, t.Ref}] })
	}
	for _, all := range [][]Trouble{s.Missing, s.Damaged} {
		slices.SortFunc(all, func(a, b Trouble) int { return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Ref, b.Ref)) })
	}
	s.Orphans, err = countOrphans(ctx, d, blobs, time.Now().Add(-age))
	return s, err
}

// blobVersion is the version of a state that lies in a blob.
type blobVersion struct {
	client, state, sha256 string
	seq                   int64
}

func versionsOf(ctx context.Context, q db.Querier) (map[Ref]blobVersion, error) {
	rows, err := q.QueryContext(ctx, `SELECT v.client_id, v.blob_ref, s.name, v.seq, v.sha256 FROM state_versions v JOIN states s ON s.id = v.state_id WHERE v.blob_ref <> ''`)
	if err != nil {
		return nil, fmt.Errorf("find versions of states: %w", err)
	}
	defer rows.Close()
	all := map[Ref]blobVersion{}
	for rows.Next() {
		var ref Ref
		var v blobVersion
		if err := rows.Scan(&ref.Client, &ref.Name, &v.state, &v.seq, &v.sha256); err != nil {
			return nil, fmt.Errorf("find versions of states: %w", err)
		}
		v.client = ref.Client
		all[ref] = v
	}
	return all, rows.Err()
}

// readBlob reads one to its end. why is what is wrong with it; err is what says
// nothing of it: a bucket that does not answer.
func readBlob(ctx context.Context, blobs *blob.Store, states *state.Store, ref Ref, v blobVersion) (n int64, why, err error) {
	var r io.ReadCloser
	if v.state == "" {
		r, err = blobs.Get(ctx, ref.Client, ref.Name)
	} else {
		var of state.Version
		of, r, err = states.ReadVersion(ctx, v.client, v.state, v.seq)
		if err != nil && of.Key != "" && !states.Keys.Has(of.Key) {
			return 0, err, nil
		}
	}
	if err == nil {
		sum := sha256.New()
		n, err = io.Copy(sum, r)
		err = errors.Join(err, r.Close())
		if err == nil && v.state != "" && hex.EncodeToString(sum.Sum(nil)) != v.sha256 {
			err = errs.New(errs.Internal, "It has another hash than when it was written.")
		}
	}
	if ctx.Err() != nil {
		return n, nil, ctx.Err()
	}
	if errs.Is(err, errs.Unavailable) {
		return n, nil, err
	}
	return n, err, nil
}

// household tells what is whose among the blobs.
type household struct {
	refs    map[Ref]bool
	clients map[string]bool
}

func householdOf(ctx context.Context, d *db.DB) (h household, err error) {
	if h.refs, err = References(ctx, d); err != nil {
		return h, err
	}
	h.clients = map[string]bool{"probe": true} // what a doctor that was killed has left
	rows, err := d.QueryContext(ctx, `SELECT id FROM clients`)
	if err != nil {
		return h, fmt.Errorf("list clients: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return h, fmt.Errorf("list clients: %w", err)
		}
		h.clients[id] = true
	}
	return h, rows.Err()
}

// orphan reports whether no row names the blob. Those of clients that the
// database does not know are none: a bucket may be shared, with a replica too.
func (h household) orphan(client, ref string) bool {
	return h.clients[client] && !h.refs[Ref{client, ref}]
}

func countOrphans(ctx context.Context, d *db.DB, blobs *blob.Store, before time.Time) (o Orphans, err error) {
	h, err := householdOf(ctx, d)
	if err != nil {
		return o, err
	}
	err = blobs.List(ctx, "", func(i blob.Item) error {
		switch {
		case !h.clients[i.Client]:
			if !strings.HasPrefix(i.Client, "replica-") {
				o.Alien++
			}
		case !h.orphan(i.Client, i.Ref):
		case i.Written.Before(before):
			o.Count, o.Bytes = o.Count+1, o.Bytes+i.Size
		default:
			o.Young++
		}
		return nil
	})
	return o, err
}

// SweepBlobs deletes blobs that no row names and that are older than age, and
// returns them; where dry, those that it would delete. It is refused while the
// database is held after a restore: what it does not know may be all that is
// left of what was written after the backup.
func SweepBlobs(ctx context.Context, d *db.DB, blobs *blob.Store, age time.Duration, dry bool, actor access.Actor) (swept []blob.Item, err error) {
	if age < time.Hour {
		return nil, errs.New(errs.Invalid, "Blobs that are younger than an hour are not swept: the row that names one may be still to come.")
	}
	var held int
	if err := d.QueryRowContext(ctx, `SELECT count(*) FROM recoveries WHERE ended_ms = 0`).Scan(&held); err != nil {
		return nil, fmt.Errorf("look for a restore: %w", err)
	}
	if held > 0 {
		return nil, errs.New(errs.Conflict, "The database came back from a backup, and what it does not know may be newer than that, and all that is left of it. End the restore first, with `tidelock restore finish`.")
	}
	h, err := householdOf(ctx, d)
	if err != nil {
		return nil, err
	}
	swept, err = blobs.Sweep(ctx, time.Now().Add(-age), dry, func(client, ref string) bool { return !h.orphan(client, ref) })
	if dry || len(swept) == 0 {
		return swept, err
	}
	var bytes int64
	for _, i := range swept {
		bytes += i.Size
	}
	ctx = context.WithoutCancel(ctx) // what is gone is gone, and stands in the audit trail
	return swept, errors.Join(err, d.Tx(ctx, func(tx *db.Tx) error {
		return access.NewTrail(d).Record(ctx, tx, access.Event{Action: "blobs.swept", Subject: "blobs", Actor: actor, Detail: map[string]any{"blobs": len(swept), "bytes": bytes, "older_than": age.String()}})
	}))
}
