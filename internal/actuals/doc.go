// Package actuals imports what the clouds billed, from FOCUS 1.0 to 1.2
// exports, and tells for a client, a project and a month what was paid: beside
// the estimates, so that these can be held against it.
//
// # Promises
//
// An export is read as a stream, gzipped or zipped or not: memory is bounded
// whatever its size, since groups that do not fit go through a file. Rows are
// summed per billing period, provider, billing account, sub account, service,
// resource, charge category and class, currency and tags. All amounts are
// decimal, and currencies are never added up.
//
// A period of a billing account is imported as a whole or not at all: rows are
// written aside, and one transaction puts them in the place of those before.
// What is malformed is refused with file and line. The same export twice, in
// whatever order its rows are, changes nothing.
//
// Whose a row is, is said by the server's configuration alone, never by what a
// client's plans or states claim.
//
// # What it does not do
//
// It converts no currency, knows no invoice, and does not guess: what can't be
// matched to a resource or a client is reported as just that.
package actuals
