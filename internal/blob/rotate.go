package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// headSize is how many bytes stand before the segments of a blob.
const headSize = len(magic) + keyIDSize + nonceSize + 32 + tagSize

// KeyID names a key as the heads of blobs do. It is no secret. The error is
// errs.Invalid for a key of another form.
func KeyID(key redact.Secret) (string, error) {
	k, err := readKey(key)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(k.id), nil
}

// atOnce is how many blobs are looked at together: a bucket takes its time for
// each.
const atOnce = 8

// Keys calls each with every blob and the ID of the key that seals its data
// key; "" for one that PutSealed stored, whose data key lies elsewhere. Of each
// blob the head alone is read. each is called by one at a time. What is deleted
// meanwhile is left out.
func (s *Store) Keys(ctx context.Context, each func(i Item, key string) error) error {
	type found struct {
		Item
		key string
	}
	heads := make(chan found)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(heads)
		look, lctx := errgroup.WithContext(gctx)
		look.SetLimit(atOnce)
		err := s.List(lctx, "", func(i Item) error {
			look.Go(func() error {
				key, err := s.keyOf(lctx, i.Client, i.Ref)
				if errs.Is(err, errs.NotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				select {
				case heads <- found{i, key}:
					return nil
				case <-lctx.Done():
					return lctx.Err()
				}
			})
			return lctx.Err()
		})
		if werr := look.Wait(); werr != nil {
			return werr
		}
		return err
	})
	g.Go(func() error {
		for f := range heads {
			if err := each(f.Item, f.key); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

func (s *Store) keyOf(ctx context.Context, client, ref string) (string, error) {
	head, err := s.shelf.head(ctx, client, ref, headSize)
	if err != nil {
		return "", fmt.Errorf("read the head of blob %s: %w", ref, err)
	}
	if len(head) < headSize || string(head[:len(magic)]) != magic {
		return "", nil
	}
	return hex.EncodeToString(head[len(magic) : len(magic)+keyIDSize]), nil
}

// Rotation is what Rotate came to.
type Rotation struct {
	Done    int64 // have a new head
	Lost    int64 // are sealed by a key that is not there
	Damaged int64 // have a head that does not open at its place: they open to nobody anyway
}

// Rotate seals the data key of every blob anew that another key seals, with the
// store's. The segments are copied as they are, since neither a file nor an
// object of a bucket can get another head in one step that a crash does not cut
// in two: nothing is opened, and whoever reads meanwhile reads the old or the
// new. It may be stopped and begun again. A blob that is deleted in this moment
// may be there again: a sweep finds it.
func (s *Store) Rotate(ctx context.Context, progress func(Rotation)) (Rotation, error) {
	var todo []Item
	var r Rotation
	var mu sync.Mutex // r's, from the second half on
	ours := hex.EncodeToString(s.keys.id)
	err := s.Keys(ctx, func(i Item, key string) error {
		switch {
		case key == "" || key == ours:
		case s.earlier(key) == nil:
			r.Lost++
		default:
			todo = append(todo, i)
		}
		return nil
	})
	if err != nil {
		return Rotation{}, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, i := range todo {
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			err := s.rewrap(gctx, i.Client, i.Ref)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errs.Is(err, errs.NotFound):
				return nil
			case errors.Is(err, errHead):
				r.Damaged++
			case err != nil:
				return err
			default:
				r.Done++
			}
			if progress != nil {
				progress(r)
			}
			return nil
		})
	}
	err = g.Wait()
	return r, err
}

// errHead marks a head that does not open.
var errHead = errors.New("the head does not belong to this client and reference")

func (s *Store) earlier(key string) *keys {
	for i, o := range s.old {
		if hex.EncodeToString(o.id) == key {
			return &s.old[i]
		}
	}
	return nil
}

// rewrap writes one blob with a new head.
func (s *Store) rewrap(ctx context.Context, client, ref string) error {
	f, err := s.GetSealed(ctx, client, ref)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, headSize)
	if _, err := io.ReadFull(f, head); err != nil {
		return fmt.Errorf("rotate the key of blob %s: %w", ref, err)
	}
	rest := head[len(magic):]
	if bytes.Equal(rest[:keyIDSize], s.keys.id) {
		return nil // somebody else was quicker
	}
	old := s.earlier(hex.EncodeToString(rest[:keyIDSize]))
	if old == nil {
		return fmt.Errorf("rotate the key of blob %s: %w", ref, errHead)
	}
	rest = rest[keyIDSize:]
	dataKey, err := old.wrap.Open(nil, rest[:nonceSize], rest[nonceSize:], place(client, ref))
	if err != nil {
		return fmt.Errorf("rotate the key of blob %s: %w", ref, errHead)
	}
	_, err = s.write(ctx, client, ref, func(w io.Writer, ref string) (int64, error) {
		if _, err := w.Write(s.keys.head(dataKey, client, ref)); err != nil {
			return 0, err
		}
		return io.Copy(w, f)
	})
	if err != nil {
		return fmt.Errorf("rotate the key of blob %s: %w", ref, err)
	}
	return nil
}

// head returns the head of a blob with this data key.
func (k keys) head(dataKey []byte, client, ref string) []byte {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails: crypto/rand ends the process instead
	head := append([]byte(magic), k.id...)
	head = append(head, nonce...)
	return k.wrap.Seal(head, nonce, dataKey, place(client, ref))
}
