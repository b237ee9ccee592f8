// Package infracost speaks with Infracost: it reads and writes the JSON of
// version 0.2 that `infracost breakdown --format json` prints, and runs that
// program where somebody wants its estimates instead of Tidelock's.
//
// # Promises
//
// What a file says is never made better than it is. An amount that is null, a
// price that was not found and a type that Infracost does not support stay
// unknown in the estimate, and the totals say "at least"; nothing of it counts
// as zero. A file whose amounts do not add up is refused.
//
// What is written can be read again by Infracost's own commands and by this
// package, with the same totals. Amounts are decimals in quotes, as Infracost
// writes them, and unknown ones are null. What the format has no word for (why
// a resource has no price, what an estimate takes as given) stands in the
// resource's metadata under "tidelock", which others pass over.
//
// The program is given the plan's JSON, which can hold secrets, in a folder
// that only this user can read and that is gone when it ends, and of the
// environment what is named to it. What it prints is bounded, and so is its
// time; when that is up, all that it started ends with it.
//
// # What it does not do
//
// It installs no Infracost, keeps no key of it, and uploads nothing to its
// cloud. Of a file's tags, providers and policies it reads nothing; they are
// kept when a file is written again.
package infracost
