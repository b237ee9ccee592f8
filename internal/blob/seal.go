package blob

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tidelock/tidelock/internal/errs"
)

// A blob's file is
//
//	magic (8 bytes) · ID of the store's key (8) · nonce (12) · data key, sealed (32 + 16)
//	segments: 65,536 bytes, sealed (+ 16); the last is shorter, empty perhaps
//
// The data key is sealed by the store's key with magic, client and reference
// as associated data, so a blob opens at its own place alone. A segment is
// sealed by the data key, which seals nothing else; its nonce is its number
// and whether it is the last. So no segment can be dropped, repeated, moved or
// taken from another blob, and none put behind the last.
const (
	magic       = "TLBLOB1\n"
	keyIDSize   = 8
	segmentSize = 64 << 10
	tagSize     = 16
	nonceSize   = 12
)

// keys are what the store's key is split into, so that no key has two uses.
type keys struct {
	id   []byte      // tells a wrong key from a damaged file
	wrap cipher.AEAD // seals data keys
}

func deriveKeys(master []byte) (keys, error) {
	id, err := hkdf.Key(sha256.New, master, nil, "tidelock blob key id 1", keyIDSize)
	if err != nil {
		return keys{}, err
	}
	wrap, err := hkdf.Key(sha256.New, master, nil, "tidelock blob data keys 1", 32)
	if err != nil {
		return keys{}, err
	}
	aead, err := newAEAD(wrap)
	return keys{id, aead}, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// place is the associated data of a blob's data key.
func place(client, ref string) []byte {
	b := []byte(magic)
	for _, s := range []string{client, ref} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// segmentNonce is the nonce of segment number n.
func segmentNonce(n uint64, last bool) []byte {
	nonce := make([]byte, nonceSize)
	binary.BigEndian.PutUint64(nonce[3:11], n)
	if last {
		nonce[11] = 1
	}
	return nonce
}

// seal writes the blob of what r gives to w and returns how many bytes r gave.
func (k keys) seal(w io.Writer, r io.Reader, client, ref string) (int64, error) {
	dataKey := make([]byte, 32)
	rand.Read(dataKey) // never fails: crypto/rand ends the process instead
	aead, err := newAEAD(dataKey)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(k.head(dataKey, client, ref)); err != nil {
		return 0, err
	}

	// One segment is read ahead: whether it is the last shows only behind it.
	var size int64
	plain, next := make([]byte, segmentSize), make([]byte, segmentSize)
	sealed := make([]byte, 0, segmentSize+tagSize)
	n, err := readFull(r, plain)
	if err != nil {
		return 0, err
	}
	for segment := uint64(0); ; segment++ {
		m := 0
		if n == segmentSize {
			if m, err = readFull(r, next); err != nil {
				return 0, err
			}
		}
		last := m == 0
		if _, err := w.Write(aead.Seal(sealed, segmentNonce(segment, last), plain[:n], nil)); err != nil {
			return 0, err
		}
		size += int64(n)
		if last {
			return size, nil
		}
		plain, next, n = next, plain, m
	}
}

// readFull fills b unless r ends first, which is no error.
func readFull(r io.Reader, b []byte) (int, error) {
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// opened reads a blob.
type opened struct {
	r       io.Reader
	aead    cipher.AEAD
	bound   []byte // associated data of each segment; nil where that of the data key has it all
	segment uint64
	sealed  []byte // the segment read ahead
	next    []byte // room for the one after
	plain   []byte // opened and not yet given out
	room    []byte // what plain lies in
	err     error
}

// open checks the head and the first segment of the blob that r gives. old are
// keys that it may have been sealed by, too.
func (k keys) open(r io.Reader, client, ref string, old ...keys) (*opened, error) {
	head := make([]byte, headSize)
	n, err := readFull(r, head)
	if err != nil {
		return nil, err
	}
	if n < len(head) || string(head[:len(magic)]) != magic {
		return nil, altered("no head")
	}
	rest := head[len(magic):]
	for _, o := range old {
		if bytes.Equal(rest[:keyIDSize], o.id) {
			k = o
		}
	}
	if !bytes.Equal(rest[:keyIDSize], k.id) {
		return nil, errs.New(errs.Internal, "A stored file was encrypted with another key than the one that is configured.")
	}
	rest = rest[keyIDSize:]
	dataKey, err := k.wrap.Open(nil, rest[:nonceSize], rest[nonceSize:], place(client, ref))
	if err != nil {
		return nil, altered("the head does not belong to this client and reference")
	}
	aead, err := newAEAD(dataKey)
	if err != nil {
		return nil, err
	}
	return newOpened(r, aead, nil)
}

// newOpened checks the first segment of those that r gives.
func newOpened(r io.Reader, aead cipher.AEAD, bound []byte) (*opened, error) {
	o := &opened{r: r, aead: aead, bound: bound,
		sealed: make([]byte, segmentSize+tagSize), next: make([]byte, segmentSize+tagSize), room: make([]byte, 0, segmentSize)}
	n, err := readFull(r, o.sealed)
	if err != nil {
		return nil, err
	}
	o.sealed = o.sealed[:n]
	o.advance()
	if o.err != nil && !errors.Is(o.err, io.EOF) {
		return nil, o.err
	}
	return o, nil
}

// advance opens the segment that was read ahead. Behind the last one it leaves
// io.EOF for when its bytes are given out.
func (o *opened) advance() {
	m := 0
	o.next = o.next[:cap(o.next)]
	if len(o.sealed) == segmentSize+tagSize {
		if m, o.err = readFull(o.r, o.next); o.err != nil {
			return
		}
	}
	last := m == 0
	plain, err := o.aead.Open(o.room[:0], segmentNonce(o.segment, last), o.sealed, o.bound)
	if err != nil {
		o.err = altered(fmt.Sprintf("segment %d does not open", o.segment))
		return
	}
	o.plain = plain
	o.segment++
	o.sealed, o.next = o.next[:m], o.sealed
	if last {
		o.err = io.EOF
	}
}

// Read implements io.Reader.
func (o *opened) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(o.plain) == 0 {
		if o.err != nil {
			return 0, o.err
		}
		o.advance()
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

func altered(detail string) error {
	return errs.Wrap(errs.Internal, errors.New(detail), "A stored file was damaged or tampered with, and is not used.")
}
