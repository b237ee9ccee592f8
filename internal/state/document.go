package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Document is what a state file says of itself.
type Document struct {
	Version          int // of the format; 0 where OpenTofu encrypted the rest
	Serial           int64
	Lineage          string
	TerraformVersion string
	Encrypted        bool // by the client
	Resources        int  // resources and data sources, as blocks of the code
	Instances        int  // of those
	// serialFrom and serialTo are where the serial's digits stand.
	serialFrom, serialTo int64
}

// scanner reads a state as it passes by: it checks that all of it is JSON and
// keeps what Document holds. Its memory does not depend on the state's size.
type scanner struct {
	doc   Document
	seen  map[string]bool // keys of the state that were there
	err   error
	step  step
	stack []byte // '{' and '[' of what is open
	at    int64  // bytes read

	literal string // what must still come of true, false or null
	hex     int    // digits that must still come of \uXXXX
	inKey   bool   // the string is an object's key

	keep bool   // the bytes of the string or number are kept
	kept []byte // raw, with its quotes
	from int64  // where it began
	root string // the key of the state that is being read
	// instances says that the key of the resource that is being read is that.
	instances bool
}

type step uint8

const (
	wantValue step = iota
	wantValueOrEnd
	wantKey
	wantKeyOrEnd
	wantColon
	wantMore // a comma or the end of what is open
	wantNothing
	inString
	inEscape
	inHex
	inLiteral
	afterMinus
	afterZero
	inDigits
	afterDot
	inFraction
	afterE
	afterSign
	inExponent
)

// Bounds of what a state may be like. Terraform's own stay far below.
const (
	maxDepth = 1000
	maxKept  = 1 << 10
)

// counted is how deep in the state anything is kept or counted; below are the
// insides of instances, which are nearly all of it.
const counted = 4

// wanted are the keys of a state whose values are kept.
var wanted = map[string]bool{"version": true, "serial": true, "lineage": true, "terraform_version": true, "encrypted_data": false, "resources": false}

// Write implements io.Writer. Its error is errs.Invalid, and final.
func (s *scanner) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	for i := 0; i < len(p); i++ {
		if len(s.stack) > counted {
			n := s.skim(p[i:])
			s.at += int64(n)
			if i += n; i == len(p) {
				break
			}
		}
		c := p[i]
		switch {
		case s.step == inString:
			n := plain(p[i:])
			if s.keep {
				s.retain(p[i : i+n])
			}
			s.at += int64(n)
			if i += n; i == len(p) {
				return len(p), s.err
			}
			c = p[i]
		case s.step <= wantNothing && isSpace(c):
			s.at++
			continue
		}
		s.feed(c)
		if s.err != nil {
			return i, s.err
		}
		s.at++
	}
	return len(p), nil
}

// retain keeps bytes of the string or number, where keep says so.
func (s *scanner) retain(p []byte) {
	if len(s.kept)+len(p) > maxKept {
		if s.inKey {
			s.fail("a key has more than %d bytes", maxKept)
			return
		}
		s.fail("%q has more than %d bytes", s.root, maxKept)
		return
	}
	s.kept = append(s.kept, p...)
}

func (s *scanner) retainByte(c byte) {
	if s.keep {
		s.retain([]byte{c})
	}
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = errs.New(errs.Invalid, "The body is no Terraform state: at byte %d %s. Nothing was changed.", s.at+1, fmt.Sprintf(format, args...))
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// feed takes the next byte.
func (s *scanner) feed(c byte) {
	switch s.step {
	case inString:
		s.str(c)
	case inEscape:
		s.retainByte(c)
		switch {
		case c == 'u':
			s.step, s.hex = inHex, 4
		case strings.IndexByte(`"\/bfnrt`, c) >= 0:
			s.step = inString
		default:
			s.fail("there is an unknown escape")
		}
	case inHex:
		s.retainByte(c)
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			s.fail("there is an unknown escape")
		}
		if s.hex--; s.hex == 0 {
			s.step = inString
		}
	case inLiteral:
		if c != s.literal[0] {
			s.fail("there is a word that JSON does not have")
			return
		}
		if s.literal = s.literal[1:]; s.literal == "" {
			s.end()
		}
	case afterMinus, afterZero, inDigits, afterDot, inFraction, afterE, afterSign, inExponent:
		s.number(c)
	default:
		if !isSpace(c) { // behind a number
			s.structure(c)
		}
	}
}

