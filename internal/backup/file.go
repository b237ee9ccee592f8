package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
)

// A backup is
//
//	magic · length of the head (4 bytes) · head, JSON
//	segments as those of a blob, bound to the head, of zstd of
//	  parts: length (4) · name · chunks: length (4) · bytes; a length of 0 ends the part
//	  the last part is the manifest, JSON
const magic = "TLBACKUP1\n"

// The names of parts.
const (
	partDatabase = "database" // an SQLite file
	partTable    = "table/"   // rows as lines of JSON
	partBlob     = "blob/"    // client/reference, sealed as it lay there
	partManifest = "manifest"
)

// Head stands before what is encrypted.
type Head struct {
	ID       string            `json:"id"`
	Made     time.Time         `json:"made"`
	Tidelock string            `json:"tidelock"` // the program's version
	Dialect  db.Dialect        `json:"database"`
	Schema   int64             `json:"schema"` // version of the database
	Keys     []keyring.Wrapped `json:"keys"`   // the data key, wrapped by each key that opens the file
}

// Manifest says what must be there.
type Manifest struct {
	Tables  map[string]int64 `json:"tables"` // rows
	Blobs   int64            `json:"blobs"`
	Bytes   int64            `json:"bytes"` // of all parts
	Audit   access.Head      `json:"audit"`
	Missing []string         `json:"missing,omitempty"` // blobs that rows name and that were not there
	Digest  string           `json:"digest"`            // of all parts before, in order
}

// Rows is how many there are in all tables.
func (m Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t
	}
	return n
}

func dataKeyBound(id string) []byte { return []byte("tidelock backup 1\n" + id) }

func newHead(ctx context.Context, h Head, ring *keyring.Ring, recipients []keyring.Key) (Head, []byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return h, nil, err
	}
	h.ID = id.String()
	bound := dataKeyBound(h.ID)
	dataKey, wrapped, err := ring.NewDataKey(ctx, bound)
	if err != nil {
		return h, nil, err
	}
	h.Keys = []keyring.Wrapped{wrapped}
	for _, r := range recipients {
		data, err := r.Wrap(ctx, dataKey, bound)
		if err != nil {
			return h, nil, err
		}
		h.Keys = append(h.Keys, keyring.Wrapped{Key: r.ID(), Data: data})
	}
	return h, dataKey, nil
}

// writer writes the parts of a file.
type writer struct {
	sealer *blob.Sealer
	zip    *zstd.Encoder
	digest hash.Hash
	bytes  int64
}

func newWriter(w io.Writer, h Head, dataKey []byte) (*writer, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	start := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(text)))
	start = append(start, text...)
	if _, err := w.Write(start); err != nil {
		return nil, err
	}
	sealer, err := blob.NewSealer(w, dataKey, start)
	if err != nil {
		return nil, err
	}
	zip, err := zstd.NewWriter(sealer, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return &writer{sealer: sealer, zip: zip, digest: sha256.New()}, nil
}

// part writes one part with what fill writes.
func (w *writer) part(name string, fill func(io.Writer) error) error {
	if err := w.chunk([]byte(name)); err != nil {
		return err
	}
	out := bufio.NewWriterSize(chunks{w}, 256<<10)
	sum := sha256.New()
	if err := fill(io.MultiWriter(out, sum)); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := w.chunk(nil); err != nil {
		return err
	}
	addPart(w.digest, name, sum)
	return nil
}

func addPart(digest hash.Hash, name string, sum hash.Hash) {
	fmt.Fprintf(digest, "%d:%s:%x\n", len(name), name, sum.Sum(nil))
}

type chunks struct{ w *writer }

func (c chunks) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.w.bytes += int64(len(p))
	return len(p), c.w.chunk(p)
}

func (w *writer) chunk(p []byte) error {
	if _, err := w.zip.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p)))); err != nil {
		return err
	}
	_, err := w.zip.Write(p)
	return err
}

