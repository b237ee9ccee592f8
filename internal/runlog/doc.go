// Package runlog keeps the logs of runs: what Terraform printed, masked,
// compressed and encrypted, however long.
//
// Promises: nothing is written that was not masked; neither storing nor
// reading takes memory that grows with the log; a log that an earlier version
// stored, uncompressed, is read like any other.
//
// It does not know runs or who may read them, and cuts nothing: how long a log
// can get is decided where it is written (runner.Options.LogLimit).
package runlog
