package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The plan's JSON becomes Rego values in one pass, straight from the bytes:
// through Go maps it takes three times as long and twice the memory, and plans
// of 60 MB exist. Terms of short strings are shared, since a plan repeats its
// keys, types and providers thousands of times.

// decoder reads one JSON text. The zero decoder is not ready; use newDecoder.
type decoder struct {
	src    []byte
	at     int
	shared map[string]*ast.Term
}

const (
	maxDepth  = 1000    // of nesting; Terraform's own values stay far below
	sharedLen = 64      // bytes of the longest string that is shared
	sharedMax = 1 << 14 // strings that are shared at most
)

func newDecoder(src []byte) *decoder {
	return &decoder{src: src, shared: make(map[string]*ast.Term, 256)}
}

// members reads the object that src is, as values of those of its keys that
// want holds for; the others are skipped unread.
func members(src []byte, want func(key string) bool) (map[string]*ast.Term, error) {
	d := newDecoder(src)
	p := newPieces(src)
	d.space()
	err := d.object(func(key *ast.Term) error {
		name := string(key.Value.(ast.String))
		if !want(name) {
			return d.skip()
		}
		return p.member(d, name)
	})
	out, wrong := p.wait()
	switch {
	case err != nil:
		return nil, err
	case wrong != nil:
		return nil, wrong
	}
	if d.space(); d.at != len(src) {
		return nil, d.fail("more after the end")
	}
	return out, nil
}

func (d *decoder) fail(what string) error {
	return fmt.Errorf("byte %d of the JSON: %s", d.at, what)
}

func (d *decoder) space() {
	for d.at < len(d.src) {
		switch d.src[d.at] {
		case ' ', '\n', '\r', '\t':
			d.at++
		default:
			return
		}
	}
}

// next skips space and gives the byte that stands there, 0 at the end.
func (d *decoder) next() byte {
	d.space()
	if d.at == len(d.src) {
		return 0
	}
	return d.src[d.at]
}

func (d *decoder) value(depth int) (*ast.Term, error) {
	if depth > maxDepth {
		return nil, d.fail("nested too deeply")
	}
	switch c := d.next(); c {
	case '{':
		return d.objectTerm(depth)
	case '[':
		return d.arrayTerm(depth)
	case '"':
		return d.stringTerm()
	case 't':
		return ast.InternedTerm(true), d.word("true")
	case 'f':
		return ast.InternedTerm(false), d.word("false")
	case 'n':
		return ast.InternedNullTerm, d.word("null")
	default:
		return d.numberTerm()
	}
}

func (d *decoder) word(w string) error {
	if !bytes.HasPrefix(d.src[d.at:], []byte(w)) {
		return d.fail("no value")
	}
	d.at += len(w)
	return nil
}

func (d *decoder) objectTerm(depth int) (*ast.Term, error) {
	var pairs [][2]*ast.Term
	err := d.object(func(key *ast.Term) error {
		v, err := d.value(depth + 1)
		pairs = append(pairs, [2]*ast.Term{key, v})
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return ast.InternedEmptyObject, nil
	}
	return ast.NewTerm(ast.NewObject(pairs...)), nil
}

// object reads an object's punctuation and keys; member reads each value.
func (d *decoder) object(member func(key *ast.Term) error) error {
	if d.next() != '{' {
		return d.fail("no object")
	}
	d.at++
	if d.next() == '}' {
		d.at++
		return nil
	}
	for {
		if d.next() != '"' {
			return d.fail("no key")
		}
		key, err := d.stringTerm()
		if err != nil {
			return err
		}
		if d.next() != ':' {
			return d.fail("no colon")
		}
		d.at++
		if err := member(key); err != nil {
			return err
		}
		switch d.next() {
		case ',':
			d.at++
		case '}':
			d.at++
			return nil
		default:
			return d.fail("an object that does not end")
		}
	}
}

func (d *decoder) arrayTerm(depth int) (*ast.Term, error) {
	d.at++
	if d.next() == ']' {
		d.at++
		return ast.InternedEmptyArray, nil
	}
	var elems []*ast.Term
	for {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		elems = append(elems, v)
		switch d.next() {
		case ',':
			d.at++
		case ']':
			d.at++
			return ast.ArrayTerm(elems...), nil
		default:
			return nil, d.fail("a list that does not end")
		}
	}
}

// raw gives the bytes of the string that begins here, without its quotes, and
// whether they are the text itself: no escapes, no control characters.
func (d *decoder) raw() (text []byte, plain bool, err error) {
	plain = true
	for i := d.at + 1; i < len(d.src); i++ {
		switch c := d.src[i]; {
		case c == '"':
			text = d.src[d.at+1 : i]
			d.at = i + 1
			return text, plain, nil
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			plain = false
		}
	}
	return nil, false, d.fail("a string that does not end")
}

func (d *decoder) stringTerm() (*ast.Term, error) {
	start := d.at
	text, plain, err := d.raw()
	if err != nil {
		return nil, err
	}
	if t, ok := d.shared[string(text)]; ok && plain {
		return t, nil
	}
	var s string
	if plain && utf8.Valid(text) {
		s = string(text)
	} else if err := json.Unmarshal(d.src[start:d.at], &s); err != nil {
		d.at = start
		return nil, d.fail("a string that can't be read")
	}
	t := ast.NewTerm(ast.String(s))
	if plain && len(text) <= sharedLen && len(d.shared) < sharedMax {
		d.shared[string(text)] = t
	}
	return t, nil
}

func (d *decoder) numberTerm() (*ast.Term, error) {
	start := d.at
	for d.at < len(d.src) {
		switch c := d.src[d.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			d.at++
			continue
		}
		break
	}
	text := d.src[start:d.at]
	if t := ast.InternedIntNumberTermFromString(string(text)); t != nil {
		return t, nil
	}
	if !json.Valid(text) { // its first byte is no quote, brace or letter, so it is a number
		d.at = start
		return nil, d.fail("no value")
	}
	n, err := ast.NumberChecked(string(text))
	if err != nil {
		return nil, d.fail(err.Error())
	}
	return ast.NewTerm(n), nil
}

// skip passes over one value. It looks at brackets and strings only: what is
// skipped is not read by anyone, and the plan was parsed as a whole before.
func (d *decoder) skip() error {
	switch d.next() {
	case '{', '[':
	case '"':
		_, _, err := d.raw()
		return err
	case 0:
		return d.fail("no value")
	default:
		start := d.at
		for d.at < len(d.src) && !bytes.ContainsRune([]byte(",}] \n\r\t"), rune(d.src[d.at])) {
			d.at++
		}
		if d.at == start {
			return d.fail("no value")
		}
		return nil
	}
	for depth := 0; d.at < len(d.src); {
		switch d.src[d.at] {
		case '"':
			if _, _, err := d.raw(); err != nil {
				return err
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		d.at++
		if depth == 0 {
			return nil
		}
	}
	return d.fail("a value that does not end")
}
