package keyring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// DataKeySize is the size of a data key in bytes.
const DataKeySize = 32

// Key wraps data keys and unwraps them. It is safe for concurrent use.
type Key interface {
	// ID tells the key from all others, and stands beside what it wrapped. It
	// never changes and is no secret.
	ID() string
	// Wrap seals a data key, bound to what Unwrap must be given again.
	Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error)
}

// Wrapped is a data key as it is stored.
type Wrapped struct {
	Key  string // ID of the key that wraps it
	Data []byte
}

// Ring is the keys that are there.
type Ring struct {
	active Key
	keys   map[string]Key
}

// New returns a ring whose active key wraps what is new. The others open what
// they wrapped before.
func New(active Key, others ...Key) (*Ring, error) {
	r := &Ring{active, map[string]Key{active.ID(): active}}
	for _, k := range others {
		if r.keys[k.ID()] != nil {
			return nil, errs.New(errs.Invalid, "The key %s is in the configuration twice.", k.ID())
		}
		r.keys[k.ID()] = k
	}
	return r, nil
}

// Active returns the ID of the active key.
func (r *Ring) Active() string { return r.active.ID() }

// IDs returns the IDs of all keys, the active one first.
func (r *Ring) IDs() []string {
	ids := []string{r.Active()}
	for id := range r.keys {
		if id != r.Active() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids[1:])
	return ids
}

// String names the keys, so that no print of the ring shows what they hold.
func (r *Ring) String() string { return strings.Join(r.IDs(), ", ") }

// GoString is String.
func (r *Ring) GoString() string { return r.String() }

// NewDataKey returns a fresh data key, as it is used and as it is stored.
func (r *Ring) NewDataKey(ctx context.Context, bound []byte) (plain []byte, w Wrapped, err error) {
	plain = make([]byte, DataKeySize)
	rand.Read(plain) // never fails: crypto/rand ends the process instead
	w, err = r.wrap(ctx, plain, bound)
	return plain, w, err
}

func (r *Ring) wrap(ctx context.Context, plain, bound []byte) (Wrapped, error) {
	data, err := r.active.Wrap(ctx, plain, bound)
	if err != nil {
		return Wrapped{}, fmt.Errorf("wrap a data key with %s: %w", r.Active(), err)
	}
	return Wrapped{r.Active(), data}, nil
}

// Open returns the data key. The error is errs.Unavailable where the key that
// wraps it is not there, and names it.
func (r *Ring) Open(ctx context.Context, w Wrapped, bound []byte) ([]byte, error) {
	k := r.keys[w.Key]
	if k == nil {
		return nil, r.Lost(w.Key)
	}
	plain, err := k.Unwrap(ctx, w.Data, bound)
	if err != nil {
		return nil, fmt.Errorf("unwrap a data key with %s: %w", w.Key, err)
	}
	if len(plain) != DataKeySize {
		return nil, altered(fmt.Errorf("%s gave a data key of %d bytes", w.Key, len(plain)))
	}
	return plain, nil
}

// Lost is the error that says that the key is not there.
func (r *Ring) Lost(id string) error {
	return errs.New(errs.Unavailable, "What is asked for is encrypted with the key %s, and that is not among the keys of this server, which are %s. "+
		"Bring it back from its backup and name it in a wrapping_key block of the configuration; nothing else can open the data.", id, r)
}

// probed is a key that somebody else keeps, who may not be there.
type probed interface {
	probe(ctx context.Context) error
}

// Probe has every key that somebody else keeps wrap and unwrap. It joins the
// errors of those that can't.
func (r *Ring) Probe(ctx context.Context) error {
	var all []error
	for _, id := range r.IDs() {
		if k, ok := r.keys[id].(probed); ok {
			all = append(all, k.probe(ctx))
		}
	}
	return errors.Join(all...)
}

// Has reports whether the key is there.
func (r *Ring) Has(id string) bool { return r.keys[id] != nil }

// versioned is a key that has versions, of which the newest wraps.
type versioned interface {
	// newest returns what the wrapped form begins with that the newest version
	// makes.
	newest(ctx context.Context) (string, error)
}

// Stale returns a function that reports whether a data key is wrapped by
// another key than the active one, or by an older version of that, so that
// Rewrap would change it; and whether the active key has versions at all. Where
// it has them its keeper is asked which is the newest, once.
func (r *Ring) Stale(ctx context.Context) (stale func(Wrapped) bool, versions bool, err error) {
	v, versions := r.active.(versioned)
	begins := ""
	if versions {
		if begins, err = v.newest(ctx); err != nil {
			return nil, true, fmt.Errorf("ask for the newest version of %s: %w", r.Active(), err)
		}
	}
	return func(w Wrapped) bool {
		return w.Key != r.Active() || !strings.HasPrefix(string(w.Data), begins)
	}, versions, nil
}

// Rewrap wraps the data key with the active key, in its newest version.
func (r *Ring) Rewrap(ctx context.Context, w Wrapped, bound []byte) (Wrapped, error) {
	plain, err := r.Open(ctx, w, bound)
	if err != nil {
		return w, err
	}
	return r.wrap(ctx, plain, bound)
}

func altered(err error) error {
	if err == nil {
		err = errors.New("it is too short")
	}
	return errs.Wrap(errs.Internal, err, "A stored data key was damaged or tampered with, or belongs elsewhere, and is not used.")
}
