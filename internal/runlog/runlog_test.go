package runlog_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/runlog"
)

func store(t *testing.T) (*blob.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := blob.Open(dir, redact.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, dir
}

func read(t *testing.T, s *blob.Store, ref string) string {
	t.Helper()
	f, err := runlog.Open(t.Context(), s, "c1", ref)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestThreat_StoredLogIsMaskedByAll(t *testing.T) {
	s, _ := store(t)
	text := "a server-secret\nand plan-secret" + "\n"
	ref, size, err := runlog.Store(t.Context(), s, "c1", strings.NewReader(text), redact.NewMasker("server-secret"), nil, redact.NewMasker("plan-secret"))
	if err != nil || size != int64(len(text)) {
		t.Fatal(size, err)
	}
	if got := read(t, s, ref); got != "a "+redact.Mask+"\nand "+redact.Mask+"\n" {
		t.Errorf("%q", got)
	}
}

// What was stored before logs were compressed is read as it is.
func TestOldLogs(t *testing.T) {
	s, _ := store(t)
	ref, _, err := s.Put(t.Context(), "c1", "log", strings.NewReader("as it was\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, ref); got != "as it was\n" {
		t.Errorf("%q", got)
	}
}

// long is a log of a run that goes on and on, made as it is read.
type long struct {
	left int
	rest []byte
	n    int
}

func (l *long) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.left <= 0 {
			return 0, io.EOF
		}
		for len(l.rest) < 32<<10 {
			l.n++
			l.rest = fmt.Appendf(l.rest, "terraform_data.part[%d]: Refreshing state... [id=%016x] plan-secret\n", l.n, uint64(l.n)*0x9e3779b97f4a7c15)
		}
		l.left -= len(l.rest)
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// peak runs f and returns by how much the memory that is in use grew at most,
// looked at every few milliseconds.
func peak(f func()) uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	now := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	before := now()
	most := before
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, now())
			}
		}
	}()
	f()
	close(stop)
	<-done
	return most - before
}

// A log of 200 MB is stored, read and cut to its end in a few megabytes.
func TestLogOf200MB(t *testing.T) {
	s, dir := store(t)
	size := int64(200 << 20)
	if raced {
		size = 32 << 20
	}
	var ref string
	if n := peak(func() {
		var stored int64
		var err error
		ref, stored, err = runlog.Store(t.Context(), s, "c1", &long{left: int(size)}, redact.NewMasker("server-secret"), redact.NewMasker("plan-secret"))
		if err != nil || stored < size {
			t.Fatal(stored, err)
		}
	}); n > 16<<20 {
		t.Errorf("storing it took %d MB", n>>20)
	}
	info, err := os.Stat(filepath.Join(dir, "c1", ref))
	if err != nil || info.Size() > size/3 {
		t.Fatalf("it takes %d MB on the disk, %v", info.Size()>>20, err)
	}
	if n := peak(func() {
		f, err := runlog.Open(t.Context(), s, "c1", ref)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		end, cut, err := runlog.Tail(f, 256<<10)
		if err != nil || !cut || len(end) > 256<<10 || len(end) < 250<<10 {
			t.Fatalf("its end has %d bytes, cut %v, %v", len(end), cut, err)
		}
		if !bytes.HasPrefix(end, []byte("terraform_data.part[")) || !bytes.HasSuffix(end, []byte("] "+redact.Mask+"\n")) || bytes.Contains(end, []byte("plan-secret")) {
			t.Errorf("its end is %.100q … %q", end, end[len(end)-60:])
		}
	}); n > 16<<20 {
		t.Errorf("reading it took %d MB", n>>20)
	}
}

func TestTail(t *testing.T) {
	for _, c := range []struct {
		text, want string
		cut        bool
	}{
		{"", "", false},
		{"short\n", "short\n", false},
		{"exactly ten", "exactly ten", false},
		{"first\nsecond\nthird\n", "third\n", true},
		{"first\nthis line alone is too long", "is too long", true},
		{strings.Repeat("0123456789\n", 100) + "end\n", "end\n", true},
	} {
		got, cut, err := runlog.Tail(strings.NewReader(c.text), 11)
		if err != nil || string(got) != c.want || cut != c.cut {
			t.Errorf("%q: %q, cut %v, %v", c.text, got, cut, err)
		}
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func TestNothingIsStoredOfWhatCannotBeRead(t *testing.T) {
	s, dir := store(t)
	if ref, _, err := runlog.Store(t.Context(), s, "c1", io.MultiReader(strings.NewReader("begins\n"), broken{})); !errors.Is(err, errBroken) || ref != "" {
		t.Errorf("%q, %v", ref, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ref, _, err := runlog.Store(ctx, s, "c1", &long{left: 1 << 20}); !errors.Is(err, context.Canceled) || ref != "" {
		t.Errorf("%q, %v", ref, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "c1")); !os.IsNotExist(err) {
		t.Error("something was stored")
	}
}
