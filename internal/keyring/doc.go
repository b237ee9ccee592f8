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
//     and version, say. Put elsewhere, it is as good as lost. And it opens only
//     if somebody wrapped it who may: age's public half does not suffice.
//   - A key that is not there is named, with what it is needed for. So is what
//     keeps a key in Vault from being used, with what to mend.
//   - No error, no log and no print shows a key.
//   - Vault is asked for 10 seconds at most, and for each data key once in five
//     minutes; so a token that is revoked there opens nothing any more after
//     five minutes.
//
// It encrypts no data: blob's segments do.
package keyring
