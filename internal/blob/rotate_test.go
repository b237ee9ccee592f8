package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
)

// places are where blobs can lie, each opened with a key and those before.
func places(t *testing.T, f func(t *testing.T, open func(now redact.Secret, before ...redact.Secret) *blob.Store)) {
	opened := func(t *testing.T, s *blob.Store, err error) *blob.Store {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		f(t, func(now redact.Secret, before ...redact.Secret) *blob.Store {
			s, err := blob.Open(dir, now, before...)
			return opened(t, s, err)
		})
	})
	for _, c := range clouds {
		t.Run(c.name, func(t *testing.T) {
			url := c.url(t)
			f(t, func(now redact.Secret, before ...redact.Secret) *blob.Store {
				s, err := blob.OpenURL(context.Background(), url, now, before...)
				return opened(t, s, err)
			})
		})
	}
}

// keysOf counts blobs by the key that their head names.
func keysOf(t *testing.T, s *blob.Store) map[string]int {
	t.Helper()
	n := map[string]int{}
	if err := s.Keys(t.Context(), func(_ blob.Item, key string) error { n[key]++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func keyID(t *testing.T, k redact.Secret) string {
	t.Helper()
	id, err := blob.KeyID(k)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// After a rotation nothing needs the old key any more; what was stored is the
// same, and what has its data key elsewhere is left alone.
func TestRotate(t *testing.T) {
	places(t, func(t *testing.T, open func(now redact.Secret, before ...redact.Secret) *blob.Store) {
		old, lost := open(key(1)), open(key(9))
		refs := map[string]int{}
		for _, n := range []int{0, 1, segment, segment + 1, 3*segment + 7} {
			refs[put(t, old, "c1", text(n))] = n
		}
		foreign := put(t, lost, "c2", text(5))
		state, _, err := old.PutSealed(t.Context(), "c1", "state", bytes.NewReader(text(200)))
		if err != nil {
			t.Fatal(err)
		}
		s := open(key(2), key(1))
		fresh := put(t, s, "c1", text(11))
		refs[fresh] = 11
		if n := keysOf(t, s); n[keyID(t, key(1))] != 5 || n[keyID(t, key(2))] != 1 || n[keyID(t, key(9))] != 1 || n[""] != 1 {
			t.Errorf("before: %v", n)
		}
		told := 0
		r, err := s.Rotate(t.Context(), func(blob.Rotation) { told++ })
		if err != nil || r != (blob.Rotation{Done: 5, Lost: 1}) || told != 5 {
			t.Errorf("%+v, told %d times, %v", r, told, err)
		}
		// Again finds nothing to do.
		if r, err := s.Rotate(t.Context(), nil); err != nil || r != (blob.Rotation{Lost: 1}) {
			t.Errorf("again: %+v, %v", r, err)
		}
		alone := open(key(2))
		for ref, n := range refs {
			if got, err := get(t, alone, "c1", ref); err != nil || !bytes.Equal(got, text(n)) {
				t.Errorf("%d bytes: %d, %v", n, len(got), err)
			}
		}
		if _, err := get(t, old, "c1", fresh); err == nil {
			t.Error("the old key opens what is new")
		}
		if got, err := get(t, lost, "c2", foreign); err != nil || len(got) != 5 {
			t.Errorf("one of a lost key: %d, %v", len(got), err)
		}
		f, err := alone.GetSealed(t.Context(), "c1", state)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, text(200)) {
			t.Errorf("a sealed one is another: %d bytes, %v", len(got), err)
		}
	})
}

// A rotation that is stopped leaves each blob under one key or the other, and
// goes on where it was.
func TestRotateIsResumed(t *testing.T) {
	dir := t.TempDir()
	refs := map[string]bool{}
	for range 40 {
		refs[put(t, open(t, dir), "c1", text(100))] = true
	}
	s, err := blob.Open(dir, key(2), key(1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r, err := s.Rotate(ctx, func(r blob.Rotation) {
		if r.Done >= 10 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) || r.Done < 10 || r.Done >= 40 {
		t.Fatalf("%+v, %v", r, err)
	}
	for ref := range refs {
		if _, err := get(t, s, "c1", ref); err != nil {
			t.Errorf("half-way: %v", err)
		}
	}
	rest, err := s.Rotate(t.Context(), nil)
	if err != nil || rest.Done != 40-r.Done {
		t.Errorf("%+v after %+v, %v", rest, r, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".unfinished")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A blob that was moved or changed is no way to have another's data key sealed
// anew.
func TestThreat_RotateKeepsToThePlace(t *testing.T) {
	dir := t.TempDir()
	ref := put(t, open(t, dir), "c1", text(100))
	if err := os.MkdirAll(filepath.Join(dir, "c2"), 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "c1", ref))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c2", ref), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := blob.Open(dir, key(2), key(1))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Rotate(t.Context(), nil); err != nil || r != (blob.Rotation{Done: 1, Damaged: 1}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := get(t, s, "c2", ref); err == nil {
		t.Error("it opens there")
	}
	if got, err := get(t, s, "c1", ref); err != nil || len(got) != 100 {
		t.Errorf("%d, %v", len(got), err)
	}
}