// close writes the manifest, and the end without which nothing opens.
func (w *writer) close(m *Manifest) error {
	m.Bytes, m.Digest = w.bytes, hex.EncodeToString(w.digest.Sum(nil))
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	err = w.part(partManifest, func(out io.Writer) error {
		_, err := out.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(w.zip.Close(), w.sealer.Close())
}

// damaged says that a file is not as it was written.
func damaged(err error) error {
	return errs.Wrap(errs.Invalid, err, "The backup is damaged, cut off or was tampered with: %v. Take another one.", err)
}

// ReadHead returns the head of a backup, of which nothing is proven yet.
func ReadHead(r io.Reader) (Head, error) {
	h, _, err := readHead(r)
	return h, err
}

func readHead(r io.Reader) (h Head, start []byte, err error) {
	start = make([]byte, len(magic)+4)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:len(magic)]) != magic {
		return h, nil, errs.New(errs.Invalid, "The file is no backup of Tidelock's.")
	}
	n := binary.BigEndian.Uint32(start[len(magic):])
	if n > 1<<20 {
		return h, nil, damaged(errors.New("its head is too long"))
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, nil, damaged(err)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, nil, damaged(err)
	}
	return h, append(start, text...), nil
}

// read gives each part but the manifest to each, and returns what the manifest
// says once every byte is checked. What each did with the parts holds only where
// the error is nil.
func read(ctx context.Context, r io.Reader, ring *keyring.Ring, each func(name string, r io.Reader) error) (h Head, m Manifest, err error) {
	h, start, err := readHead(r)
	if err != nil {
		return h, m, err
	}
	dataKey, err := openKey(ctx, h, ring)
	if err != nil {
		return h, m, err
	}
	plain, err := blob.NewOpener(blob.WithContext(ctx, r), dataKey, start)
	if err != nil {
		return h, m, damaged(err)
	}
	zip, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return h, m, err
	}
	defer zip.Close()
	digest, size := sha256.New(), int64(0)
	for {
		name, err := readName(zip)
		if err != nil {
			return h, m, damaged(err)
		}
		sum := sha256.New()
		body := &partReader{r: zip}
		hashed := io.TeeReader(body, sum)
		if name == partManifest {
			text, err := io.ReadAll(io.LimitReader(hashed, 64<<20))
			if err != nil {
				return h, m, damaged(err)
			}
			if err := json.Unmarshal(text, &m); err != nil {
				return h, m, damaged(err)
			}
			break
		}
		if err := each(name, hashed); err != nil {
			if body.err != nil && !errors.Is(body.err, io.EOF) && ctx.Err() == nil {
				err = damaged(body.err)
			}
			return h, m, err
		}
		if _, err := io.Copy(io.Discard, hashed); err != nil {
			return h, m, damaged(err)
		}
		size += body.n
		addPart(digest, name, sum)
	}
	if n, err := zip.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return h, m, damaged(errors.New("it goes on behind its end"))
	}
	if n, err := plain.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return h, m, damaged(errors.New("its end is missing"))
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != m.Digest || size != m.Bytes {
		return h, m, damaged(errors.New("its parts are not those that its manifest tells of"))
	}
	return h, m, nil
}

func openKey(ctx context.Context, h Head, ring *keyring.Ring) ([]byte, error) {
	var ids []string
	for _, w := range h.Keys {
		if ring.Has(w.Key) {
			return ring.Open(ctx, w, dataKeyBound(h.ID))
		}
		ids = append(ids, w.Key)
	}
	if len(ids) == 0 {
		return nil, damaged(errors.New("no key is named"))
	}
	return nil, ring.Lost(ids[0])
}

func readName(r io.Reader) (string, error) {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return "", notEOF(err)
	}
	size := binary.BigEndian.Uint32(n[:])
	if size == 0 || size > 1000 {
		return "", errors.New("a part has no name")
	}
	name := make([]byte, size)
	_, err := io.ReadFull(r, name)
	return string(name), notEOF(err)
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// partReader reads one part.
type partReader struct {
	r    io.Reader
	left uint32
	n    int64
	err  error
}

func (p *partReader) Read(b []byte) (int, error) {
	if p.err != nil || len(b) == 0 {
		return 0, p.err
	}
	if p.left == 0 {
		var n [4]byte
		if _, err := io.ReadFull(p.r, n[:]); err != nil {
			p.err = notEOF(err)
			return 0, p.err
		}
		if p.left = binary.BigEndian.Uint32(n[:]); p.left == 0 {
			p.err = io.EOF
			return 0, p.err
		}
	}
	n, err := p.r.Read(b[:min(uint32(len(b)), p.left)])
	p.left -= uint32(n)
	p.n += int64(n)
	if err != nil && (n == 0 || !errors.Is(err, io.EOF)) {
		p.err = notEOF(err)
		return n, p.err
	}
	return n, nil
}
