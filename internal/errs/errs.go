package errs

import (
	"errors"
	"fmt"
)

// Kind classifies an error by what whoever meets it can do about it.
type Kind int

// The kinds. Internal is the zero kind: an error that nobody classified is a
// fault of ours until somebody shows otherwise.
const (
	Internal    Kind = iota // a fault of Tidelock's own; the log has the detail
	Invalid                 // the input is wrong; the sentence says how to mend it
	NotFound                // the thing does not exist, or may not be known to exist
	Forbidden               // the actor may not do this
	Conflict                // the state of things changed, or forbids this now
	Unavailable             // a dependency failed or is overloaded; trying again can help
	TooLarge                // the input exceeds a stated limit
	Canceled                // someone stopped the work on purpose
)

var kindNames = [...]string{"internal", "invalid", "not_found", "forbidden", "conflict", "unavailable", "too_large", "canceled"}

// String returns the kind's name as it stands in JSON answers and logs.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is an error with a kind and a sentence for people. The sentence is
// safe to show to anyone who may see the thing at all: it never holds a
// secret, a stack or a path of the server's.
type Error struct {
	Kind     Kind
	Sentence string // one or two whole sentences: what, where, how to mend it
	Err      error  // the cause, for the log; may be nil
}

// Error returns the sentence, followed by the cause where there is one.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Sentence
	}
	return e.Sentence + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the kind whose sentence is formatted as by
// fmt.Sprintf. The sentence carries no cause; use Wrap for that.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Sentence: fmt.Sprintf(format, args...)}
}

// Wrap classifies err. It returns nil when err is nil, so that a call can be
// returned as it is.
func Wrap(kind Kind, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Sentence: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the kind of the outermost classified error in err's chain,
// Internal where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err was classified as kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Sentence returns what a person may be told of err: the sentence of the
// outermost classified error in its chain, or a general one that gives
// nothing away.
func Sentence(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Sentence != "" {
		return e.Sentence
	}
	return "Something went wrong inside Tidelock. Its log has the details."
}
