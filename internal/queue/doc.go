// Package queue runs durable jobs: what is enqueued in a transaction is run
// after that transaction has committed, at least once, whatever crashes.
//
// Handlers are registered once, at start, each for one kind of arguments and
// in one lane; a lane bounds how many of its jobs one node runs at a time.
//
// Promises:
//   - A job is in the same transaction as the rows that it speaks of: both are
//     there or neither.
//   - Jobs run at least once, not exactly once. A crash between the end of a
//     handler and the note of it, a quarter of a second at most, repeats the
//     job: handlers must find their own traces.
//   - Jobs of a process that died are taken up at once when the same node
//     starts again, and within 30 s by another node. Nodes watch each other's
//     heartbeat by monotonic clocks, so a clock that jumps neither kills a live
//     node nor keeps a dead one's jobs.
//   - A failed job is tried again with a growing pause. One whose error is
//     errs.Unavailable waits without spending attempts, for a day at most; one
//     that has spent its attempts, that its handler gave up (Discard), whose
//     arguments can't be read, or that took the process down with it each
//     time, is dead: set aside, visible in Dead, and in nobody's way.
//   - A handler's panic is a failure of that job alone.
//   - In a fair lane clients take turns, so that one's flood delays itself alone.
//
// It keeps no order between jobs beyond priority and age, and no two nodes
// with one name: who starts the server holds its data folder alone.
//
// Nobody else imports River, which keeps the jobs.
package queue
