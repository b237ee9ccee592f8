// Package state keeps Terraform states: a store of versions, and the HTTP
// backend that Terraform and OpenTofu speak with it.
//
// A state belongs to a client and has the path of its project as its name.
// Promises:
//   - What was answered with 200 is on the disk and survives a crash. Every
//     write is a version of its own, with who wrote it; none is ever changed.
//   - A write that does not follow from what is there (another lock, another
//     lineage, a lower serial, the same serial with another content) changes
//     nothing.
//   - Repeating a request that was answered gives the same answer.
//   - Nobody learns from an answer whether another client has a state.
//   - Nothing readable is on the disk: a version has a data key of its own,
//     which is wrapped by a key of the keyring and bound to client, project and
//     version.
//   - However large a state is, a write or a read of it takes some 2 MB of
//     memory.
//
// It runs no Terraform, and knows nothing of pull requests: a run is an ID here.
package state
