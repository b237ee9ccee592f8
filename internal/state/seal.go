package state

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
)

// A version's content is compressed, then sealed in segments with a data key
// of its own. States repeat themselves: a tenth of the size is usual. What is
// small then lies in the database, in the same transaction and on the same
// disk as the row that tells of it; what is large in a blob.
const inlineSize = 256 << 10

// bound is what a version's data key and segments are bound to.
func bound(client, name, version string) []byte {
	b := []byte("tidelock state 1\n")
	for _, s := range []string{client, name, version} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

var encoders = sync.Pool{New: func() any {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false)) // each segment is authenticated
	if err != nil {
		panic(err) // the options are constants
	}
	return e
}}

var decoders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		panic(err)
	}
	return d
}}

// rooms are for small contents while they wait for their row.
var rooms = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// content is a sealed content that waits for its row.
type content struct {
	sealed  []byte // where it is small, else nil; until free
	blob    string // where it is large, else ""
	size    int64  // before compression
	stored  int64
	wrapped keyring.Wrapped
	room    *bytes.Buffer // of sealed
}

// free lets others use the memory of what is sealed, which nobody may use any
// more. Whoever does not call it leaves that to the garbage collector.
func (c content) free() {
	if c.room != nil {
		c.room.Reset()
		rooms.Put(c.room)
	}
}

// sealing takes a content as it comes and seals it.
type sealing struct {
	zip     *zstd.Encoder
	sealer  *blob.Sealer
	spool   *spool
	size    int64
	wrapped keyring.Wrapped
}

// seal begins a content. close or abort must follow.
func (s *Store) seal(ctx context.Context, client, name, version string) (*sealing, error) {
	to := bound(client, name, version)
	dataKey, wrapped, err := s.Keys.NewDataKey(ctx, to)
	if err != nil {
		return nil, err
	}
	sp := &spool{ctx: ctx, blobs: s.Blobs, client: client, small: rooms.Get().(*bytes.Buffer)}
	sealer, err := blob.NewSealer(sp, dataKey, to)
	if err != nil {
		return nil, err
	}
	zip := encoders.Get().(*zstd.Encoder)
	zip.Reset(sealer)
	return &sealing{zip: zip, sealer: sealer, spool: sp, wrapped: wrapped}, nil
}

func (s *sealing) Write(p []byte) (int, error) {
	n, err := s.zip.Write(p)
	s.size += int64(n)
	return n, err
}

// close ends the content. What lies in a blob then is on the disk.
func (s *sealing) close() (content, error) {
	err := s.zip.Close()
	if err == nil {
		err = s.sealer.Close()
	}
	s.release()
	if err != nil {
		s.spool.abort(err)
		return content{}, err
	}
	ref, stored, err := s.spool.close()
	if err != nil {
		return content{}, err
	}
	c := content{blob: ref, size: s.size, stored: stored, wrapped: s.wrapped}
	if ref == "" {
		c.sealed, c.room = s.spool.small.Bytes(), s.spool.small
	}
	return c, nil
}

// abort leaves nothing behind.
func (s *sealing) abort(err error) {
	s.release()
	s.spool.abort(err)
}

func (s *sealing) release() {
	if s.zip != nil {
		s.zip.Reset(nil)
		encoders.Put(s.zip)
		s.zip = nil
	}
}

// spool keeps what is small in memory, and hands what grows to the blob store.
type spool struct {
	ctx    context.Context
	blobs  *blob.Store
	client string
	small  *bytes.Buffer
	pipe   *io.PipeWriter
	done   chan struct{}
	ref    string
	size   int64
	err    error
}

func (s *spool) Write(p []byte) (int, error) {
	if s.pipe == nil && s.small.Len()+len(p) <= inlineSize {
		return s.small.Write(p)
	}
	if s.pipe == nil {
		r, w := io.Pipe()
		s.pipe, s.done = w, make(chan struct{})
		first := s.small.Bytes()
		go func() {
			defer close(s.done)
			s.ref, s.size, s.err = s.blobs.PutSealed(s.ctx, s.client, "state", io.MultiReader(bytes.NewReader(first), r))
			_ = r.CloseWithError(errors.Join(s.err, io.ErrClosedPipe)) // whoever still writes hears why
		}()
	}
	return s.pipe.Write(p)
}

// close returns the blob's reference, "" where there is none, and how many
// bytes there are.
func (s *spool) close() (string, int64, error) {
	if s.pipe == nil {
		return "", int64(s.small.Len()), nil
	}
	_ = s.pipe.Close()
	<-s.done
	return s.ref, s.size, s.err
}

func (s *spool) abort(err error) {
	if s.pipe == nil {
		return
	}
	if err == nil {
		err = context.Canceled
	}
	_ = s.pipe.CloseWithError(err)
	<-s.done
	if s.ref != "" {
		_ = s.blobs.Delete(context.WithoutCancel(s.ctx), s.client, s.ref)
	}
}

// open returns the content of a version. Whoever reads it closes it, and uses
// nothing of it unless the reading ended in io.EOF.
func (s *Store) open(ctx context.Context, v Version, name string, sealed []byte) (io.ReadCloser, error) {
	to := bound(v.Client, name, v.ID)
	dataKey, err := s.Keys.Open(ctx, keyring.Wrapped{Key: v.Key, Data: v.wrapped}, to)
	if err != nil {
		return nil, fmt.Errorf("open version %d of state %s: %w", v.Seq, name, err)
	}
	var from io.Reader = bytes.NewReader(sealed)
	var file io.Closer = io.NopCloser(nil)
	if v.blob != "" {
		f, err := s.Blobs.GetSealed(ctx, v.Client, v.blob)
		if err != nil {
			return nil, fmt.Errorf("open version %d of state %s: %w", v.Seq, name, err)
		}
		from, file = f, f
	}
	plain, err := blob.NewOpener(from, dataKey, to)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open version %d of state %s: %w", v.Seq, name, err)
	}
	zip := decoders.Get().(*zstd.Decoder)
	if err := zip.Reset(plain); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &unsealing{zip, file, v.Size}, nil
}

// unsealing reads a content, and knows how long it must be.
type unsealing struct {
	zip  *zstd.Decoder
	file io.Closer
	left int64
}

func (u *unsealing) Read(p []byte) (int, error) {
	n, err := u.zip.Read(p)
	u.left -= int64(n)
	if u.left < 0 || errors.Is(err, io.EOF) && u.left != 0 {
		return n, errs.New(errs.Internal, "A stored state was damaged or tampered with, and is not used.")
	}
	return n, err
}

func (u *unsealing) Close() error {
	if u.zip != nil {
		_ = u.zip.Reset(nil)
		decoders.Put(u.zip)
		u.zip = nil
	}
	return u.file.Close()
}
