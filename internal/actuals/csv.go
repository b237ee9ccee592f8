package actuals

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Limits of one record of a CSV file. An export's longest field are the tags,
// of which clouds allow some 50 of 400 characters.
const (
	maxField  = 256 << 10
	maxRecord = 1 << 20
)

// fault is what is wrong with a place of a file, in words that go on after it.
type fault struct {
	line int64
	text string
}

func (f fault) Error() string { return fmt.Sprintf("line %d: %s", f.line, f.text) }

// csvReader reads records as RFC 4180 has them, and never holds more than one.
// It differs from encoding/csv in that a quote that is never closed ends at
// maxRecord, not at the file's end.
type csvReader struct {
	in    *bufio.Reader
	line  int64 // of the last record: where it begins
	next  int64
	buf   []byte
	cells []byte // unquoted text
	ends  []int
	out   [][]byte
}

func newCSVReader(r io.Reader) *csvReader {
	return &csvReader{in: bufio.NewReaderSize(r, 256<<10), next: 1}
}

// read returns the next record's fields, which hold until the next call, and
// the line it begins in. Empty lines are passed over. The end is io.EOF.
func (c *csvReader) read() ([][]byte, error) {
	for {
		if err := c.fill(); err != nil {
			return nil, err
		}
		if len(c.buf) > 0 {
			return c.split()
		}
	}
}

// fill reads lines until the quotes in them are even.
func (c *csvReader) fill() error {
	c.buf, c.line = c.buf[:0], c.next
	quotes := 0
	for {
		from := len(c.buf)
		err := c.physical()
		if err != nil && (!errors.Is(err, io.EOF) || len(c.buf) == 0) {
			return err
		}
		quotes += bytes.Count(c.buf[from:], []byte{'"'})
		if quotes%2 == 0 {
			c.buf = bytes.TrimSuffix(bytes.TrimSuffix(c.buf, []byte{'\n'}), []byte{'\r'})
			return nil
		}
		if err != nil {
			return fault{c.line, "a quoted field is begun and never ended. Perhaps the file was cut; export it again"}
		}
	}
}

// physical adds one line to the record.
func (c *csvReader) physical() error {
	for {
		part, err := c.in.ReadSlice('\n')
		if len(c.buf)+len(part) > maxRecord {
			return fault{c.line, fmt.Sprintf("the record is longer than %d KiB. Perhaps a quote is never closed, or this is no CSV file", maxRecord>>10)}
		}
		c.buf = append(c.buf, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return err
		default:
			c.next++
			return nil
		}
	}
}

// split cuts the record into its fields.
func (c *csvReader) split() ([][]byte, error) {
	switch {
	case bytes.IndexByte(c.buf, 0) >= 0:
		return nil, fault{c.line, "there is a zero byte: this is no text. A FOCUS export in UTF-8 is needed, as CSV or Parquet"}
	case !utf8.Valid(c.buf):
		return nil, fault{c.line, "the text is not UTF-8. Save the file as UTF-8"}
	}
	c.cells, c.ends, c.out = c.cells[:0], c.ends[:0], c.out[:0]
	rest := c.buf
	for {
		var more bool
		var err error
		if rest, more, err = c.field(rest); err != nil {
			return nil, err
		}
		if from := c.begin(); len(c.cells)-from > maxField {
			return nil, fault{c.line, fmt.Sprintf("field %d is longer than %d KiB", len(c.ends)+1, maxField>>10)}
		}
		c.ends = append(c.ends, len(c.cells))
		if !more {
			break
		}
	}
	from := 0
	for _, end := range c.ends { // only now: the buffer may have moved while it grew
		c.out = append(c.out, c.cells[from:end])
		from = end
	}
	return c.out, nil
}

func (c *csvReader) begin() int {
	if len(c.ends) == 0 {
		return 0
	}
	return c.ends[len(c.ends)-1]
}

// field adds one field's text and tells whether another follows.
func (c *csvReader) field(in []byte) (rest []byte, more bool, err error) {
	n := len(c.ends) + 1
	if len(in) == 0 || in[0] != '"' {
		end := bytes.IndexByte(in, ',')
		text := in
		if end >= 0 {
			text, rest = in[:end], in[end+1:]
		}
		if bytes.IndexByte(text, '"') >= 0 {
			return nil, false, fault{c.line, fmt.Sprintf("field %d has a quote in its midst: a field with quotes stands in quotes as a whole, and each of its own is doubled", n)}
		}
		c.cells = append(c.cells, text...)
		return rest, end >= 0, nil
	}
	in = in[1:]
	for {
		end := bytes.IndexByte(in, '"')
		if end < 0 {
			return nil, false, fault{c.line, fmt.Sprintf("field %d is begun with a quote and never ended", n)}
		}
		c.cells = append(c.cells, in[:end]...)
		in = in[end+1:]
		switch {
		case len(in) == 0:
			return nil, false, nil
		case in[0] == ',':
			return in[1:], true, nil
		case in[0] != '"':
			return nil, false, fault{c.line, fmt.Sprintf("after the quoted field %d there is text instead of a comma: quotes within a field are doubled, not written as \\\"", n)}
		}
		c.cells = append(c.cells, '"')
		in = in[1:]
	}
}
