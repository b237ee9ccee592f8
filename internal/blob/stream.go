package blob

import (
	"crypto/cipher"
	"errors"
	"io"
	"sync"
)

// Sealer seals what is written to it in segments, as those of a blob are, with
// a data key that the caller keeps, wrapped, somewhere else. It is for what is
// not to be rewritten when a key of the house changes.
type Sealer struct {
	w       io.Writer
	aead    cipher.AEAD
	bound   []byte
	segment uint64
	room    *segment // of plain and sealed, nil once it is closed
	plain   []byte
	sealed  []byte
	err     error
}

// NewSealer returns a sealer that writes to w. The data key has 32 bytes and
// seals nothing else, ever. bound is what the content belongs to: it opens with
// the same alone.
func NewSealer(w io.Writer, dataKey, bound []byte) (*Sealer, error) {
	aead, err := newAEAD(dataKey)
	if err != nil {
		return nil, err
	}
	room := segments.Get().(*segment)
	return &Sealer{w: w, aead: aead, bound: bound, room: room, plain: room.plain[:0], sealed: room.sealed[:0]}, nil
}

// segment is room for a segment, before and after it is sealed. Small contents
// need as much of it as large ones: it is used again.
type segment struct {
	plain  [segmentSize]byte
	sealed [segmentSize + tagSize]byte
}

var segments = sync.Pool{New: func() any { return new(segment) }}

// Write implements io.Writer.
func (s *Sealer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && s.err == nil {
		if len(s.plain) == segmentSize { // there is more: so it is not the last
			s.flush(false)
		}
		part := min(len(p), segmentSize-len(s.plain))
		s.plain = append(s.plain, p[:part]...)
		p = p[part:]
	}
	if s.err != nil {
		return 0, s.err
	}
	return n, nil
}

// Close seals the last segment, without which nothing opens to its end.
func (s *Sealer) Close() error {
	if s.err == nil {
		s.flush(true)
	}
	if s.room != nil {
		segments.Put(s.room)
		s.room, s.plain, s.sealed = nil, nil, nil
	}
	if s.err == nil {
		s.err = errClosed
		return nil
	}
	return s.err
}

var errClosed = errors.New("sealer is closed")

func (s *Sealer) flush(last bool) {
	_, s.err = s.w.Write(s.aead.Seal(s.sealed, segmentNonce(s.segment, last), s.plain, s.bound))
	s.segment++
	s.plain = s.plain[:0]
}

// NewOpener returns a reader of what a Sealer with the same key and the same
// bound wrote. Every byte that it gives was checked; whether the end is the
// true end shows with io.EOF alone.
func NewOpener(r io.Reader, dataKey, bound []byte) (io.Reader, error) {
	aead, err := newAEAD(dataKey)
	if err != nil {
		return nil, err
	}
	return newOpened(r, aead, bound)
}
