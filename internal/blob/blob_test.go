package blob_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

const segment = 64 << 10

func key(fill byte) redact.Secret {
	return redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32)) + "\n")
}

func open(t testing.TB, dir string) *blob.Store {
	t.Helper()
	s, err := blob.Open(dir, key(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// text returns n bytes that repeat nowhere near.
func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.Bytes()[:n]
}

func put(t testing.TB, s *blob.Store, client string, content []byte) string {
	t.Helper()
	ref, size, err := s.Put(t.Context(), client, "plan", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if size != int64(len(content)) {
		t.Errorf("size %d, want %d", size, len(content))
	}
	return ref
}

func get(t testing.TB, s *blob.Store, client, ref string) ([]byte, error) {
	t.Helper()
	r, err := s.Get(t.Context(), client, ref)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestRoundTripOfEverySize(t *testing.T) {
	s := open(t, t.TempDir())
	for _, n := range []int{0, 1, 100, segment - 1, segment, segment + 1, 2 * segment, 2*segment + 7, 10 * segment} {
		want := text(n)
		// A reader that gives little at a time, and one that fails to fill.
		ref, size, err := s.Put(t.Context(), "c1", "log", io.MultiReader(bytes.NewReader(want[:n/3]), bytes.NewReader(want[n/3:])))
		if err != nil || size != int64(n) {
			t.Fatalf("%d bytes: size %d, %v", n, size, err)
		}
		if !strings.HasPrefix(ref, "log-") {
			t.Errorf("reference %q does not say what it is", ref)
		}
		got, err := get(t, s, "c1", ref)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %d, %v", n, len(got), err)
		}
	}
}

func TestReopenedStoreReads(t *testing.T) {
	dir := t.TempDir()
	ref := put(t, open(t, dir), "c1", text(1000))
	if got, err := get(t, open(t, dir), "c1", ref); err != nil || !bytes.Equal(got, text(1000)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := blob.Open(dir, key(2)); err != nil {
		t.Fatal(err)
	}
}

func TestDeleteAndNotFound(t *testing.T) {
	s := open(t, t.TempDir())
	ref := put(t, s, "c1", text(10))
	for range 2 {
		if err := s.Delete(t.Context(), "c1", ref); err != nil {
			t.Error(err)
		}
	}
	if _, err := get(t, s, "c1", ref); !errs.Is(err, errs.NotFound) {
		t.Errorf("deleted: %v", err)
	}
}

// files returns every file below dir.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFailedPutLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	broken := errors.New("the process that writes the log died")
	for name, r := range map[string]io.Reader{
		"at once": failing{broken}, "in the middle": io.MultiReader(bytes.NewReader(text(3*segment)), failing{broken}),
	} {
		if ref, _, err := s.Put(t.Context(), "c1", "log", r); !errors.Is(err, broken) || ref != "" {
			t.Errorf("%s: %q, %v", name, ref, err)
		}
	}
	// The disk's answer, wherever in the writing it comes.
	if _, _, err := s.Put(t.Context(), "c1", "log", failing{&fs.PathError{Op: "write", Err: syscall.ENOSPC}}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("full disk: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(ctx, "c1", "log", bytes.NewReader(text(10))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if all := files(t, dir); len(all) != 0 {
		t.Errorf("left behind: %v", all)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestOpenRemovesOldUnfinishedFiles(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "fresh": time.Hour} {
		path := filepath.Join(dir, ".unfinished", name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir)
	if all := files(t, dir); len(all) != 1 || filepath.Base(all[0]) != "fresh" {
		t.Errorf("left: %v", all)
	}
}

func TestOpenRefusesWrongKeys(t *testing.T) {
	for name, k := range map[string]string{
		"none": "", "no base64": "canary-not-base64!!", "short": base64.StdEncoding.EncodeToString(make([]byte, 16)),
	} {
		_, err := blob.Open(t.TempDir(), redact.NewSecret(k))
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			want := text(segment + i)
			ref, _, err := s.Put(t.Context(), "c1", "log", bytes.NewReader(want))
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := get(t, s, "c1", ref); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
}

func TestThreat_BlobsHoldNothingReadable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const canary = "canary-5f3e9a-secret-value"
	content := bytes.Repeat([]byte(canary+" "), 10000)
	first, second := put(t, s, "c1", content), put(t, s, "c1", content)
	a, err := os.ReadFile(filepath.Join(dir, "c1", first))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "c1", second))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(a, []byte(canary)) || bytes.Contains(a, bytes.Repeat([]byte{1}, 32)) {
		t.Error("the file shows the content or the key")
	}
	if bytes.Equal(a[100:], b[100:]) {
		t.Error("equal contents make equal files")
	}
	info, err := os.Stat(filepath.Join(dir, "c1", first))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Whoever can write to the disk can destroy a blob, and not change one.
func TestThreat_AlteredBlobFails(t *testing.T) {
	const head = 8 + 8 + 12 + 48
	const sealed = segment + 16
	whole := text(3*segment + 100)
	for name, change := range map[string]func(b []byte) []byte{
		"magic":                   func(b []byte) []byte { b[0] ^= 1; return b },
		"nonce":                   func(b []byte) []byte { b[16] ^= 1; return b },
		"data key":                func(b []byte) []byte { b[30] ^= 1; return b },
		"first byte":              func(b []byte) []byte { b[head] ^= 1; return b },
		"a byte in the middle":    func(b []byte) []byte { b[head+sealed+5000] ^= 0x80; return b },
		"last byte":               func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"emptied":                 func(b []byte) []byte { return nil },
		"cut in the head":         func(b []byte) []byte { return b[:20] },
		"cut behind the head":     func(b []byte) []byte { return b[:head] },
		"cut in a segment":        func(b []byte) []byte { return b[:head+sealed+100] },
		"cut between segments":    func(b []byte) []byte { return b[:head+2*sealed] },
		"last segment cut":        func(b []byte) []byte { return b[:head+3*sealed] },
		"lengthened":              func(b []byte) []byte { return append(b, 0) },
		"lengthened by a segment": func(b []byte) []byte { return append(b, b[head+sealed:head+2*sealed]...) },
		"segment repeated": func(b []byte) []byte {
			return bytes.Join([][]byte{b[:head+sealed], b[head:]}, nil)
		},
		"segment dropped": func(b []byte) []byte {
			return bytes.Join([][]byte{b[:head+sealed], b[head+2*sealed:]}, nil)
		},
		"segments swapped": func(b []byte) []byte {
			return bytes.Join([][]byte{b[:head], b[head+sealed : head+2*sealed], b[head : head+sealed], b[head+2*sealed:]}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			ref := put(t, s, "c1", whole)
			path := filepath.Join(dir, "c1", ref)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) != head+3*sealed+116 {
				t.Fatalf("the file has %d bytes; the offsets of this test are wrong", len(b))
			}
			if err := os.WriteFile(path, change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := get(t, s, "c1", ref)
			if err == nil {
				t.Fatal("the altered blob was read to its end")
			}
			if s := errs.Sentence(err); !strings.Contains(s, "damaged or tampered") {
				t.Errorf("sentence: %s (%v)", s, err)
			}
			if !bytes.HasPrefix(whole, got) {
				t.Error("bytes were given out that nobody had put in")
			}
		})
	}
}

func TestThreat_SwappedBlobFails(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	mine, mine2, theirs := put(t, s, "c1", text(100)), put(t, s, "c1", text(100)), put(t, s, "c2", text(100))
	copyFile := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what, client, ref string) {
		t.Helper()
		if _, err := get(t, s, client, ref); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := get(t, s, "c1", theirs); !errs.Is(err, errs.NotFound) {
		t.Errorf("another client's reference: %v", err)
	}
	copyFile("c2/"+theirs, "c1/"+theirs)
	refused("another client's file", "c1", theirs)
	copyFile("c1/"+mine2, "c1/"+mine)
	refused("another blob of the same client", "c1", mine)

	// The segments of one under the head of another.
	a, err := os.ReadFile(filepath.Join(dir, "c2", theirs))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "c1", mine2))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c1", mine2), append(b[:76:76], a[76:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("segments of another blob", "c1", mine2)
}

func TestThreat_OtherKeyOpensNothing(t *testing.T) {
	dir := t.TempDir()
	ref := put(t, open(t, dir), "c1", text(100))
	s, err := blob.Open(dir, key(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, s, "c1", ref); err == nil || !strings.Contains(errs.Sentence(err), "another key") {
		t.Errorf("got %v", err)
	}
}

func TestEarlierKeyOpensWhatItSealed(t *testing.T) {
	dir := t.TempDir()
	before := put(t, open(t, dir), "c1", text(100))
	s, err := blob.Open(dir, key(2), key(3), key(1))
	if err != nil {
		t.Fatal(err)
	}
	after := put(t, s, "c1", text(200))
	for ref, n := range map[string]int{before: 100, after: 200} {
		if got, err := get(t, s, "c1", ref); err != nil || len(got) != n {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	if _, err := get(t, open(t, dir), "c1", after); err == nil {
		t.Error("the earlier key sealed something new")
	}
}

func TestThreat_NamesStayInTheStore(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "blobs")
	s := open(t, dir)
	ref := put(t, s, "c1", text(10))
	if err := os.WriteFile(filepath.Join(outer, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outer, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"", ".", "..", "../secret", "a/b", "/etc/passwd", ".unfinished", "a\x00b", "ä", strings.Repeat("x", 151)} {
		if _, err := s.Get(t.Context(), "c1", n); !errs.Is(err, errs.Invalid) {
			t.Errorf("reference %q: %v", n, err)
		}
		if _, err := s.Get(t.Context(), n, ref); !errs.Is(err, errs.Invalid) {
			t.Errorf("client %q: %v", n, err)
		}
		if _, _, err := s.Put(t.Context(), n, "log", bytes.NewReader(nil)); !errs.Is(err, errs.Invalid) {
			t.Errorf("put for client %q: %v", n, err)
		}
		if _, _, err := s.Put(t.Context(), "c1", n, bytes.NewReader(nil)); !errs.Is(err, errs.Invalid) {
			t.Errorf("put name %q: %v", n, err)
		}
		if err := s.Delete(t.Context(), n, ref); !errs.Is(err, errs.Invalid) {
			t.Errorf("delete for client %q: %v", n, err)
		}
	}
	if _, err := s.Get(t.Context(), "link", "secret"); err == nil {
		t.Error("a link led out of the store")
	}
	if err := s.Delete(t.Context(), "link", "secret"); err == nil {
		t.Error("a link was followed to delete outside the store")
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir())
	content := text(1 << 20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		put(b, s, "c1", content)
	}
}
