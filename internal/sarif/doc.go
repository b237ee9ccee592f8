// Package sarif reads and writes SARIF 2.1.0, the form in which scanners tell
// what they found, as far as Tidelock has to do with it.
//
// Read takes what a scanner such as trivy, checkov or tflint wrote, and
// Findings makes of it findings that stand in a report beside those of the
// policies. Both expect that whoever wrote the file means ill: a file may have
// been written by the code of a pull request. What is too large, too deep or no
// SARIF is an error and never half a result; paths are taken only where the
// commit has such a file.
//
// Write writes a report of the policies, scanners' findings among it.
//
// Not read: code flows, graphs, fixes, external property files.
package sarif
