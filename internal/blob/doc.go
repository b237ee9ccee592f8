// Package blob keeps bytes that are too large or too secret for a row: plan
// files, plan JSON, states, logs, module archives. They lie encrypted in a
// folder, or in a bucket of S3, Google Cloud Storage or Azure: one folder a
// client.
//
// Promises:
//   - What Put returned a reference for is durable, whole, and survives a
//     crash: synced to the disk, or acknowledged by the bucket. What it did not
//     is nowhere.
//   - Nothing readable is on the disk: every blob has a data key of its own,
//     AES-256-GCM, which lies in the blob, encrypted by the store's key.
//   - A blob opens for the client and under the reference that it was put for,
//     and for no other. One that was changed, swapped with another, cut or
//     lengthened fails.
//   - Neither Put nor Get holds more than a segment of 64 kB in memory; a Put to
//     a bucket two parts of 5 MB.
//
// It keeps no index (the rows that name a reference are the index), compresses
// nothing. Where the store's key changes, the one before still opens what it
// sealed, until Rotate has given that a new head.
package blob
