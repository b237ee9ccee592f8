// Package clients keeps the clients, whose infrastructure it is, and their
// repos.
//
// A client is made when its GitHub installation is first heard of, a repo when
// its first event arrives. Both are known by GitHub's numbers: names are for
// people, may change, and may pass to somebody else.
//
// Promises:
//   - One installation belongs to one client, one repo to one client. A repo
//     that GitHub moved to another account is refused, not moved along: its
//     history and its locks are the old client's.
//   - Ensure and EnsureRepo may be called by many at once, and again.
//
// It knows no members, settings or credentials yet, and calls no API.
package clients
