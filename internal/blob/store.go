package blob

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Store keeps blobs in a folder or in a bucket. It is safe for concurrent use,
// by several processes too; of those that share a bucket, each reads what the
// others put.
type Store struct {
	shelf shelf
	keys  keys
	old   []keys // of keys that only open what they sealed
}

// shelf is where sealed bytes lie: a folder or a bucket.
type shelf interface {
	// write keeps what fill writes. Once it returns nil that is durable; where
	// it or fill fails, nothing is there.
	write(ctx context.Context, client, ref string, fill func(io.Writer) error) error
	// read and head answer errs.NotFound for what is not there.
	read(ctx context.Context, client, ref string) (io.ReadCloser, error)
	head(ctx context.Context, client, ref string, n int) ([]byte, error) // the first n bytes, or fewer
	remove(ctx context.Context, client, ref string) error                // of what is not there is no error
	// list gives the blobs of a client, or all where it is empty.
	list(ctx context.Context, client string, each func(Item) error) error
	where() string
	close() error
}

// Item is a blob as it lies there.
type Item struct {
	Client, Ref string
	Size        int64 // bytes, sealed
	Written     time.Time
}

// Open returns the store in dir, which it makes if it is missing, readable by
// its owner alone. key is 32 random bytes in base64: without it, nothing in
// the store can ever be read again. Earlier keys open what they sealed, and
// seal nothing any more. The error is errs.Invalid for a key of another form.
func Open(dir string, key redact.Secret, earlier ...redact.Secret) (*Store, error) {
	return open(key, earlier, func() (shelf, error) { return openFolder(dir) })
}

// OpenURL returns the store in the bucket that the URL names: s3://, gs:// or
// azblob://, with the options of gocloud.dev/blob, and with prefix=NAME/ for a
// part of a bucket. Credentials come from where the cloud's own programs take
// them. Keys are as for Open. Nothing is asked of the cloud yet: Probe does.
func OpenURL(ctx context.Context, url string, key redact.Secret, earlier ...redact.Secret) (*Store, error) {
	return open(key, earlier, func() (shelf, error) { return openBucket(ctx, url) })
}

func open(key redact.Secret, earlier []redact.Secret, shelve func() (shelf, error)) (*Store, error) {
	k, err := readKey(key)
	if err != nil {
		return nil, err
	}
	var old []keys
	for _, e := range earlier {
		o, err := readKey(e)
		if err != nil {
			return nil, err
		}
		old = append(old, o)
	}
	s, err := shelve()
	if err != nil {
		return nil, err
	}
	return &Store{s, k, old}, nil
}

func readKey(key redact.Secret) (keys, error) {
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key.Reveal()))
	if err != nil || len(master) != 32 {
		// The decoder's error quotes the key.
		return keys{}, errs.New(errs.Invalid, "The encryption key must be 32 random bytes in base64, as `openssl rand -base64 32` makes them.")
	}
	k, err := deriveKeys(master)
	if err != nil {
		return keys{}, fmt.Errorf("open blob store: %w", err)
	}
	return k, nil
}

// Close closes the store. Readers that are open on a folder stay usable.
func (s *Store) Close() error { return s.shelf.close() }

// Where says for people where the blobs are.
func (s *Store) Where() string { return s.shelf.where() }

// Put stores what r gives, for the client, and returns the reference under
// which Get finds it and the size in bytes before encryption. name says what
// it is, for whoever looks at the disk: "plan", "log"; letters, digits, dots,
// hyphens and underscores. Two Puts never share a reference, and nobody can
// guess one.
//
// When it fails, nothing is stored; errs.Unavailable for a full disk or a
// bucket that does not answer.
func (s *Store) Put(ctx context.Context, client, name string, r io.Reader) (ref string, size int64, err error) {
	return s.put(ctx, client, name, func(w io.Writer, ref string) (int64, error) {
		return s.keys.seal(w, WithContext(ctx, r), client, ref)
	})
}

// PutSealed is Put for what a Sealer has sealed: it is stored as it is. Only
// GetSealed reads it.
func (s *Store) PutSealed(ctx context.Context, client, name string, r io.Reader) (ref string, size int64, err error) {
	return s.put(ctx, client, name, func(w io.Writer, _ string) (int64, error) {
		return io.Copy(w, WithContext(ctx, r))
	})
}

func (s *Store) put(ctx context.Context, client, name string, fill func(w io.Writer, ref string) (int64, error)) (ref string, size int64, err error) {
	if err := checkName("client", client); err != nil {
		return "", 0, err
	}
	if err := checkName("name", name); err != nil {
		return "", 0, err
	}
	id, err := newID()
	if err != nil {
		return "", 0, fmt.Errorf("put blob %s: %w", name, err)
	}
	ref = name + "-" + id
	if size, err = s.write(ctx, client, ref, fill); err != nil {
		return "", 0, fmt.Errorf("put blob %s: %w", name, err)
	}
	return ref, size, nil
}

// Kind returns the name that a reference was put under: "plan", "log".
func Kind(ref string) string {
	if i := len(ref) - len("-00000000-0000-0000-0000-000000000000"); i > 0 {
		return ref[:i]
	}
	return ref
}

// newID returns what no two blobs share: the time, so that lists are in order,
// and 74 random bits.
func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

func (s *Store) write(ctx context.Context, client, ref string, fill func(w io.Writer, ref string) (int64, error)) (size int64, err error) {
	err = s.shelf.write(ctx, client, ref, func(w io.Writer) (err error) {
		size, err = fill(w, ref)
		return err
	})
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = errs.Wrap(errs.Unavailable, err, "The disk of the blob store is full.")
	}
	return size, err
}

