package actuals

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/errs"
)

// parquet reads a Parquet file: as the clouds write it, with tags as text or as
// a map.
func (o *opened) parquet(f *os.File, out *int64) error {
	if err := o.hashAll(f); err != nil {
		return err
	}
	t, err := openParquet(f, o.size)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "%s is a broken Parquet file. Download it again.", o.name)
	}
	if t.unpacked > o.limits.Bytes-*out {
		return errs.New(errs.TooLarge, "What is in %s has more than %d GiB, the most that is read in one import. Import the billing periods one by one.", o.name, o.limits.Bytes>>30)
	}
	*out += t.unpacked
	o.next = once(o.name, t)
	closeFile := o.close
	o.close = func() error { return errors.Join(t.end(), closeFile()) }
	return nil
}

// parquetTable gives the rows of a Parquet file as records of text.
type parquetTable struct {
	names    []string
	told     bool // the names were given
	unpacked int64
	project  parquet.Conversion
	leaves   []leaf
	groups   []parquet.RowGroup
	rows     parquet.Rows
	buf      []parquet.Row
	have     []parquet.Row
	n        int64

	text  [][]byte
	cells [][]byte
	keys  []string
	words []string
}

// leaf is a column of values.
type leaf struct {
	cell int
	part string // "" for the cell's text itself, key or value of a map
	text func(parquet.Value) string
}

// guarded turns a panic of the library on a broken file into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is broken: %v", p)
		}
	}()
	return f()
}

func openParquet(f io.ReaderAt, size int64) (t *parquetTable, err error) {
	t = &parquetTable{buf: make([]parquet.Row, 64)}
	err = guarded(func() error {
		file, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
		if err != nil {
			return err
		}
		for _, g := range file.Metadata().RowGroups {
			t.unpacked += max(g.TotalByteSize, 0)
		}
		t.groups = file.RowGroups()
		wanted := parquet.Group{}
		cell := map[string]int{}
		for i, field := range file.Schema().Fields() {
			t.names = append(t.names, field.Name())
			for _, c := range columns {
				if plain(c.name) == plain(field.Name()) {
					wanted[field.Name()], cell[field.Name()] = field, i
				}
			}
		}
		t.text, t.cells = make([][]byte, len(t.names)), make([][]byte, len(t.names))
		schema := parquet.NewSchema("focus", wanted)
		for _, path := range schema.Columns() {
			at, ok := schema.Lookup(path...)
			if !ok {
				return fmt.Errorf("the column %s has no values", strings.Join(path, "."))
			}
			l := leaf{cell: cell[path[0]], text: textOf(at.Node.Type())}
			if len(path) > 1 {
				l.part = strings.ToLower(path[len(path)-1])
			}
			t.leaves = append(t.leaves, l)
		}
		if len(wanted) > 0 {
			t.project, err = parquet.Convert(schema, file.Schema())
		}
		return err
	})
	return t, err
}

func (t *parquetTable) place() string { return fmt.Sprintf("row %d", t.n) }

// end closes the row group that is being read.
func (t *parquetTable) end() error {
	if t.rows == nil {
		return nil
	}
	err := t.rows.Close()
	t.rows = nil
	return err
}

func (t *parquetTable) read() (cells [][]byte, err error) {
	if !t.told {
		t.told = true
		for _, n := range t.names {
			cells = append(cells, []byte(n))
		}
		return cells, nil
	}
	err = guarded(func() error {
		for len(t.have) == 0 {
			if t.rows == nil {
				if len(t.groups) == 0 || t.project == nil {
					return io.EOF
				}
				t.rows = parquet.ConvertRowGroup(t.groups[0], t.project).Rows()
				t.groups = t.groups[1:]
			}
			n, err := t.rows.ReadRows(t.buf)
			t.have = t.buf[:n]
			if n > 0 {
				break
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if err := t.end(); err != nil {
				return err
			}
		}
		row := t.have[0]
		t.have = t.have[1:]
		t.n++
		return t.record(row)
	})
	return t.cells, err
}

// record makes the text of a row.
func (t *parquetTable) record(row parquet.Row) error {
	clear(t.cells)
	t.keys, t.words = t.keys[:0], t.words[:0]
	tags := -1
	for _, v := range row {
		column := v.Column()
		if column < 0 || column >= len(t.leaves) {
			return errors.New("a row has a column that the file does not have")
		}
		l := t.leaves[column]
		text := ""
		if !v.IsNull() {
			text = l.text(v)
		}
		switch {
		case strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text):
			return fmt.Errorf("column %s has a value that is no text", t.names[l.cell])
		case len(text) > maxField:
			return fmt.Errorf("column %s has a value longer than %d KiB", t.names[l.cell], maxField>>10)
		case l.part == "key":
			tags = l.cell
			if v.IsNull() {
				continue
			}
			t.keys = append(t.keys, text)
		case l.part == "value":
			if v.IsNull() && len(t.words) >= len(t.keys) {
				continue // there is no tag at all
			}
			t.words = append(t.words, text)
		case l.part != "":
			return fmt.Errorf("column %s holds lists or objects, which FOCUS does not have there", t.names[l.cell])
		default:
			t.text[l.cell] = append(t.text[l.cell][:0], text...)
			t.cells[l.cell] = t.text[l.cell]
		}
	}
	if tags >= 0 {
		m := map[string]string{}
		for i, k := range t.keys {
			if i < len(t.words) {
				m[k] = t.words[i]
			}
		}
		t.cells[tags] = []byte(tagsJSON(m))
	}
	return nil
}

// textOf returns how the values of a type are written.
func textOf(typ parquet.Type) func(parquet.Value) string {
	logical := typ.LogicalType()
	switch {
	case logical != nil && logical.Decimal != nil:
		scale := logical.Decimal.Scale
		return func(v parquet.Value) string { return decimal.NewFromBigInt(unscaled(v), -scale).String() }
	case logical != nil && logical.Timestamp != nil:
		return timestamp(logical.Timestamp.Unit)
	case logical != nil && logical.Date != nil:
		return func(v parquet.Value) string {
			return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly)
		}
	}
	return func(v parquet.Value) string {
		switch v.Kind() {
		case parquet.Double:
			return strconv.FormatFloat(v.Double(), 'g', -1, 64)
		case parquet.Float:
			return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32)
		case parquet.Int96:
			// Nanoseconds of the day, then the Julian day.
			i := v.Int96()
			nanos := int64(i[1])<<32 | int64(i[0])
			const epoch = 2440588
			return time.Unix((int64(i[2])-epoch)*86400, nanos).UTC().Format(time.RFC3339Nano)
		case parquet.ByteArray, parquet.FixedLenByteArray:
			return string(v.ByteArray())
		}
		return v.String()
	}
}

// unscaled is the whole number of a decimal.
func unscaled(v parquet.Value) *big.Int {
	switch v.Kind() {
	case parquet.Int32:
		return big.NewInt(int64(v.Int32()))
	case parquet.Int64:
		return big.NewInt(v.Int64())
	}
	b := v.ByteArray() // big-endian, two's complement
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}

func timestamp(unit format.TimeUnit) func(parquet.Value) string {
	return func(v parquet.Value) string {
		var t time.Time
		switch n := v.Int64(); {
		case unit.Millis != nil:
			t = time.UnixMilli(n)
		case unit.Micros != nil:
			t = time.UnixMicro(n)
		default:
			t = time.Unix(0, n)
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
}
