package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
)

// Source is what is backed up.
type Source struct {
	DB         *db.DB
	Blobs      *blob.Store
	Keys       *keyring.Ring
	Recipients []keyring.Key // who else can open the file
	Temp       string        // a folder with room for a copy of an SQLite database
	Version    string        // of the program
	Progress   func(Progress)
}

// Progress is how far a backup or a restore is.
type Progress struct {
	Part  string // what is at work
	Blobs int64  // done
	Bytes int64  // done
}

func (s Source) tell(p Progress) {
	if s.Progress != nil {
		s.Progress(p)
	}
}

// Write writes a backup. What it wrote is a backup only where it returns nil.
func Write(ctx context.Context, w io.Writer, s Source) (h Head, m Manifest, err error) {
	have, want, err := s.DB.Version(ctx)
	if err != nil {
		return h, m, err
	}
	if have == 0 || have > want {
		return h, m, errs.New(errs.Conflict, "The database has version %d, and this Tidelock knows versions up to %d: use the server's own program.", have, want)
	}
	h, dataKey, err := newHead(ctx, Head{Made: time.Now().UTC().Truncate(time.Millisecond), Tidelock: s.Version, Dialect: s.DB.Dialect(), Schema: have}, s.Keys, s.Recipients)
	if err != nil {
		return h, m, err
	}
	out, err := newWriter(w, h, dataKey)
	if err != nil {
		return h, m, err
	}
	var refs map[Ref]bool
	if s.DB.Dialect() == db.SQLite {
		refs, err = s.writeSQLite(ctx, out, &m)
	} else {
		refs, err = s.writePostgres(ctx, out, &m)
	}
	if err != nil {
		return h, m, fmt.Errorf("back up the database: %w", err)
	}
	if err := s.writeBlobs(ctx, out, &m, refs); err != nil {
		return h, m, fmt.Errorf("back up blobs: %w", err)
	}
	return h, m, out.close(&m)
}

// writeSQLite copies the database to a file of its own first, since only of one
// that nobody writes to can rows be counted and bytes be copied at leisure.
func (s Source) writeSQLite(ctx context.Context, out *writer, m *Manifest) (refs map[Ref]bool, err error) {
	s.tell(Progress{Part: "database"})
	dir, err := tempDir(s.Temp, ".backup-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "tidelock.db")
	if err := s.DB.CopyTo(ctx, path); err != nil {
		return nil, err
	}
	if refs, err = inspect(ctx, "sqlite:"+path, m); err != nil {
		return nil, err
	}
	return refs, out.part(partDatabase, func(w io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, blob.WithContext(ctx, f))
		return err
	})
}

// inspect opens a database that nobody else uses, which walks all of it, and
// says what is in it. The audit chain must hold.
func inspect(ctx context.Context, dsn string, m *Manifest) (refs map[Ref]bool, err error) {
	d, err := db.Open(ctx, dsn, db.Whole())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	trail := access.NewTrail(d)
	if m.Audit, err = trail.Head(ctx); err != nil {
		return nil, err
	}
	if err := trail.Verify(ctx); err != nil {
		return nil, err
	}
	if m.Tables, err = d.Counts(ctx, d); err != nil {
		return nil, err
	}
	return References(ctx, d)
}

// writePostgres reads all rows in one transaction, as of one moment.
func (s Source) writePostgres(ctx context.Context, out *writer, m *Manifest) (refs map[Ref]bool, err error) {
	trail := access.NewTrail(s.DB)
	if err := trail.Verify(ctx); err != nil {
		return nil, err
	}
	m.Tables = map[string]int64{}
	err = s.DB.Read(ctx, func(q db.Querier) error {
		tables, err := s.DB.Tables(ctx, q)
		if err != nil {
			return err
		}
		for _, t := range tables {
			s.tell(Progress{Part: "table " + t, Bytes: out.bytes})
			err := out.part(partTable+t, func(w io.Writer) (err error) {
				m.Tables[t], err = s.DB.Dump(ctx, q, t, w)
				return err
			})
			if err != nil {
				return fmt.Errorf("table %s: %w", t, err)
			}
		}
		if err := q.QueryRowContext(ctx, `SELECT seq, hash FROM event_head WHERE id = 1`).Scan(&m.Audit.Seq, &m.Audit.Hash); err != nil {
			return err
		}
		refs, err = References(ctx, q)
		return err
	})
	return refs, err
}

// writeBlobs copies what rows named at the backup's moment. A blob is there
// before the row that names it, and never changes; one that was deleted
// meanwhile is told of.
func (s Source) writeBlobs(ctx context.Context, out *writer, m *Manifest, refs map[Ref]bool) error {
	all := make([]Ref, 0, len(refs))
	for r := range refs {
		all = append(all, r)
	}
	slices.SortFunc(all, Ref.compare)
	for _, r := range all {
		f, err := s.Blobs.GetSealed(ctx, r.Client, r.Name)
		if errs.Is(err, errs.NotFound) {
			m.Missing = append(m.Missing, r.String())
			continue
		}
		if err != nil {
			return err
		}
		err = out.part(partBlob+r.String(), func(w io.Writer) error {
			_, err := io.Copy(w, f)
			return err
		})
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
		m.Blobs++
		s.tell(Progress{Part: "blobs", Blobs: m.Blobs, Bytes: out.bytes})
	}
	return nil
}

// tempDir makes a folder below parent, and removes those of the kind that a
// kill has left there: each holds a whole database. In the system's own folder,
// where parent is empty, they may be anybody's.
func tempDir(parent, kind string) (string, error) {
	if parent == "" {
		return os.MkdirTemp("", kind+"*")
	}
	left, err := filepath.Glob(filepath.Join(parent, kind+"*"))
	if err != nil {
		return "", err
	}
	for _, path := range left {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < 24*time.Hour {
			continue // gone meanwhile, or another one's work
		}
		if err := os.RemoveAll(path); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(parent, kind+"*")
}
