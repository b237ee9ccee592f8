package blob

import (
	"context"
	"io"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Act is something that was asked of the folder or bucket.
type Act struct {
	Kind string        // write | read | delete | list
	Took time.Duration // of a read, until its first byte could be had
	Err  error         // nil, too, for a blob that is not there: that is an answer
}

// Acts are all kinds of acts.
func Acts() []string { return []string{"write", "read", "delete", "list"} }

// Observe has f told of all that is asked of the store's folder or bucket. f
// must be fast, and safe for concurrent use. Call it before the store is used.
func (s *Store) Observe(f func(Act)) { s.shelf = observed{s.shelf, f} }

// observed is a shelf that somebody watches.
type observed struct {
	shelf
	told func(Act)
}

func (o observed) tell(kind string, start time.Time, err error) {
	if errs.Is(err, errs.NotFound) {
		err = nil
	}
	o.told(Act{kind, time.Since(start), err})
}

func (o observed) write(ctx context.Context, client, ref string, fill func(io.Writer) error) error {
	start := time.Now()
	err := o.shelf.write(ctx, client, ref, fill)
	o.tell("write", start, err)
	return err
}

func (o observed) read(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	start := time.Now()
	r, err := o.shelf.read(ctx, client, ref)
	o.tell("read", start, err)
	return r, err
}

func (o observed) remove(ctx context.Context, client, ref string) error {
	start := time.Now()
	err := o.shelf.remove(ctx, client, ref)
	o.tell("delete", start, err)
	return err
}

func (o observed) list(ctx context.Context, client string, each func(Item) error) error {
	start := time.Now()
	err := o.shelf.list(ctx, client, each)
	o.tell("list", start, err)
	return err
}
