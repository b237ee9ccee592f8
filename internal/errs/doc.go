// Package errs classifies errors: each has a kind, which decides what happens
// next (an HTTP status, a retry, a sentence in a comment), and a sentence that
// a person can act on.
//
// An error is classified once, where its meaning is known, and wrapped with
// fmt.Errorf and %w on its way up. Only the edges (HTTP handlers, jobs, main)
// log; everyone else returns.
//
// The package knows nothing of GitHub and imports nothing of ours.
package errs