// structure takes a byte between values.
func (s *scanner) structure(c byte) {
	switch s.step {
	case wantValueOrEnd, wantValue:
		if c == ']' && s.step == wantValueOrEnd {
			s.pop('[')
			return
		}
		s.value(c)
	case wantKeyOrEnd, wantKey:
		switch {
		case c == '}' && s.step == wantKeyOrEnd:
			s.pop('{')
		case c == '"':
			s.begin(true, len(s.stack) == 1 || s.inResource())
		default:
			s.fail("a key is missing")
		}
	case wantColon:
		if c != ':' {
			s.fail("a colon is missing")
			return
		}
		s.step = wantValue
	case wantMore:
		top := s.stack[len(s.stack)-1]
		switch {
		case c == ',' && top == '{':
			s.step = wantKey
		case c == ',':
			s.step = wantValue
		case c == '}':
			s.pop('{')
		case c == ']':
			s.pop('[')
		default:
			s.fail("a comma is missing")
		}
	default:
		s.fail("something stands behind the state")
	}
}

// inResource reports whether the innermost object is an element of the list of
// resources.
func (s *scanner) inResource() bool {
	return len(s.stack) == 3 && s.root == "resources" && string(s.stack) == "{[{"
}

// value takes the first byte of a value.
func (s *scanner) value(c byte) {
	switch len(s.stack) {
	case 2:
		if s.root == "resources" && string(s.stack) == "{[" {
			s.doc.Resources++
			s.instances = false
		}
	case 4:
		if s.instances && s.root == "resources" && string(s.stack) == "{[{[" {
			s.doc.Instances++
		}
	}
	if len(s.stack) == 0 && c != '{' {
		s.fail("it is no JSON object")
		return
	}
	keep := len(s.stack) == 1 && wanted[s.root]
	switch {
	case c == '{' || c == '[':
		if keep {
			s.fail("%q is no simple value", s.root)
			return
		}
		if len(s.stack) == maxDepth {
			s.fail("it is nested more than %d deep", maxDepth)
			return
		}
		s.stack = append(s.stack, c)
		s.step = wantKeyOrEnd
		if c == '[' {
			s.step = wantValueOrEnd
		}
	case c == '"':
		s.begin(false, keep)
	case c == '-' || isDigit(c):
		s.begin(false, keep)
		s.step = inDigits
		if c == '-' {
			s.step = afterMinus
		} else if c == '0' {
			s.step = afterZero
		}
		s.kept = s.kept[:0]
		s.retainByte(c)
	case c == 't' || c == 'f' || c == 'n':
		if keep {
			s.fail("%q has no value", s.root)
			return
		}
		switch s.step = inLiteral; c {
		case 't':
			s.literal = "rue"
		case 'f':
			s.literal = "alse"
		default:
			s.literal = "ull"
		}
	default:
		s.fail("a value is missing")
	}
}

// begin begins a string, at its quote, or a number.
func (s *scanner) begin(key, keep bool) {
	s.step, s.inKey, s.keep, s.from = inString, key, keep, s.at
	if keep {
		s.kept = append(s.kept[:0], '"')
	}
}

func (s *scanner) str(c byte) {
	switch {
	case c < ' ':
		s.fail("there is a control character in a string")
	case c == '\\':
		s.retainByte(c)
		s.step = inEscape
	case c == '"':
		s.retainByte(c)
		if s.err != nil {
			return
		}
		if !s.inKey {
			if s.keep {
				s.take()
			}
			s.end()
			return
		}
		s.step = wantColon
		if s.keep {
			s.key()
		}
	}
}

