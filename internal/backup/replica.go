package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// The times of a replica. A commit is on its way after the first two together
// at the latest; each commit of a second costs a write to the bucket or two.
const (
	watchEvery = 200 * time.Millisecond
	sendEvery  = 200 * time.Millisecond
	// lateAfter is when a replica that lags is told of.
	lateAfter = 10 * time.Second
)

// Replica keeps a copy of an SQLite database in a blob store, as long as it
// runs: each commit is sealed and sent. It is Litestream at work; what is sent
// is Litestream's format, under a seal.
type Replica struct {
	db    *litestream.DB
	store *litestream.Store
	shelf *shelf
	log   *slog.Logger
	began time.Time
}

// StartReplica begins to follow the database at path. Nobody else may replicate
// to the same place. engine is Litestream's own log. Stop ends it. A bucket that
// does not answer is no error: the database goes on, and the lag grows.
func StartReplica(ctx context.Context, path string, to *blob.Store, engine, log *slog.Logger) (*Replica, error) {
	d := litestream.NewDB(path)
	d.MonitorInterval = watchEvery
	d.BusyTimeout = 2 * time.Second
	put := &shelf{store: to}
	d.Replica = litestream.NewReplicaWithClient(d, put)
	d.Replica.SyncInterval = sendEvery
	// What Litestream keeps beside the database may be lost, or be that of an
	// older one that came back: then the replica begins anew with a snapshot.
	d.Replica.AutoRecoverEnabled = true
	s := litestream.NewStore([]*litestream.DB{d}, litestream.DefaultCompactionLevels)
	s.Logger = engine
	s.ShutdownSyncTimeout = shutdownSync
	d.ShutdownSyncTimeout = shutdownSync
	d.SetLogger(engine)
	s.SnapshotInterval, s.SnapshotRetention = 24*time.Hour, 7*24*time.Hour
	if err := s.Open(ctx); err != nil {
		return nil, fmt.Errorf("replicate database: %w", err)
	}
	return &Replica{d, s, put, log, time.Now()}, nil
}

// shutdownSync is how long going down waits for a bucket that does not answer.
const shutdownSync = 2 * time.Second

// Stop sends what is left and ends the replica. It is for after the last write,
// and before the database is closed.
func (r *Replica) Stop(ctx context.Context) error {
	// Litestream's own last sync is left out where it has not begun yet.
	sending, cancel := context.WithTimeout(ctx, shutdownSync)
	defer cancel()
	if err := errors.Join(r.db.SyncAndWait(sending), r.store.Close(ctx)); err != nil {
		return fmt.Errorf("replica: what was written last is not in it: %w", err)
	}
	return nil
}

// Sync sends what is committed now, and returns when it is there.
func (r *Replica) Sync(ctx context.Context) error { return r.db.SyncAndWait(ctx) }

// Lag is how far a replica is behind.
type Lag struct {
	Commits int64         `json:"commits"` // that are not sent, of those that were seen
	Since   time.Duration `json:"since"`   // the last time that all was there, or the start
}

// Lag says how far the replica is behind.
func (r *Replica) Lag() Lag { return r.Status().Lag }

// Status is what figures tell of a replica.
type Status struct {
	Lag
	Last   time.Time // when all was there; zero where it was not yet, since the start
	Errors int64     // of the bucket or the folder, since the start
}

// Status says how the replica is. It asks nobody.
func (r *Replica) Status() Status {
	s := Status{Last: r.db.LastSuccessfulSyncAt(), Errors: r.shelf.failed.Load()}
	if pos, err := r.db.Pos(); err == nil {
		s.Commits = max(0, int64(pos.TXID)-int64(r.db.Replica.Pos().TXID))
	}
	since := s.Last
	if since.IsZero() { // a bucket that never answered is no bucket that is up to date
		since = r.began
	}
	s.Since = time.Since(since)
	return s
}

// Watch calls tell with the lag every so often until ctx ends, and logs where
// the replica falls behind and when it has caught up.
func (r *Replica) Watch(ctx context.Context, every time.Duration, tell func(Lag)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	late := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l := r.Lag()
		tell(l)
		switch behind := l.Since > lateAfter; {
		case behind && !late:
			late = true
			r.log.Error("the replica is behind: what was written since would be lost with this disk", "commits", l.Commits, "since", l.Since.Round(time.Second))
		case !behind && late:
			late = false
			r.log.Info("the replica has caught up")
		}
	}
}

