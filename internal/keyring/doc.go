// Package keyring keeps the keys that data keys are wrapped by, so that what
// is encrypted with a data key never has to be written anew when a key of the
// house changes.
//
// A ring has one active key, which wraps what is new, and any number of others,
// which only open what they once wrapped. A key is 32 bytes of a file or of
// the environment, a key of Vault's transit engine, or an age identity.
//
// Promises:
//   - A wrapped data key opens only with what it was bound to: client, project
//     and version, say. Put elsewhere, it is as good as lost.
//   - A key that is not there is named, with what it is needed for.
//   - No error and no log shows a key.
//
// It encrypts no data: blob's segments do.
package keyring