// key takes the name of one of the state's own keys, or of a resource's.
func (s *scanner) key() {
	if len(s.stack) > 1 && bytes.IndexByte(s.kept, '\\') < 0 {
		s.instances = string(s.kept) == `"instances"`
		return
	}
	var name string
	if err := json.Unmarshal(s.kept, &name); err != nil {
		s.fail("a key can't be read")
		return
	}
	if len(s.stack) > 1 {
		s.instances = name == "instances"
		return
	}
	s.root = name
	for known := range wanted {
		// Terraform's reader takes upper and lower case as one and the last of
		// two; then what it reads would not be what was checked here.
		if !strings.EqualFold(name, known) {
			continue
		}
		if name != known {
			s.fail("the key %q is written %q", known, name)
		}
		if s.seen[known] {
			s.fail("the key %q is there twice", known)
		}
		s.seen[known] = true
	}
	if name == "encrypted_data" {
		s.doc.Encrypted = true
	}
}

// take takes the value of one of the state's own keys.
func (s *scanner) take() {
	var err error
	switch s.root {
	case "version":
		s.doc.Version, err = strconv.Atoi(string(s.kept))
	case "serial":
		s.doc.Serial, err = strconv.ParseInt(string(s.kept), 10, 64)
		if err == nil && s.doc.Serial < 0 {
			err = strconv.ErrRange
		}
		s.doc.serialFrom, s.doc.serialTo = s.from, s.from+int64(len(s.kept))
	case "lineage":
		err = json.Unmarshal(s.kept, &s.doc.Lineage)
	case "terraform_version":
		err = json.Unmarshal(s.kept, &s.doc.TerraformVersion)
	}
	if err != nil {
		s.fail("%q has a value that it can't have", s.root)
	}
}

func (s *scanner) number(c byte) {
	next := s.step
	switch s.step {
	case afterMinus:
		switch {
		case c == '0':
			next = afterZero
		case isDigit(c):
			next = inDigits
		default:
			s.fail("a digit is missing")
		}
	case afterZero, inDigits:
		switch {
		case isDigit(c) && s.step == inDigits:
		case c == '.':
			next = afterDot
		case c == 'e' || c == 'E':
			next = afterE
		default:
			s.numberEnd(c)
			return
		}
	case afterDot, inFraction:
		switch {
		case isDigit(c):
			next = inFraction
		case s.step == inFraction && (c == 'e' || c == 'E'):
			next = afterE
		case s.step == inFraction:
			s.numberEnd(c)
			return
		default:
			s.fail("a digit is missing")
		}
	case afterE, afterSign, inExponent:
		switch {
		case isDigit(c):
			next = inExponent
		case s.step == afterE && (c == '+' || c == '-'):
			next = afterSign
		case s.step == inExponent:
			s.numberEnd(c)
			return
		default:
			s.fail("a digit is missing")
		}
	}
	s.step = next
	s.retainByte(c)
}

// numberEnd ends a number at the byte behind it.
func (s *scanner) numberEnd(c byte) {
	if s.keep {
		s.take()
	}
	s.end()
	s.feed(c)
}

// end ends a value.
func (s *scanner) end() {
	s.keep = false
	if s.step = wantMore; len(s.stack) == 0 {
		s.step = wantNothing
	}
}

func (s *scanner) pop(open byte) {
	if s.stack[len(s.stack)-1] != open {
		s.fail("a bracket is closed that is not open")
		return
	}
	s.stack = s.stack[:len(s.stack)-1]
	s.end()
}

// finish returns what was read, once all of it was. An unfinished state, or
// JSON that is none, is errs.Invalid.
func (s *scanner) finish() (Document, error) {
	switch {
	case s.err != nil:
		return Document{}, s.err
	case s.at == 0:
		return Document{}, errs.New(errs.Invalid, "The body is empty. Nothing was changed.")
	case s.step != wantNothing:
		return Document{}, errs.New(errs.Invalid, "The body ends in the middle of the state, after %d bytes. Nothing was changed.", s.at)
	case !s.seen["serial"]:
		return Document{}, errs.New(errs.Invalid, "The body is JSON and no Terraform state: it has no serial. Nothing was changed.")
	case !s.seen["version"] && !s.doc.Encrypted:
		return Document{}, errs.New(errs.Invalid, "The body is JSON and no Terraform state: it has no version. Nothing was changed.")
	}
	return s.doc, nil
}

func newScanner() *scanner { return &scanner{seen: map[string]bool{}} }
