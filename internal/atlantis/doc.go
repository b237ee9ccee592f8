// Package atlantis reads a repository's atlantis.yaml as it is, so that a
// repository that Atlantis has served is served without a change, and writes
// the tidelock.hcl that says the same.
//
// It promises that what it carries over does the same here as it did there,
// and that whatever it does not carry over is told: with the line, the reason
// and what to do instead. A file that Atlantis itself would refuse is refused
// with all of its problems. What a file asks for is never loosened: where
// something can't be said exactly, what is stricter is said.
//
// It runs nothing, reads no server-side configuration of Atlantis (repos.yaml)
// and looks at no other file of the repository, EnvFiles apart.
package atlantis
