package checkout_test

import (
	"testing"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
)

func TestTipIsWhereTheBranchIsNow(t *testing.T) {
	o := newOrigin(t)
	o.write(map[string]string{"a": "1\n"})
	first := o.commit("first", "refs/heads/main")
	store := checkout.New(t.TempDir(), checkout.Options{})
	if got, err := store.Tip(t.Context(), o.source(), "main"); err != nil || got != first {
		t.Fatalf("Tip = %s, %v; want %s", got, err, first)
	}
	o.write(map[string]string{"a": "2\n"})
	second := o.commit("second", "refs/heads/main")
	if got, err := store.Tip(t.Context(), o.source(), "refs/heads/main"); err != nil || got != second {
		t.Errorf("after a push Tip = %s, %v; want %s", got, err, second)
	}
	_, err := store.Tip(t.Context(), o.source(), "gone")
	wantKind(t, err, errs.NotFound, "refs/heads/gone")
	_, err = store.Tip(t.Context(), o.source(), "bad..name")
	wantKind(t, err, errs.Invalid, "bad..name")
}
