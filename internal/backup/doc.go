// Package backup brings the whole of an installation into one file and back,
// and keeps a replica of its SQLite database elsewhere while it changes.
//
// Promises:
//   - A backup is of one moment, while the server goes on. It has every row,
//     the queue's too, and every blob that those name.
//   - It is encrypted as a whole, and bound to its own head: no part of it can
//     be read, changed, cut or put into another. It does not hold the key.
//   - What is restored is what was backed up, or nothing is: rows are counted,
//     hashes compared, the audit chain walked.
//   - After a restore nothing is applied, and no state written, until a person
//     has looked at what is newer than the backup.
//   - A replica is encrypted like a blob, and follows each commit within a
//     second while its bucket answers.
package backup
