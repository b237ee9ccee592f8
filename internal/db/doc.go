// Package db opens the database that everything durable lives in, SQLite or
// PostgreSQL, migrates it, and runs transactions.
//
// One SQL text serves both: placeholders are $1, $2, …, times are integer
// milliseconds (Millis, FromMillis), flags are 0 or 1, JSON is text, bytes are
// BLOB or BYTEA. What differs stands in the migrations and in this package
// alone; queries stand in each feature's store.go.
//
// Promises:
//   - A transaction commits whole or not at all, and what was committed
//     survives a crash of the process and of the machine (WAL with
//     synchronous=FULL).
//   - A busy or locked database, a deadlock or a serialization failure is tried
//     again a bounded number of times; then the error is errs.Unavailable.
//   - A corrupt database is not served: a server walks all of an SQLite file
//     before it serves one that may be damaged, and each day while it does. The
//     error names `tidelock restore`.
//   - A database of a newer Tidelock is not touched.
//   - Two processes that migrate at once take turns.
//
// It has no query builder, maps no structs, and never migrates downwards.
package db
