// Package toolchain gets what Tidelock's demo, tests and benches need and a
// machine with only Go on it lacks: a Terraform or OpenTofu to run, and the
// stand-in provider laid out so that Terraform installs it.
//
// # What it promises
//
//   - What is on the machine already is used. What is missing is built from
//     source, through the Go module proxy and pinned by hash, into a cache
//     folder: OpenTofu once, the stand-in provider once per content.
//   - Any number of processes may ask at once. One builds, the others wait and
//     say so, and nothing half made is ever seen: results are renamed into
//     place. A killed build leaves nothing but a lock that frees itself.
//   - Long work shows what it is doing, how far it is and for how long.
//   - Terraform is run with an environment of its own making, never with the
//     caller's.
//
// # What it does not do
//
// It is no part of the server: nothing here runs in production, where the
// operator installs Terraform. It downloads no binaries, and it does not build
// Terraform itself, whose licence does not allow passing it on.
package toolchain
