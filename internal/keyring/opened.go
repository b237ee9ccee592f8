package keyring

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// Data keys that were unwrapped lately are remembered: else each read of a state
// would be a call of Vault. Not for long, so that a token that is
// revoked there closes what it opened.
const (
	openedFor = 5 * time.Minute
	maxOpened = 512
)

// opened is a memory of data keys. It is safe for concurrent use.
type opened struct {
	now func() time.Time

	mu  sync.Mutex
	all map[[sha256.Size]byte]dataKey
}

type dataKey struct {
	plain []byte
	until time.Time
}

// get returns the data key, nil where it is not remembered.
func (o *opened) get(wrapped, bound []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	k, ok := o.all[place(wrapped, bound)]
	if !ok || !o.now().Before(k.until) {
		return nil
	}
	return bytes.Clone(k.plain)
}

// add remembers the data key. Where there is no room the one goes that would be
// the next to be forgotten.
func (o *opened) add(wrapped, bound, plain []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[[sha256.Size]byte]dataKey{}
	}
	now := o.now()
	if len(o.all) >= maxOpened {
		var first [sha256.Size]byte
		until := now.Add(openedFor)
		for at, k := range o.all {
			if !now.Before(k.until) {
				delete(o.all, at)
			} else if !k.until.After(until) {
				first, until = at, k.until
			}
		}
		if len(o.all) >= maxOpened {
			delete(o.all, first)
		}
	}
	o.all[place(wrapped, bound)] = dataKey{bytes.Clone(plain), now.Add(openedFor)}
}

// place is where a data key is remembered: by its wrapped form and what it is
// bound to, hashed, so that neither runs into the other.
func place(wrapped, bound []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(wrapped))))
	h.Write(wrapped)
	h.Write(bound)
	return [sha256.Size]byte(h.Sum(nil))
}
