// Package run keeps changes, runs, locks and their history: the state machine
// of a pull request's way from a commit to applied infrastructure.
//
// A change is one pull at one head commit. A run is one plan or apply of one
// project in one change. A lock says which pull alone may change a project.
//
// Promises:
//
//   - A status only moves along the edges of its table (see Status.CanBecome),
//     and every move is compared with what is stored: two workers cannot both
//     move the same run.
//   - "Applying" is stored before anything starts, and an apply that ended in
//     an unknown way becomes Interrupted, keeps its lock, and is never started
//     again by itself.
//   - Every act that matters writes its audit event in the transaction that
//     performs it.
//   - A fence grows with every time a lock changes hands; whoever finishes
//     with a stale fence is refused.
//
// Methods that take a *db.Tx join the caller's transaction, so that a row and
// the job that speaks of it commit together; methods that take a db.Querier
// only read.
//
// The package knows nothing of GitHub, git or processes: package bot acts on
// what is decided here.
package run
