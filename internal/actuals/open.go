package actuals

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Source is one file of an export.
type Source struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"` // of the file as it was, compressed or not
	Bytes   int64  `json:"bytes"`
	Lines   int64  `json:"lines"`   // without the header
	Version string `json:"version"` // of FOCUS
}

// table gives the records of one file. A record holds until the next call.
type table interface {
	read() ([][]byte, error) // io.EOF at the end
	place() string           // of the last record: "line 7", "row 6"
}

func (c *csvReader) place() string { return fmt.Sprintf("line %d", c.line) }

// opened is a file that is read: each table is one CSV or Parquet file.
type opened struct {
	name   string
	limits *Limits
	sum    hash.Hash
	size   int64
	close  func() error
	next   func() (name string, t table, err error) // io.EOF at the end
	finish func() error                             // reads what is left for the checksum; nil where nothing is
}

// counted tells how much came out of a file, and stops what is a bomb.
type counted struct {
	in     io.Reader
	packed func() int64 // read of the file so far
	limits *Limits
	out    *int64 // of all tables of all files
	mine   int64  // of this one
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	*c.out += int64(n)
	c.mine += int64(n)
	switch {
	case *c.out > c.limits.Bytes:
		return n, errs.New(errs.TooLarge, "what is in the file has more than %d GiB, the most that is read in one import. Import the billing periods one by one.", c.limits.Bytes>>30)
	case c.mine > c.limits.RatioFrom && c.mine/max(c.packed(), 1) > c.limits.Ratio:
		return n, errs.New(errs.TooLarge, "what is in the file is more than %d times as large as the file: no billing export compresses that well, so this is taken for a trap.", c.limits.Ratio)
	}
	return n, err
}

// meter counts and hashes what is read of a file.
type meter struct {
	in  io.Reader
	sum hash.Hash
	n   int64
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.in.Read(b)
	m.n += int64(n)
	m.sum.Write(b[:n]) // never fails
	return n, err
}

// open opens a file, whatever it is by its first bytes.
func open(path string, limits *Limits, out *int64) (*opened, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap(errs.NotFound, err, "The file %s can't be read.", path)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 {
		err = errs.New(errs.Invalid, "%s is no file. Name the files of the export, all in one command.", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	o := &opened{name: path, limits: limits, size: info.Size(), close: f.Close}
	head := make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) && info.Mode().IsRegular() {
		return nil, errors.Join(err, f.Close())
	}
	head = head[:n]
	switch {
	case bytes.Equal(head, []byte("PK\x03\x04")):
		err = o.zip(f, out)
	case bytes.Equal(head, []byte("PAR1")):
		err = o.parquet(f, out)
	default:
		err = o.stream(f, out)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return o, nil
}

// stream reads CSV, gzipped or not.
func (o *opened) stream(f *os.File, out *int64) error {
	m := &meter{in: f, sum: sha256.New()}
	o.sum = m.sum
	in := bufio.NewReaderSize(m, 256<<10)
	var text io.Reader = in
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) { // an error comes again with the first record
		z, err := gzip.NewReader(in)
		if err != nil {
			return errs.Wrap(errs.Invalid, err, "%s begins like a gzip file and is none. Download it again.", o.name)
		}
		text = z
	}
	t := newCSVReader(&counted{in: text, packed: func() int64 { return m.n }, limits: o.limits, out: out})
	o.next = once(o.name, t)
	o.finish = func() error {
		_, err := io.Copy(io.Discard, in)
		o.size = m.n
		return err
	}
	return nil
}

func once(name string, t table) func() (string, table, error) {
	done := false
	return func() (string, table, error) {
		if done {
			return "", nil, io.EOF
		}
		done = true
		return name, t, nil
	}
}

// zip reads the CSV files in an archive, gzipped in it or not.
func (o *opened) zip(f *os.File, out *int64) error {
	if err := o.hashAll(f); err != nil {
		return err
	}
	archive, err := zip.NewReader(f, o.size)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "%s is a broken zip file. Download it again.", o.name)
	}
	var files []*zip.File
	for _, file := range archive.File {
		base := strings.ToLower(filepath.Base(file.Name))
		if strings.HasSuffix(base, ".csv") || strings.HasSuffix(base, ".csv.gz") {
			files = append(files, file)
		}
	}
	const most = 1000
	if len(files) == 0 || len(files) > most {
		return errs.New(errs.Invalid, "The archive %s has %d files that end in .csv or .csv.gz; it must have at least one, and at most %d.", o.name, len(files), most)
	}
	var last io.Closer
	stop := f.Close
	o.close = func() error {
		if last != nil {
			_ = last.Close() // it was only read
		}
		return stop()
	}
	o.next = func() (string, table, error) {
		if last != nil {
			_ = last.Close() // it was only read
			last = nil
		}
		if len(files) == 0 {
			return "", nil, io.EOF
		}
		file := files[0]
		files = files[1:]
		name := o.name + ":" + file.Name
		inner, err := file.Open()
		if err != nil {
			return name, nil, errs.Wrap(errs.Invalid, err, "%s can't be unpacked.", name)
		}
		last = inner
		in := bufio.NewReaderSize(inner, 64<<10)
		var text io.Reader = in
		if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
			if text, err = gzip.NewReader(in); err != nil {
				return name, nil, errs.Wrap(errs.Invalid, err, "%s begins like a gzip file and is none.", name)
			}
		}
		packed := int64(file.CompressedSize64) // as the archive claims, which is bounded by its own size
		return name, newCSVReader(&counted{in: text, packed: func() int64 { return min(packed, o.size) }, limits: o.limits, out: out}), nil
	}
	return nil
}

// hashAll reads the file once for its checksum.
func (o *opened) hashAll(f *os.File) error {
	o.sum = sha256.New()
	n, err := io.Copy(o.sum, io.NewSectionReader(f, 0, 1<<62))
	o.size = n
	return err
}

func (o *opened) checksum() string { return hex.EncodeToString(o.sum.Sum(nil)) }
