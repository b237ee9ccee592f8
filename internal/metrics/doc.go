// Package metrics tells Prometheus, or whoever reads its formats, how a server
// is: OpenMetrics and the older text, through prometheus/client_golang. It is
// the only package that knows of Prometheus.
//
// What is an event (a request, a finished run, a write of a state) is counted
// where it happens: rooms tell a function that they were given, in words of
// their own, and Metrics has a method for each. What is a state of things
// (jobs that wait, locks, the replica's lag) is kept by nobody here: it is read
// from the rooms when somebody asks; see Sources. The table of all figures is
// figures.go, from which docs/metrics.md is made.
//
// Promises:
//   - Figures name no client, repository, project, branch, run, person or token.
//     Clients are named where Options.Clients says so, and in the figures alone
//     that begin with tidelock_client_.
//   - No label has a value that comes from outside: routes are those that there
//     are, methods and kinds are known words.
//   - A scrape reads as much as is open, waiting or locked, never what has
//     ended: it costs the same after a year. It takes no longer than readTime,
//     and never keeps a writer waiting.
//   - What can't be read is left out, and said so (tidelock_figures_read), and
//     keeps nothing else from being told.
//
// With several servers on one database each tells what it did itself; figures
// of the database are the same at each, and their help says so.
//
// It sends nothing anywhere, stores nothing, and judges nothing: alerts are
// Prometheus's, with examples in docs/prometheus-alerts.yml.
package metrics
