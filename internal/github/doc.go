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
// GitHub's limits are kept per installation: calls are spaced, and after a
// refusal for a primary or secondary limit nothing is sent until GitHub said
// that it may be. REST and GraphQL have a budget each. Ordinary calls leave the
// last tenth of an hour's budget, and the head of the line, to those of
// Client.Important. Short waits happen inside a call; a longer one is an
// errs.Unavailable error of which RetryAfter tells how long to wait, so that no
// worker is held for an hour.
//
// Reading again what has not changed costs nothing of the budget: answers are
// kept in memory, within bounds, and used where GitHub says (304) that they
// still hold. What one installation or token saw is shown to no other.
//
// GraphQL's errors, which arrive with status 200, are errors here and have the
// same kinds as REST's.
//
// # What it does not do
//
// It retries nothing by itself but one call refused for a dead token: whoever
// owns the work (the queue) decides. It stores nothing, decides nothing, and
// never believes a webhook about permissions.
package github
