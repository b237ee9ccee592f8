// Package tfplan reads what Terraform or OpenTofu would do, from the JSON of
// its plan: the changes, what is deferred, the actions, the checks and the
// drift, their digest, and the text in which people review them.
//
// It promises that a plan's Digest is the same whenever the same changes would
// be made, and differs whenever any value, action or replacement would; that
// Diff and Text read as the tools' own text and never show a sensitive value,
// nor text that leaves its line; that drift is told apart from change; and
// that what it can't read in a plan is said, and never taken for nothing.
//
// It is pure: JSON in, values and text out. Nothing is executed or opened, so
// policies, prices and pages can read a plan wherever they run.
package tfplan
