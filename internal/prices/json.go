package prices

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of what a list may hold: a list is data from outside.
const (
	maxText  = 1 << 16 // bytes of one string or number that is wanted
	maxDepth = 64
)

// jsonReader reads JSON as a stream: its caller asks for what it expects, and
// skips what it does not want. Nothing is kept but the value at hand, and what
// is skipped is checked all the same. The first error stays.
type jsonReader struct {
	r     *bufio.Reader
	at    int64 // bytes read
	line  int
	depth int
	buf   []byte
}

func newJSONReader(r io.Reader) *jsonReader {
	return &jsonReader{r: bufio.NewReaderSize(r, 1<<16), line: 1}
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

func (j *jsonReader) bad(format string, args ...any) error {
	return &syntaxError{j.line, max(j.at, 1), fmt.Sprintf(format, args...)}
}

func (j *jsonReader) next() (byte, error) {
	c, err := j.r.ReadByte()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return 0, j.bad("it ends in the middle")
		}
		return 0, err
	}
	j.at++
	if c == '\n' {
		j.line++
	}
	return c, nil
}

// back puts the last byte back, which must not be a line end.
func (j *jsonReader) back() {
	_ = j.r.UnreadByte() // it was just read
	j.at--
}

// token returns the next byte that is no space.
func (j *jsonReader) token() (byte, error) {
	for {
		c, err := j.next()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

func (j *jsonReader) want(c byte) error {
	got, err := j.token()
	if err == nil && got != c {
		return j.bad("%q where %q belongs", got, c)
	}
	return err
}

func (j *jsonReader) enter() error {
	if j.depth++; j.depth > maxDepth {
		return j.bad("more than %d values stand in one another", maxDepth)
	}
	return nil
}

// object reads an object; member reads or skips each value. A null is an
// object without members.
func (j *jsonReader) object(member func(key string) error) error {
	c, err := j.token()
	if err != nil {
		return err
	}
	if c == 'n' {
		return j.literal("ull")
	}
	if c != '{' {
		return j.bad("%q where an object belongs", c)
	}
	if err := j.enter(); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := j.token()
		if err != nil {
			return err
		}
		if c == '}' && first {
			break
		}
		if c != '"' {
			return j.bad("%q where a name belongs", c)
		}
		key, err := j.text(true)
		if err != nil {
			return err
		}
		if err := j.want(':'); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if c, err = j.token(); err != nil {
			return err
		}
		if c == '}' {
			break
		}
		if c != ',' {
			return j.bad("%q where a comma belongs", c)
		}
	}
	j.depth--
	return nil
}

// array reads an array; element reads or skips each value. A null is an array
// without elements.
func (j *jsonReader) array(element func() error) error {
	c, err := j.token()
	if err != nil {
		return err
	}
	if c == 'n' {
		return j.literal("ull")
	}
	if c != '[' {
		return j.bad("%q where a list belongs", c)
	}
	if err := j.enter(); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := j.token()
		if err != nil {
			return err
		}
		if c == ']' && first {
			break
		}
		if first {
			j.back()
		} else if c == ']' {
			break
		} else if c != ',' {
			return j.bad("%q where a comma belongs", c)
		}
		if err := element(); err != nil {
			return err
		}
	}
	j.depth--
	return nil
}

// scalar reads a string, number, true, false or null as text; null is "".
func (j *jsonReader) scalar() (string, error) {
	c, err := j.token()
	if err != nil {
		return "", err
	}
	switch {
	case c == '"':
		return j.text(true)
	case c == 'n':
		return "", j.literal("ull")
	case c == 't':
		return "true", j.literal("rue")
	case c == 'f':
		return "false", j.literal("alse")
	case c == '-' || c >= '0' && c <= '9':
		return j.number(c, true)
	}
	return "", j.bad("%q where a string or number belongs", c)
}

// skip reads over any value.
func (j *jsonReader) skip() error {
	c, err := j.token()
	if err != nil {
		return err
	}
	switch {
	case c == '"':
		_, err := j.text(false)
		return err
	case c == '{':
		j.back()
		return j.object(func(string) error { return j.skip() })
	case c == '[':
		j.back()
		return j.array(j.skip)
	case c == 'n':
		return j.literal("ull")
	case c == 't':
		return j.literal("rue")
	case c == 'f':
		return j.literal("alse")
	case c == '-' || c >= '0' && c <= '9':
		_, err := j.number(c, false)
		return err
	}
	return j.bad("%q where a value belongs", c)
}

// end demands that nothing follows.
func (j *jsonReader) end() error {
	for {
		c, err := j.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		j.at++
		if c == '\n' {
			j.line++
		} else if c != ' ' && c != '\t' && c != '\r' {
			return j.bad("%q after the end", c)
		}
	}
}

