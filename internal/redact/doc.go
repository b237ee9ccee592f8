// Package redact keeps secrets out of everything that leaves the process.
//
// Secret holds a value that cannot be printed, logged or marshalled by
// accident; Masker replaces known values, and their usual encodings, in text
// written by others (Terraform's output, an error of a cloud's API).
//
// Masking is the second line: the first is that a process which runs other
// people's code is not given the secret at all.
package redact
