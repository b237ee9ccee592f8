package blob_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/blob"
)

func TestActsAreTold(t *testing.T) {
	s := open(t, t.TempDir())
	var mu sync.Mutex
	told := map[string]int{}
	s.Observe(func(a blob.Act) {
		mu.Lock()
		defer mu.Unlock()
		how := " ok"
		if a.Err != nil {
			how = " failed"
		}
		told[a.Kind+how]++
	})
	ctx := t.Context()
	ref := put(t, s, "acme", text(segment))
	r, err := s.Get(ctx, "acme", ref)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	if err := s.List(ctx, "acme", func(blob.Item) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, "acme", ref); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Get(ctx, "acme", ref) // gone: an answer, no failure
	if _, _, err := s.Put(ctx, "acme", "plan", &breaks{}); err == nil {
		t.Fatal("a broken source was stored")
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(map[string]int{"write ok": 1, "read ok": 2, "list ok": 1, "delete ok": 1, "write failed": 1}, told); diff != "" {
		t.Error(diff)
	}
}

// breaks is a source that ends in an error.
type breaks struct{ bytes.Buffer }

func (*breaks) Read([]byte) (int, error) { return 0, errors.New("broken") }