func (j *jsonReader) literal(rest string) error {
	for i := range len(rest) {
		c, err := j.next()
		if err != nil {
			return err
		}
		if c != rest[i] {
			return j.bad("%q in the middle of a word", c)
		}
	}
	return nil
}

// number reads on after its first byte.
func (j *jsonReader) number(c byte, keep bool) (string, error) {
	j.buf = j.buf[:0]
	const (
		sign = iota
		zero
		whole
		point
		fraction
		mark
		markSign
		exponent
	)
	state, ended := sign, false
	for step := c; ; {
		digit := step >= '0' && step <= '9'
		switch {
		case state == sign && step == '-' && len(j.buf) == 0:
		case state == sign && step == '0':
			state = zero
		case state == sign && digit:
			state = whole
		case (state == zero || state == whole) && step == '.':
			state = point
		case state == whole && digit:
		case (state == point || state == fraction) && digit:
			state = fraction
		case (state == zero || state == whole || state == fraction) && (step == 'e' || step == 'E'):
			state = mark
		case state == mark && (step == '+' || step == '-'):
			state = markSign
		case (state == mark || state == markSign || state == exponent) && digit:
			state = exponent
		default:
			ended = true
		}
		if ended {
			j.back()
			break
		}
		if j.buf = append(j.buf, step); len(j.buf) > 400 {
			return "", j.bad("a number of more than 400 digits")
		}
		var err error
		if step, err = j.r.ReadByte(); err != nil {
			if errors.Is(err, io.EOF) {
				break // the end of the list may end a number
			}
			return "", err
		}
		j.at++
		if step == '\n' { // it can't be put back and counted twice
			j.at--
			_ = j.r.UnreadByte()
			break
		}
	}
	if state == sign || state == point || state == mark || state == markSign {
		return "", j.bad("a number that is cut short")
	}
	if !keep {
		return "", nil
	}
	return string(j.buf), nil
}

// text reads on after the opening quote.
func (j *jsonReader) text(keep bool) (string, error) {
	j.buf = j.buf[:0]
	for {
		// Whole runs of plain bytes are taken from the buffer at once.
		if j.r.Buffered() == 0 {
			if _, err := j.r.Peek(1); err != nil {
				_, err := j.next()
				return "", err
			}
		}
		chunk, _ := j.r.Peek(j.r.Buffered()) // what is buffered is there
		n := 0
		for n < len(chunk) && chunk[n] != '"' && chunk[n] != '\\' && chunk[n] >= ' ' {
			n++
		}
		if keep {
			if len(j.buf)+n > maxText {
				return "", j.bad("a string of more than %d bytes", maxText)
			}
			j.buf = append(j.buf, chunk[:n]...)
		}
		_, _ = j.r.Discard(n)
		j.at += int64(n)
		if n == len(chunk) {
			continue
		}
		switch c, err := j.next(); {
		case err != nil:
			return "", err
		case c == '"':
			if !keep {
				return "", nil
			}
			return strings.ToValidUTF8(string(j.buf), "�"), nil
		case c == '\\':
			if err := j.escape(keep); err != nil {
				return "", err
			}
		default:
			return "", j.bad("a control character in a string")
		}
	}
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (j *jsonReader) escape(keep bool) error {
	c, err := j.next()
	if err != nil {
		return err
	}
	if c != 'u' {
		plain, ok := escapes[c]
		if !ok {
			return j.bad("an escape \\%c that does not exist", c)
		}
		if keep {
			j.buf = append(j.buf, plain)
		}
		return nil
	}
	r, err := j.hex()
	if err != nil {
		return err
	}
	for utf16.IsSurrogate(r) {
		// Half a character; the other half, if it follows, is joined to it.
		if ahead, _ := j.r.Peek(2); string(ahead) != `\u` {
			r = utf8.RuneError
			break
		}
		_, _ = j.r.Discard(2)
		j.at += 2
		low, err := j.hex()
		if err != nil {
			return err
		}
		if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
			r = whole
			break
		}
		if keep {
			j.buf = utf8.AppendRune(j.buf, utf8.RuneError)
		}
		r = low
	}
	if keep {
		j.buf = utf8.AppendRune(j.buf, r)
	}
	return nil
}

func (j *jsonReader) hex() (rune, error) {
	var r rune
	for range 4 {
		c, err := j.next()
		if err != nil {
			return 0, err
		}
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, j.bad("%q in an escape", c)
		}
	}
	return r, nil
}

// fields reads an object whose scalars are wanted by name; others are skipped,
// and so are values that are no scalars.
func (j *jsonReader) fields(into map[string]*string) error {
	for _, p := range into {
		*p = ""
	}
	return j.object(func(key string) error {
		p := into[key]
		if p == nil {
			return j.skip()
		}
		c, err := j.token()
		if err != nil {
			return err
		}
		j.back()
		if c == '{' || c == '[' {
			return j.skip()
		}
		*p, err = j.scalar()
		return err
	})
}
