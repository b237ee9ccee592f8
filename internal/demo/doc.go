// Package demo plays one client's story before the eyes of whoever wants to
// see Tidelock work: pull requests from the first push to the apply, on this
// machine alone.
//
// # What it promises
//
// Nothing of it is acted. The server is the one that `tidelock serve` runs, the
// plans are Terraform's or OpenTofu's own, pushes are git's, what the terminal
// shows of a comment is the comment. Two things stand in for what a machine
// with only Go on it lacks: the GitHub (internal/github/githubtest) and the
// cloud's provider (cmd/terraform-provider-standin).
//
// A story that does not go as told ends with an error that says what was
// waited for and what there was instead: the demo is a test too.
//
// Everything listens on loopback and lives in one temporary folder, which is
// removed at the end, however that comes.
//
// # What it does not do
//
// It measures nothing that could be compared: for that there is `make bench`.
// It reads no configuration of the user's, neither Tidelock's nor git's nor
// Terraform's.
package demo
