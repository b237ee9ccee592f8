package errs_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestKindSurvivesWrapping(t *testing.T) {
	cause := errors.New("dial tcp: refused")
	err := fmt.Errorf("plan run 7: %w", errs.Wrap(errs.Unavailable, cause, "GitHub did not answer. It is tried again."))
	if got := errs.KindOf(err); got != errs.Unavailable {
		t.Errorf("KindOf = %v, want unavailable", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if got := errs.Sentence(err); got != "GitHub did not answer. It is tried again." {
		t.Errorf("Sentence = %q", got)
	}
}

func TestUnclassifiedErrorGivesNothingAway(t *testing.T) {
	err := errors.New("open /var/lib/tidelock/key: permission denied")
	if errs.KindOf(err) != errs.Internal {
		t.Error("an unclassified error must be internal")
	}
	if got := errs.Sentence(err); got == err.Error() {
		t.Errorf("Sentence shows the raw error %q", got)
	}
}

func TestWrapNil(t *testing.T) {
	if err := errs.Wrap(errs.Invalid, nil, "x"); err != nil {
		t.Errorf("Wrap(nil) = %v", err)
	}
}

func TestEveryKindHasAnHTTPStatus(t *testing.T) {
	seen := map[int][]errs.Kind{}
	for k := errs.Internal; k <= errs.Canceled; k++ {
		code := k.HTTPStatus()
		if code < 400 || code > 599 {
			t.Errorf("%s: %d", k, code)
		}
		seen[code] = append(seen[code], k)
	}
	if got := seen[500]; len(got) != 1 || got[0] != errs.Internal {
		t.Errorf("500 is answered for %v, and only what nobody classified may be", got)
	}
}
