package prices

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of what a list may hold: a list is data from outside.
const (
	maxText  = 1 << 16 // bytes of one string or number
	maxDepth = 64
)

// jsonReader reads JSON as a stream: its caller asks for what it expects, and
// skips what it does not want. Nothing is kept but the token at hand, and what
// is skipped is held to the grammar all the same.
type jsonReader struct {
	d  *jsontext.Decoder
	in *tokenGuard
}

// tokenGuard bounds how far may be read for one token, since a string that is
// never closed would else be taken into memory, and counts lines.
type tokenGuard struct {
	r     io.Reader
	left  int
	lines int   // ends of them, in what was read
	err   error // of r
}

var errLong = fmt.Errorf("a string or number of more than %d bytes", maxText)

func (g *tokenGuard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errLong
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	g.lines += bytes.Count(p[:n], []byte{'\n'})
	if err != nil && !errors.Is(err, io.EOF) {
		g.err = err
	}
	return n, err
}

func newJSONReader(r io.Reader) *jsonReader {
	in := &tokenGuard{r: r}
	return &jsonReader{d: jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), in: in}
}

// syntaxError says what is wrong with a list, and where.
type syntaxError struct {
	Line int
	Byte int64 // from 1; 0 where only the line is known
	What string
}

func (e *syntaxError) Error() string {
	if e.Byte == 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.What)
	}
	return fmt.Sprintf("line %d, byte %d: %s", e.Line, e.Byte, e.What)
}

// bad says that what was read last is wrong.
func (j *jsonReader) bad(format string, args ...any) error {
	return j.badAt(j.d.InputOffset(), fmt.Sprintf(format, args...))
}

// badAt says what is wrong after so many bytes of the list.
func (j *jsonReader) badAt(after int64, what string) error {
	ahead := j.d.UnreadBuffer() // read and not yet looked at
	ahead = ahead[min(max(after-j.d.InputOffset(), 0), int64(len(ahead))):]
	return &syntaxError{1 + j.in.lines - bytes.Count(ahead, []byte{'\n'}), max(after, 1), what}
}

// explain turns the decoder's errors into ours.
func (j *jsonReader) explain(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case j.in.err != nil:
		return j.in.err
	case errors.Is(err, errLong):
		return j.bad("%v", errLong)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return j.badAt(j.d.InputOffset()+int64(len(j.d.UnreadBuffer())), "it ends in the middle")
	case errors.As(err, &syntax):
		return j.badAt(syntax.ByteOffset+1, syntax.Err.Error())
	}
	return err
}

func (j *jsonReader) token() (jsontext.Token, error) {
	j.in.left = maxText
	t, err := j.d.ReadToken()
	switch {
	case err != nil:
		return t, j.explain(err)
	case j.d.StackDepth() > maxDepth:
		return t, j.bad("more than %d values stand in one another", maxDepth)
	}
	return t, nil
}

// next tells what kind of token comes, without reading it.
func (j *jsonReader) next() jsontext.Kind {
	j.in.left = maxText
	return j.d.PeekKind()
}

// object reads an object; member reads or skips each value. A null is an
// object without members.
func (j *jsonReader) object(member func(key string) error) error {
	t, err := j.token()
	if err != nil || t.Kind() == 'n' {
		return err
	}
	if t.Kind() != '{' {
		return j.bad("%s where an object belongs", kindWord(t.Kind()))
	}
	for {
		t, err := j.token()
		if err != nil {
			return err
		}
		if t.Kind() == '}' {
			return nil
		}
		key, err := j.text(t)
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

// array reads an array; element reads or skips each value. A null is an array
// without elements.
func (j *jsonReader) array(element func() error) error {
	t, err := j.token()
	if err != nil || t.Kind() == 'n' {
		return err
	}
	if t.Kind() != '[' {
		return j.bad("%s where a list belongs", kindWord(t.Kind()))
	}
	for j.next() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err = j.token()
	return err
}

// scalar reads a string, number, true, false or null as text; null is "".
func (j *jsonReader) scalar() (string, error) {
	t, err := j.token()
	switch {
	case err != nil || t.Kind() == 'n':
		return "", err
	case t.Kind() == '{' || t.Kind() == '[':
		return "", j.bad("%s where a string or number belongs", kindWord(t.Kind()))
	}
	return j.text(t)
}

// text is a token's. A token may be longer than the guard lets through at once,
// by what was read ahead.
func (j *jsonReader) text(t jsontext.Token) (string, error) {
	s := t.String()
	if len(s) > maxText {
		return "", j.bad("%v", errLong)
	}
	return s, nil
}

func kindWord(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	}
	return "true or false"
}

// skip reads over any value.
func (j *jsonReader) skip() error {
	for depth := j.d.StackDepth(); ; {
		if _, err := j.token(); err != nil {
			return err
		}
		if j.d.StackDepth() <= depth {
			return nil
		}
	}
}

// end demands that nothing follows.
func (j *jsonReader) end() error {
	j.in.left = maxText
	_, err := j.d.ReadToken()
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF) && j.in.err == nil:
		return nil
	case err == nil:
		return j.bad("something stands after the end")
	case errors.As(err, &syntax) && j.in.err == nil:
		return j.badAt(syntax.ByteOffset+1, "something stands after the end")
	}
	return j.explain(err)
}

// fields reads an object whose scalars are wanted by name; others are skipped,
// and so are values that are no scalars.
func (j *jsonReader) fields(into map[string]*string) error {
	for _, p := range into {
		*p = ""
	}
	return j.object(func(key string) error {
		p := into[key]
		if k := j.next(); p == nil || k == '{' || k == '[' {
			return j.skip()
		}
		var err error
		*p, err = j.scalar()
		return err
	})
}

// page reads one answer of an interface that tells a list page by page. item
// reads each element of the list under one name; what stands under the other
// leads to the next page, and is returned: "" for the last.
func (j *jsonReader) page(list, next, whose string, item func() error) (string, error) {
	to, there := "", false
	err := j.object(func(key string) error {
		switch key {
		case list:
			there = true
			return j.array(item)
		case next:
			var err error
			to, err = j.scalar()
			return err
		}
		return j.skip()
	})
	if err == nil {
		err = j.end()
	}
	if err == nil && !there {
		err = j.bad("it has no %s: this is no answer of %s", list, whose)
	}
	return to, err
}

// short cuts a name of the list's own for a message.
func short(name string) string {
	if len(name) <= 60 {
		return name
	}
	cut := 60
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "…"
}
