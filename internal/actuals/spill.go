package actuals

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// spill writes the groups to a file, sorted, and forgets them.
func (gs *groups) spill() error {
	if gs.dir == "" {
		dir, err := gs.temp()
		if err != nil {
			return fmt.Errorf("make a folder for what does not fit into the memory: %w", err)
		}
		gs.dir = dir
	}
	f, err := os.OpenFile(filepath.Join(gs.dir, fmt.Sprintf("groups-%d", len(gs.files))), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	var buf []byte
	for _, key := range slices.Sorted(maps.Keys(gs.held)) {
		buf = gs.held[key].encode(buf[:0], key)
		if _, err := w.Write(buf); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write what does not fit into the memory: %w", err)
	}
	gs.files = append(gs.files, f.Name())
	gs.held, gs.bytes = map[string]*group{}, 0
	return nil
}

// close removes the files.
func (gs *groups) close() error {
	if gs.dir == "" {
		return nil
	}
	return os.RemoveAll(gs.dir)
}

// each calls f for every group in the order of their keys. It can be called
// again. A group must not be kept after f.
func (gs *groups) each(f func(*group) error) error {
	if len(gs.files) == 0 {
		for _, key := range slices.Sorted(maps.Keys(gs.held)) {
			if err := f(gs.held[key]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(gs.held) > 0 { // all from files: the memory is needed to merge
		if err := gs.spill(); err != nil {
			return err
		}
	}
	var m merge
	defer m.close()
	for _, name := range gs.files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		s := &stream{file: file, in: bufio.NewReaderSize(file, 64<<10)}
		m = append(m, s)
		if err := s.next(); err != nil {
			return err
		}
	}
	heap.Init(&m)
	for !m[0].over {
		g, key := m[0].group, m[0].key
		if err := m.advance(); err != nil {
			return err
		}
		for !m[0].over && m[0].key == key {
			g.add(&m[0].group)
			if err := m.advance(); err != nil {
				return err
			}
		}
		if err := f(&g); err != nil {
			return err
		}
	}
	return nil
}

// stream is one file of sorted groups.
type stream struct {
	file  *os.File
	in    *bufio.Reader
	key   string
	group group
	over  bool
}

// merge is a heap of streams, those that are over last.
type merge []*stream

func (m merge) Len() int { return len(m) }
func (m merge) Less(i, j int) bool {
	if m[i].over != m[j].over {
		return m[j].over
	}
	return m[i].key < m[j].key
}
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }

// Push and Pop are never called: streams stay until the end.
func (m *merge) Push(any) {}

// Pop is never called either.
func (m *merge) Pop() any { return nil }

func (m *merge) advance() error {
	if err := (*m)[0].next(); err != nil {
		return err
	}
	heap.Fix(m, 0)
	return nil
}

func (m *merge) close() {
	for _, s := range *m {
		_ = s.file.Close() // it was only read
	}
}

// encode writes a group as next reads it.
func (g *group) encode(b []byte, key string) []byte {
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(key)
	for _, s := range [...]string{g.subAccountName, g.resourceName, g.resourceType, g.region, g.billed.String(), g.effective.String(), g.list.String()} {
		text(s)
	}
	for _, t := range [...]time.Time{g.periodEnd, g.through} {
		ms := int64(0)
		if !t.IsZero() {
			ms = t.UnixMilli()
		}
		b = binary.AppendVarint(b, ms)
	}
	b = binary.AppendVarint(b, g.lines)
	return binary.AppendVarint(b, g.unlisted)
}

// next reads the stream's next group.
func (s *stream) next() error {
	if _, err := s.in.Peek(1); errors.Is(err, io.EOF) {
		s.over = true
		return nil
	}
	var failed error
	text := func() string {
		n, err := binary.ReadUvarint(s.in)
		if err != nil || n > maxRecord*2 {
			failed = errors.Join(failed, err, errors.New("cut"))
			return ""
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(s.in, b); err != nil {
			failed = err
		}
		return string(b)
	}
	number := func() int64 {
		n, err := binary.ReadVarint(s.in)
		if err != nil {
			failed = err
		}
		return n
	}
	amount := func() decimal.Decimal {
		d, err := decimal.NewFromString(text())
		if err != nil {
			failed = err
		}
		return d
	}
	moment := func() time.Time {
		if ms := number(); ms != 0 {
			return time.UnixMilli(ms).UTC()
		}
		return time.Time{}
	}
	s.key = text()
	if failed == nil {
		s.group = group{}
		s.group.fromKey(s.key)
		g := &s.group
		g.subAccountName, g.resourceName, g.resourceType, g.region = text(), text(), text(), text()
		g.billed, g.effective, g.list = amount(), amount(), amount()
		g.periodEnd, g.through = moment(), moment()
		g.lines, g.unlisted = number(), number()
	}
	if failed != nil {
		return fmt.Errorf("read %s back: %w", s.file.Name(), failed)
	}
	return nil
}
