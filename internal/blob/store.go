package blob

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Store keeps blobs in a folder. It is safe for concurrent use, by several
// processes too.
type Store struct {
	root *os.Root // no reference leads out of it, whatever it says
	keys keys
	old  []keys // of keys that only open what they sealed
}

// unfinished is the folder of blobs that are being written. No client has the
// name: it begins with a dot.
const unfinished = ".unfinished"

// Open returns the store in dir, which it makes if it is missing, readable by
// its owner alone. key is 32 random bytes in base64: without it, nothing in
// the store can ever be read again. Earlier keys open what they sealed, and
// seal nothing any more. The error is errs.Invalid for a key of another form.
func Open(dir string, key redact.Secret, earlier ...redact.Secret) (*Store, error) {
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder of the blob store can't be made.")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder of the blob store can't be opened.")
	}
	s := &Store{root, k, old}
	if err := s.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("open blob store: %w", err), root.Close())
	}
	return s, nil
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

// Close closes the store's folder. Readers that are open stay usable.
func (s *Store) Close() error { return s.root.Close() }

// sweep removes what a crash left half written. What is younger than a day may
// be another process's work.
func (s *Store) sweep() error {
	if err := s.root.MkdirAll(unfinished, 0o700); err != nil {
		return err
	}
	dir, err := s.root.Open(unfinished)
	if err != nil {
		return err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < 24*time.Hour {
			continue // gone meanwhile, or fresh
		}
		if err := s.root.Remove(path.Join(unfinished, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Put stores what r gives, for the client, and returns the reference under
// which Get finds it and the size in bytes before encryption. name says what
// it is, for whoever looks at the disk: "plan", "log"; letters, digits, dots,
// hyphens and underscores. Two Puts never share a reference.
//
// When it fails, nothing is stored; errs.Unavailable for a full disk.
func (s *Store) Put(ctx context.Context, client, name string, r io.Reader) (ref string, size int64, err error) {
	return s.put(ctx, client, name, func(w io.Writer, ref string) (int64, error) {
		return s.keys.seal(w, &contextReader{ctx, r}, client, ref)
	})
}

// PutSealed is Put for what a Sealer has sealed: it is stored as it is. Only
// GetSealed reads it.
func (s *Store) PutSealed(ctx context.Context, client, name string, r io.Reader) (ref string, size int64, err error) {
	return s.put(ctx, client, name, func(w io.Writer, _ string) (int64, error) {
		return io.Copy(w, &contextReader{ctx, r})
	})
}

// put writes a file with what fill writes.
func (s *Store) put(ctx context.Context, client, name string, fill func(w io.Writer, ref string) (int64, error)) (ref string, size int64, err error) {
	if err := checkName("client", client); err != nil {
		return "", 0, err
	}
	if err := checkName("name", name); err != nil {
		return "", 0, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", 0, fmt.Errorf("put blob %s: %w", name, err)
	}
	ref = name + "-" + id.String()
	temp := path.Join(unfinished, id.String())
	defer func() {
		if err == nil {
			return
		}
		_ = s.root.Remove(temp) // the sweep of a later start finds it otherwise
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = errs.Wrap(errs.Unavailable, err, "The disk of the blob store is full.")
		}
		ref, size, err = "", 0, fmt.Errorf("put blob %s: %w", name, err)
	}()
	f, err := s.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return ref, 0, err
	}
	size, err = fill(f, ref)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return ref, 0, err
	}
	if err := s.root.MkdirAll(client, 0o700); err != nil {
		return ref, 0, err
	}
	if err := s.root.Rename(temp, path.Join(client, ref)); err != nil {
		return ref, 0, err
	}
	// The name is on the disk only once its folder is, and the folder's name
	// once the root is.
	if err := errors.Join(s.syncDir(client), s.syncDir(".")); err != nil {
		_ = s.root.Remove(path.Join(client, ref)) // nobody will know its reference
		return ref, 0, err
	}
	return ref, size, nil
}

func (s *Store) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Get returns a reader of the blob, which the caller closes. Every byte that
// it gives was checked; whether the end is the true end shows with io.EOF
// alone, so use nothing of a blob whose reading did not end in that.
//
// The error is errs.NotFound where the client has no such blob.
func (s *Store) Get(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	f, err := s.get(ctx, client, ref)
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

// GetSealed returns what PutSealed stored, sealed as it is.
func (s *Store) GetSealed(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	return s.get(ctx, client, ref)
}

func (s *Store) get(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	if err := errors.Join(checkName("client", client), checkName("reference", ref)); err != nil {
		return nil, err
	}
	f, err := s.root.Open(path.Join(client, ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.Wrap(errs.NotFound, err, "The stored file does not exist any more.")
	}
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", ref, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{&contextReader{ctx, f}, f}, nil
}

// Delete removes the client's blob. One that is not there is no error: whoever
// deletes may have been interrupted after it.
func (s *Store) Delete(_ context.Context, client, ref string) error {
	if err := errors.Join(checkName("client", client), checkName("reference", ref)); err != nil {
		return err
	}
	if err := s.root.Remove(path.Join(client, ref)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete blob %s: %w", ref, err)
	}
	return nil
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

// contextReader ends when the context does.
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
