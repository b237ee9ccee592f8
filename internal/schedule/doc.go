// Package schedule says when something is due that happens again and again, in
// the words of cron and at the clock of some place.
//
// Promises: it is pure, and reads no clock of its own. A schedule that never
// comes due, or that names a place nobody knows, is refused when it is read.
//
// It starts nothing: whoever uses it looks at the clock.
package schedule