// RestoreReplica writes the database that the replica has to t.DSN, which must
// be an SQLite file that does not exist, and freezes what a person has to look
// at.
func RestoreReplica(ctx context.Context, replica *blob.Store, t Target) (rep Report, err error) {
	if dialect(t.DSN) != db.SQLite {
		return rep, errs.New(errs.Conflict, "A replica is of an SQLite database, and the configuration names another. PostgreSQL has replicas of its own.")
	}
	if err := t.empty(ctx); err != nil {
		return rep, err
	}
	err = t.place(ctx, "replica", &rep, nil, func(path string) (time.Time, error) { return fetchReplica(ctx, replica, path) })
	return rep, err
}

// fetchReplica writes the replica's newest database to a new file, and says
// when the last of it was sent.
func fetchReplica(ctx context.Context, from *blob.Store, path string) (made time.Time, err error) {
	d := litestream.NewDB(path)
	d.SetLogger(slog.New(slog.DiscardHandler))
	r := litestream.NewReplicaWithClient(d, &shelf{store: from})
	if _, made, err = r.TimeBounds(ctx); err != nil {
		return made, fmt.Errorf("read replica: %w", err)
	}
	o := litestream.NewRestoreOptions()
	o.OutputPath, o.IntegrityCheck = path, litestream.IntegrityCheckQuick
	err = r.Restore(ctx, o)
	if errors.Is(err, litestream.ErrTxNotAvailable) || errors.Is(err, litestream.ErrNoSnapshots) {
		return made, errs.Wrap(errs.NotFound, err, "There is no replica in %s.", from.Where())
	}
	if err != nil {
		return made, fmt.Errorf("restore replica: %w", err)
	}
	return made, os.Chmod(path, 0o600)
}

// shelf is a blob store as Litestream wants one: a client for each of its
// levels, a blob for each file. So the replica is sealed, each file bound to
// its name, and goes to whatever a blob store goes to.
type shelf struct {
	store  *blob.Store
	failed atomic.Int64 // calls that the store refused
}

// said counts what went wrong.
func (s *shelf) said(err error) error {
	if err != nil && !errs.Is(err, errs.NotFound) && !errors.Is(err, context.Canceled) {
		s.failed.Add(1)
	}
	return err
}

func level(n int) string { return fmt.Sprintf("replica-%d", n) }

func (s *shelf) Type() string               { return "blobs" }
func (s *shelf) Init(context.Context) error { return nil }
func (s *shelf) SetLogger(*slog.Logger)     {}

func (s *shelf) LTXFiles(ctx context.Context, n int, seek ltx.TXID, _ bool) (ltx.FileIterator, error) {
	var all []*ltx.FileInfo
	err := s.store.List(ctx, level(n), func(i blob.Item) error {
		first, last, err := ltx.ParseFilename(i.Ref)
		if err == nil && first >= seek {
			all = append(all, &ltx.FileInfo{Level: n, MinTXID: first, MaxTXID: last, Size: blob.PlainSize(i.Size), CreatedAt: i.Written.UTC()})
		}
		return nil
	})
	if err := s.said(err); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *ltx.FileInfo) int {
		return strings.Compare(ltx.FormatFilename(a.MinTXID, a.MaxTXID), ltx.FormatFilename(b.MinTXID, b.MaxTXID))
	})
	return ltx.NewFileInfoSliceIterator(all), nil
}

func (s *shelf) OpenLTXFile(ctx context.Context, n int, first, last ltx.TXID, offset, size int64) (io.ReadCloser, error) {
	r, err := s.store.Get(ctx, level(n), ltx.FormatFilename(first, last))
	err = s.said(err)
	if errs.Is(err, errs.NotFound) {
		return nil, fmt.Errorf("%w: %w", os.ErrNotExist, err)
	}
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if size <= 0 {
		return r, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(r, size), r}, nil
}

func (s *shelf) WriteLTXFile(ctx context.Context, n int, first, last ltx.TXID, r io.Reader) (*ltx.FileInfo, error) {
	size, err := s.store.PutAt(ctx, level(n), ltx.FormatFilename(first, last), r)
	if err := s.said(err); err != nil {
		return nil, err
	}
	return &ltx.FileInfo{Level: n, MinTXID: first, MaxTXID: last, Size: size, CreatedAt: time.Now().UTC()}, nil
}

func (s *shelf) DeleteLTXFiles(ctx context.Context, all []*ltx.FileInfo) error {
	for _, i := range all {
		if err := s.said(s.store.Delete(ctx, level(i.Level), ltx.FormatFilename(i.MinTXID, i.MaxTXID))); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) DeleteAll(ctx context.Context) error {
	return s.store.List(ctx, "", func(i blob.Item) error {
		if !strings.HasPrefix(i.Client, "replica-") {
			return nil
		}
		return s.store.Delete(ctx, i.Client, i.Ref)
	})
}
