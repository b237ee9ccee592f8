// Package drift keeps what is known of how far the world has moved away from
// the states: when each project is looked at, what the last look found and
// since when that is so, and the one issue of each repository that tells of it.
//
// Promises:
//
//   - A tick begins one check, on however many servers: whoever moves the
//     schedule's next time makes the check, in the same transaction.
//   - What was missed while no server ran is made up for once, not once for
//     each time.
//   - A repository has one unfinished check at a time by schedule.
//   - Deciding is pure: what is due, what a result makes of a project, what the
//     issue needs.
//
// It runs nothing and knows nothing of GitHub: package bot acts on what is
// decided here.
package drift