// PutBack stores sealed bytes, as GetSealed gave them, under the reference that
// they had: a backup comes back. What is there already under it is replaced.
func (s *Store) PutBack(ctx context.Context, client, ref string, r io.Reader) error {
	if err := errors.Join(checkName("client", client), checkName("reference", ref)); err != nil {
		return err
	}
	_, err := s.write(ctx, client, ref, func(w io.Writer, _ string) (int64, error) {
		return io.Copy(w, WithContext(ctx, r))
	})
	if err != nil {
		return fmt.Errorf("put blob %s back: %w", ref, err)
	}
	return nil
}

// PutAt is Put under a reference of the caller's own, which replaces what was
// there.
func (s *Store) PutAt(ctx context.Context, client, ref string, r io.Reader) (size int64, err error) {
	if err := errors.Join(checkName("client", client), checkName("reference", ref)); err != nil {
		return 0, err
	}
	size, err = s.write(ctx, client, ref, func(w io.Writer, ref string) (int64, error) {
		return s.keys.seal(w, WithContext(ctx, r), client, ref)
	})
	if err != nil {
		return 0, fmt.Errorf("put blob %s: %w", ref, err)
	}
	return size, nil
}

// PlainSize returns how many bytes a blob holds that takes so many.
func PlainSize(sealed int64) int64 {
	body := sealed - int64(headSize)
	return body - (body+segmentSize+tagSize-1)/(segmentSize+tagSize)*tagSize
}

// Get returns a reader of the blob, which the caller closes. Every byte that
// it gives was checked; whether the end is the true end shows with io.EOF
// alone, so use nothing of a blob whose reading did not end in that.
//
// The error is errs.NotFound where the client has no such blob.
func (s *Store) Get(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	f, err := s.GetSealed(ctx, client, ref)
	if err != nil {
		return nil, err
	}
	o, err := s.keys.open(f, client, ref, s.old...)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("get blob %s: %w", ref, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{o, f}, nil
}

// GetSealed returns what lies there, sealed as it is: what PutSealed stored, or
// a copy for a backup.
func (s *Store) GetSealed(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	if err := errors.Join(checkName("client", client), checkName("reference", ref)); err != nil {
		return nil, err
	}
	f, err := s.shelf.read(ctx, client, ref)
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", ref, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{WithContext(ctx, f), f}, nil
}

func gone(err error) error {
	return errs.Wrap(errs.NotFound, err, "The stored file does not exist any more.")
}

// Delete removes the client's blob. One that is not there is no error: whoever
// deletes may have been interrupted after it.
func (s *Store) Delete(ctx context.Context, client, ref string) error {
	if err := errors.Join(checkName("client", client), checkName("reference", ref)); err != nil {
		return err
	}
	if err := s.shelf.remove(ctx, client, ref); err != nil {
		return fmt.Errorf("delete blob %s: %w", ref, err)
	}
	return nil
}

// List calls each with the client's blobs, or with everybody's where client is
// empty. What is put or deleted meanwhile may be among them or not.
func (s *Store) List(ctx context.Context, client string, each func(Item) error) error {
	if client != "" {
		if err := checkName("client", client); err != nil {
			return err
		}
	}
	err := s.shelf.list(ctx, client, func(i Item) error {
		if checkName("client", i.Client) != nil || checkName("reference", i.Ref) != nil {
			return nil // not ours
		}
		return each(i)
	})
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	return nil
}

// Sweep deletes blobs that nothing refers to and that were written before the
// time, and returns what it deleted; where dry, what it would delete. A blob is
// put before the row that refers to it: the time must be long enough ago for
// that row to be there.
func (s *Store) Sweep(ctx context.Context, before time.Time, dry bool, referred func(client, ref string) bool) (swept []Item, err error) {
	var orphans []Item
	err = s.List(ctx, "", func(i Item) error {
		if i.Written.Before(before) && !referred(i.Client, i.Ref) {
			orphans = append(orphans, i)
		}
		return nil
	})
	if err != nil || dry {
		return orphans, err
	}
	for _, i := range orphans {
		if err := s.Delete(ctx, i.Client, i.Ref); err != nil {
			return swept, err
		}
		swept = append(swept, i)
	}
	return swept, nil
}

// Probe writes a blob, reads it and deletes it: what the store must be able to
// do.
func (s *Store) Probe(ctx context.Context) error {
	const client, content = "probe", "tidelock was here\n"
	ref, _, err := s.Put(ctx, client, "probe", strings.NewReader(content))
	if err != nil {
		return err
	}
	err = func() error {
		r, err := s.Get(ctx, client, ref)
		if err != nil {
			return err
		}
		defer r.Close()
		got, err := io.ReadAll(r)
		if err == nil && string(got) != content {
			err = errs.New(errs.Internal, "What was read is not what was written.")
		}
		return err
	}()
	return errors.Join(err, s.Delete(context.WithoutCancel(ctx), client, ref))
}

// checkName admits what can be one element of a path and nothing else.
func checkName(what, s string) error {
	ok := s != "" && len(s) <= 150 && s[0] != '.'
	for _, r := range s {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}
	if !ok {
		return errs.New(errs.Invalid, "The %s of a stored file may have letters, digits, dots, hyphens and underscores.", what)
	}
	return nil
}

// WithContext returns a reader of what r gives that ends when the context does.
func WithContext(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
