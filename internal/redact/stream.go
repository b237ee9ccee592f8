package redact

import (
	"encoding/binary"
	"io"
	"sort"
)

// streamChunk is how much of a text a stream looks at in one go, in bytes.
const streamChunk = 64 << 10

// Writer returns a writer that gives to w what is written to it with every
// known secret replaced by Mask: byte for byte what String gives for the
// whole, however the text is cut into writes. Memory does not grow with the
// text: what may be the beginning of a secret is held back, which is less than
// the longest form of any. Close gives that out too; it does not close w.
func (m *Masker) Writer(w io.Writer) io.WriteCloser {
	if m == nil || m.replacer == nil {
		return passThrough{w}
	}
	return &maskWriter{w: w, find: newFinder(m.forms)}
}

type passThrough struct{ io.Writer }

func (passThrough) Close() error { return nil }

// finder finds the forms that begin at a place, the longest first.
type finder struct {
	first   [1 << 16]bool // the first two bytes of any form
	byHead  map[uint64][]string
	longest int
}

// head is the first bytes of a form: as many as the shortest has.
func head(p []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(p)) | uint64(binary.LittleEndian.Uint16(p[4:]))<<32
}

func newFinder(forms []string) *finder {
	f := &finder{byHead: map[uint64][]string{}}
	for _, s := range forms {
		b := []byte(s)
		f.first[binary.LittleEndian.Uint16(b)] = true
		f.byHead[head(b)] = append(f.byHead[head(b)], s)
		f.longest = max(f.longest, len(s))
	}
	for _, list := range f.byHead {
		sort.SliceStable(list, func(i, j int) bool { return len(list[i]) > len(list[j]) })
	}
	return f
}

// at returns how long the longest form is with which p begins; 0 for none.
func (f *finder) at(p []byte) int {
	if len(p) < MinLength || !f.first[binary.LittleEndian.Uint16(p)] {
		return 0
	}
	for _, s := range f.byHead[head(p)] {
		if len(p) >= len(s) && string(p[:len(s)]) == s {
			return len(s)
		}
	}
	return 0
}

type maskWriter struct {
	w    io.Writer
	find *finder
	held []byte // not looked at yet: too near the end
	out  []byte
	err  error
}

// Write takes a part of the text. Its error is w's, and final.
func (m *maskWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && m.err == nil {
		part := p[:min(len(p), streamChunk)]
		m.held = append(m.held, part...)
		m.flush(m.find.longest - 1)
		p = p[len(part):]
	}
	if m.err != nil {
		return 0, m.err
	}
	return n, nil
}

// Close gives out what was held back.
func (m *maskWriter) Close() error {
	if m.err == nil {
		m.flush(0)
	}
	return m.err
}

// flush masks and gives out what was held back, but for the last keep bytes:
// whether a form begins there can't be told yet.
func (m *maskWriter) flush(keep int) {
	m.out = m.out[:0]
	at, clean := 0, 0
	for end := len(m.held) - keep; at < end; {
		n := m.find.at(m.held[at:])
		if n == 0 {
			at++
			continue
		}
		m.out = append(append(m.out, m.held[clean:at]...), Mask...)
		at += n
		clean = at
	}
	m.out = append(m.out, m.held[clean:at]...)
	if len(m.out) > 0 {
		_, m.err = m.w.Write(m.out)
	}
	m.held = append(m.held[:0], m.held[at:]...)
}
