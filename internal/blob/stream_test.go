package blob_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/tidelock/tidelock/internal/blob"
)

func sealed(t *testing.T, content, dataKey, bound []byte, step int) []byte {
	t.Helper()
	var b bytes.Buffer
	s, err := blob.NewSealer(&b, dataKey, bound)
	if err != nil {
		t.Fatal(err)
	}
	for rest := content; len(rest) > 0; {
		n := min(step, len(rest))
		if _, err := s.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("more")); err == nil {
		t.Error("a closed sealer took more")
	}
	return b.Bytes()
}

func unsealed(b, dataKey, bound []byte) ([]byte, error) {
	r, err := blob.NewOpener(bytes.NewReader(b), dataKey, bound)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestSealerRoundTripOfEverySize(t *testing.T) {
	dataKey, bound := bytes.Repeat([]byte{7}, 32), []byte("c1/net/v1")
	for _, n := range []int{0, 1, segment - 1, segment, segment + 1, 3*segment + 5} {
		for _, step := range []int{1000, segment, 1 << 20} {
			got, err := unsealed(sealed(t, text(n), dataKey, bound, step), dataKey, bound)
			if err != nil || !bytes.Equal(got, text(n)) {
				t.Errorf("%d bytes by %d: %d bytes, %v", n, step, len(got), err)
			}
		}
	}
}

func TestThreat_SealedContentOpensNowhereElse(t *testing.T) {
	dataKey, bound := bytes.Repeat([]byte{7}, 32), []byte("c1/net/v1")
	b := sealed(t, text(2*segment+100), dataKey, bound, 1<<20)
	cases := map[string]func() ([]byte, error){
		"another version": func() ([]byte, error) { return unsealed(b, dataKey, []byte("c1/net/v2")) },
		"another key":     func() ([]byte, error) { return unsealed(b, bytes.Repeat([]byte{8}, 32), bound) },
		"cut":             func() ([]byte, error) { return unsealed(b[:2*(segment+16)], dataKey, bound) },
		"nothing":         func() ([]byte, error) { return unsealed(nil, dataKey, bound) },
		"a byte changed": func() ([]byte, error) {
			other := bytes.Clone(b)
			other[len(other)-1] ^= 1
			return unsealed(other, dataKey, bound)
		},
	}
	for name, open := range cases {
		if _, err := open(); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestSealedBlobIsStoredAsItIs(t *testing.T) {
	s := open(t, t.TempDir())
	ref, size, err := s.PutSealed(t.Context(), "c1", "state", bytes.NewReader(text(100_000)))
	if err != nil || size != 100_000 {
		t.Fatal(size, err)
	}
	r, err := s.GetSealed(t.Context(), "c1", ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text(100_000)) {
		t.Error(len(got), err)
	}
	if _, err := s.GetSealed(t.Context(), "c2", ref); err == nil {
		t.Error("another client's")
	}
}
