package bot

import (
	"context"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// calling is what the App is called on GitHub. That is GitHub's to say, and
// GitHub may be silent when a server starts. Which comments give commands hangs
// on it: until it is known they are stored, and wait.
type calling struct {
	mu    sync.Mutex
	name  string        // without "[bot]"; "" while nobody knows
	named chan struct{} // closed once somebody does
}

func newCalling(name string) *calling {
	c := &calling{named: make(chan struct{})}
	c.call(name)
	return c
}

func (c *calling) call(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.name == "" && name != "" {
		close(c.named)
	}
	if name != "" {
		c.name = name
	}
}

// Called says what the App is called, without "[bot]": once it is known, and
// again where it has changed.
func (b *Bot) Called(name string) { b.called.call(name) }

// name is what the App is called; "" while nobody knows.
func (b *Bot) name() string {
	b.called.mu.Lock()
	defer b.called.mu.Unlock()
	return b.called.name
}

// awaitName returns once the name is known.
func (b *Bot) awaitName(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b.called.named:
		return nil
	}
}

// errNameless ends a job that can't go on without the name; wait has it come
// back, with no attempt spent.
var errNameless = errs.New(errs.Unavailable, "GitHub has not said yet what the App is called.")

// namelessPause is how long such a job waits.
const namelessPause = time.Second

// asksForName reports whether what becomes of an event of the kind hangs on the
// App's name: commands do, and the help that answers a wrong one.
func asksForName(kind string) bool {
	return kind == "issue_comment" || kind == "check_run" || kind == "check_suite"
}
