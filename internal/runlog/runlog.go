package runlog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
)

// name is what logs are called in the store. The ones before had the name
// "log" and were not compressed.
const name = "log.gz"

// Store masks what r gives by each of the maskers, in their order, and stores
// it for the client. It returns the reference, and how many bytes the log has.
func Store(ctx context.Context, blobs *blob.Store, client string, r io.Reader, maskers ...*redact.Masker) (ref string, size int64, err error) {
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() { // ends when r does, or when nobody reads what it makes
		defer close(done)
		var werr error
		size, werr = squeeze(pw, r, maskers)
		_ = pw.CloseWithError(werr)
	}()
	ref, _, err = blobs.Put(ctx, client, name, pr)
	_ = pr.Close()
	<-done
	if err != nil {
		return "", 0, fmt.Errorf("store log: %w", err)
	}
	return ref, size, nil
}

// squeeze masks and compresses r into w.
func squeeze(w io.Writer, r io.Reader, maskers []*redact.Masker) (int64, error) {
	out, err := gzip.NewWriterLevel(w, gzip.BestSpeed) // four fifths smaller at a third of the time of the usual level
	if err != nil {
		return 0, err
	}
	var to io.Writer = out
	var closers []io.Closer
	for i := len(maskers) - 1; i >= 0; i-- {
		m := maskers[i].Writer(to)
		closers = append([]io.Closer{m}, closers...)
		to = m
	}
	n, err := io.Copy(to, r)
	for _, c := range append(closers, out) {
		if cerr := c.Close(); err == nil {
			err = cerr
		}
	}
	return n, err
}

// Open returns a reader of a stored log, which the caller closes. As with
// blob.Store.Get, whether the end is the true end shows with io.EOF alone.
func Open(ctx context.Context, blobs *blob.Store, client, ref string) (io.ReadCloser, error) {
	f, err := blobs.Get(ctx, client, ref)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(ref, name+"-") {
		return f, nil
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read log %s: %w", ref, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}

// Tail returns the last lines of what r gives, limit bytes at most, and whether
// there was more before them. The first is whole, unless it is all there is.
func Tail(r io.Reader, limit int) (end []byte, cut bool, err error) {
	b := make([]byte, 0, 2*limit)
	for {
		n, err := io.ReadFull(r, b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // io.ReadFull returns them as they are
			break
		}
		if err != nil {
			return nil, false, err
		}
		cut = true
		b = append(b[:0], b[len(b)-limit:]...)
	}
	if len(b) > limit {
		cut = true
		b = b[len(b)-limit:]
	}
	if cut {
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	return b, cut, nil
}
