// Package dbtest gives tests real databases: migrated SQLite files, and
// databases of a PostgreSQL cluster that lives as long as the test process.
//
// The cluster is made from the system's own binaries, by a user that is not
// root, reached through a socket in its own folder, and started at the first
// test that asks for it. It and its folder are gone when the test process is,
// however that ends: a small watcher waits on a pipe that only the end of the
// process closes. Where there are no binaries the tests that want PostgreSQL
// skip and say so.
//
// It is for tests alone.
package dbtest
