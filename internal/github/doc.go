// Package github is everything that Tidelock says to GitHub and hears from
// it: App authentication, the calls that the bot makes, the webhooks that it
// gets. go-github's types stay in here; what leaves are our own, with the
// fields that we use.
//
// # Promises
//
// Repositories are named by their immutable ID (/repositories/{id}/…), so a
// rename or a transfer between two calls changes nothing.
//
// Each method costs the number of requests that its comment states, and no
// hidden ones. One installation token serves all calls on a repository, its
// git traffic included: it is narrowed to that repository, may read but not
// write contents, lives in memory only, and is replaced five minutes before it
// expires or as soon as GitHub refuses it. Merging alone needs more and mints
// a token of its own.
//
// GitHub's limits are kept per installation: writes are spaced, and after a
// refusal for a primary or secondary limit nothing is sent until GitHub said
// that it may be. Short waits happen inside a call; a longer one is an
// errs.Unavailable error of which RetryAfter tells how long to wait, so that
// no worker is held for an hour.
//
// # What it does not do
//
// It retries nothing by itself but one call refused for a dead token: whoever
// owns the work (the queue) decides. It stores nothing, decides nothing, and
// never believes a webhook about permissions.
package github
