package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/tidelock/tidelock/internal/errs"
)

// LimitError says that GitHub's limits, or our own spacing of writes, forbid a
// call for a while. It travels inside an errs.Unavailable error; RetryAfter
// reads it.
type LimitError struct {
	Primary  bool          // the hourly budget is spent, rather than too much at once
	Reserved bool          // what is left of it is kept for applies: see Client.Important
	After    time.Duration // how long to wait, from when the error was made
}

// Error names the limit and the wait.
func (e *LimitError) Error() string {
	kind := "secondary"
	if e.Primary {
		kind = "primary"
	}
	return fmt.Sprintf("%s rate limit, retry after %s", kind, e.After.Round(time.Second))
}

// RetryAfter returns how long to wait before trying again, when err is a
// refusal for limits or GitHub named a time. Whoever retries earlier is
// refused by this package without a request being sent.
func RetryAfter(err error) (time.Duration, bool) {
	var l *LimitError
	if errors.As(err, &l) {
		return l.After, true
	}
	var w *waitError
	if errors.As(err, &w) {
		return w.after, true
	}
	return 0, false
}

// waitError is a 5xx answer that came with a Retry-After.
type waitError struct {
	after time.Duration
	err   error
}

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// errGone marks an installation that no longer lets us act.
var errGone = errors.New("installation is suspended or removed")

// Gone reports whether err means that the App was suspended or uninstalled: no
// retry helps until its owner brings it back.
func Gone(err error) bool { return errors.Is(err, errGone) }

// classify turns what go-github returned into an error with a kind. op names
// the call with its identifiers.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("github: %s: %w", op, err)
	var limit *LimitError
	if errors.As(err, &limit) && limit.Reserved {
		return errs.Wrap(errs.Unavailable, err, "GitHub's hourly limit is nearly reached, and what is left is kept for applies. Tidelock goes on by itself in %s.", limit.After.Round(time.Second))
	}
	if errors.As(err, &limit) {
		return errs.Wrap(errs.Unavailable, err, "GitHub's rate limit is reached. Tidelock goes on by itself in %s.", limit.After.Round(time.Second))
	}
	if errors.Is(err, context.Canceled) {
		return errs.Wrap(errs.Canceled, err, "The call to GitHub was cancelled.")
	}
	if errs.KindOf(err) != errs.Internal {
		return err // classified where it arose
	}
	status, message := answered(err)
	switch {
	case status == 0 || status >= 500:
		return errs.Wrap(errs.Unavailable, err, "GitHub did not answer properly. It is tried again.")
	case status == http.StatusUnauthorized:
		return errs.Wrap(errs.Forbidden, err, "GitHub does not accept Tidelock's credentials. Check the App's ID, its private key and this machine's clock.")
	case status == http.StatusForbidden && strings.Contains(strings.ToLower(message), "suspended"):
		return errs.Wrap(errs.Forbidden, errors.Join(err, errGone), "The installation of this GitHub App is suspended.")
	case status == http.StatusForbidden, status == http.StatusUnavailableForLegalReasons:
		return errs.Wrap(errs.Forbidden, err, "GitHub does not let Tidelock do this. Check the App's permissions (tidelock doctor lists them).")
	case status == http.StatusNotFound, status == http.StatusGone:
		return errs.Wrap(errs.NotFound, err, "GitHub does not know this, or the App may not see it.")
	case status == http.StatusConflict:
		return errs.Wrap(errs.Conflict, err, "GitHub refused: the state of things has changed meanwhile.")
	case status == http.StatusRequestEntityTooLarge:
		return errs.Wrap(errs.TooLarge, err, "GitHub refused the request for its size.")
	default:
		return errs.Wrap(errs.Invalid, err, "GitHub refused the request as invalid: %s", sentence(message))
	}
}

// answered returns the HTTP status and message of GitHub's answer, 0 when
// there was none.
func answered(err error) (int, string) {
	var e *github.ErrorResponse
	if !errors.As(err, &e) || e.Response == nil {
		return 0, ""
	}
	message := e.Message
	for _, d := range e.Errors {
		if d.Message != "" {
			message += " " + d.Message
		}
	}
	return e.Response.StatusCode, message
}

// refusal is answered for the call itself: 0 where no token was to be had, whose
// refusal says nothing of what was asked for.
func refusal(err error) (int, string) {
	if errs.KindOf(err) != errs.Internal {
		return 0, ""
	}
	return answered(err)
}

// sentence makes GitHub's message one that ends like a sentence.
func sentence(message string) string {
	message = strings.TrimSpace(message)
	if message == "" {
		return "it gave no reason."
	}
	if !strings.ContainsAny(message[len(message)-1:], ".!?") {
		message += "."
	}
	return message
}
