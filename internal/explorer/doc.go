// Package explorer is the inventory of what clients have: the managed resources
// of all states that are kept here, those that the plans of other projects
// found in theirs, and which modules and providers the code uses. It stands in
// the database and can be searched.
//
// # Promises
//
// A sensitive value is never in it: neither what a state, a plan or a
// provider's schema marks, nor what has a name like a secret's or looks like
// one, nor any other value that holds one of those. Values are otherwise in the
// clear, unlike the states themselves.
//
// The inventory follows the states and never the other way round: a write of a
// state does not wait for it, and none fails with it. What is in the inventory
// is named by the version that it was read from. Whatever names another version
// than the one that counts is read anew, after a crash as after a restore, and
// only what differs is written. So it ends up as if it had been built from
// nothing.
//
// Of a resource no more than 16 kB is kept, of a value no more than 200 bytes,
// of a state no more than 250,000 resources.
//
// # What it does not do
//
// It lists no data sources, keeps no history (versions of states do), and looks
// into no state that OpenTofu encrypted.
package explorer
