package policy

import (
	"cmp"
	"runtime"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A large plan is read in pieces, side by side: whoever looks for where its
// members begin and end is far faster than who reads them, and hands them on.

// pieceSize is about how many bytes of a list are read at once.
const pieceSize = 256 << 10

// pieces are the parts of one JSON text that are being read.
type pieces struct {
	src     []byte
	work    chan *piece
	readers sync.WaitGroup

	all []*piece
}

// piece is a value, or some elements of a list, without its brackets.
type piece struct {
	member     string
	from, to   int
	isElements bool

	value *ast.Term
	elems []*ast.Term
	err   error
}

func newPieces(src []byte) *pieces {
	p := &pieces{src: src, work: make(chan *piece, 64)}
	for range min(runtime.GOMAXPROCS(0), 1+len(src)/pieceSize) {
		p.readers.Go(func() {
			d := newDecoder(src)
			for x := range p.work {
				x.read(d)
			}
		})
	}
	return p
}

// member hands on the value that begins where the decoder stands, and moves the
// decoder behind it.
func (p *pieces) member(d *decoder, name string) error {
	if d.next() != '[' {
		x := &piece{member: name, from: d.at}
		if err := d.skip(); err != nil {
			return err
		}
		x.to = d.at
		p.hand(x)
		return nil
	}
	d.at++
	x := &piece{member: name, from: d.at, isElements: true}
	if d.next() == ']' {
		d.at++
		p.hand(x)
		return nil
	}
	for {
		if err := d.skip(); err != nil {
			return err
		}
		end := d.at
		switch d.next() {
		case ',':
			d.at++
			if end-x.from < pieceSize {
				continue
			}
			x.to = end
			p.hand(x)
			x = &piece{member: name, from: d.at, isElements: true}
		case ']':
			d.at++
			x.to = end
			p.hand(x)
			return nil
		default:
			return d.fail("a list that does not end")
		}
	}
}

func (p *pieces) hand(x *piece) {
	p.all = append(p.all, x)
	p.work <- x
}

// wait gives the values by member, or what is wrong first.
func (p *pieces) wait() (map[string]*ast.Term, error) {
	close(p.work)
	p.readers.Wait()
	slices.SortStableFunc(p.all, func(a, b *piece) int { return cmp.Compare(a.from, b.from) })
	out := map[string]*ast.Term{}
	lists := map[string][]*ast.Term{}
	for i, x := range p.all {
		if x.err != nil {
			return nil, x.err
		}
		if !x.isElements {
			out[x.member] = x.value
			delete(lists, x.member) // of the same key, given before
			continue
		}
		if i == 0 || p.all[i-1].member != x.member {
			lists[x.member] = nil
		}
		lists[x.member] = append(lists[x.member], x.elems...)
		if len(lists[x.member]) == 0 {
			out[x.member] = ast.InternedEmptyArray
		}
	}
	for name, elems := range lists {
		if len(elems) > 0 {
			out[name] = ast.ArrayTerm(elems...)
		}
	}
	return out, nil
}

// read reads the piece by a decoder of the whole text.
func (x *piece) read(d *decoder) {
	d.at = x.from
	if !x.isElements {
		if x.value, x.err = d.value(1); x.err == nil && d.at != x.to {
			x.err = d.fail("more after a value")
		}
		return
	}
	for d.space(); d.at < x.to; {
		v, err := d.value(2)
		if err != nil {
			x.err = err
			return
		}
		x.elems = append(x.elems, v)
		if d.at == x.to {
			return
		}
		if d.next() != ',' || d.at >= x.to {
			x.err = d.fail("a list that does not end")
			return
		}
		d.at++
	}
}
