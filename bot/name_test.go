package bot

import (
	"context"
	"errors"
	"testing"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
)

// Without the App's name a job that reads commands comes back later, and the
// name ends that; one that is not known any more does not take it away.
func TestCommandsWaitForTheName(t *testing.T) {
	b := &Bot{called: newCalling("")}
	for _, kind := range []string{"issue_comment", "check_run", "check_suite"} {
		if _, err := b.gather(t.Context(), github.Event{Kind: kind}, clients.Repo{}); !errors.Is(err, errNameless) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := b.missedComment(t.Context(), queue.Job[missedCommentJob]{}); err == nil || err.Error() != queue.Snooze(namelessPause).Error() {
		t.Errorf("a comment that no webhook told of: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.awaitName(over); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v", err)
	}
	for _, name := range []string{"tideline", "", "tidelock"} {
		b.Called(name)
	}
	if err := b.awaitName(t.Context()); err != nil || b.name() != "tidelock" {
		t.Errorf("called %q, %v", b.name(), err)
	}
}
