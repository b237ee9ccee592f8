// Package tfplan reads what Terraform or OpenTofu would do, from the JSON of
// its plan: the changes, their digest, and the text in which people review
// them.
//
// It promises that a plan's Digest is the same whenever the same changes would
// be made, and differs whenever any value, action or replacement would; that
// Diff reads as Terraform's own text and never shows a sensitive value, nor
// text that leaves its line.
//
// It is pure: JSON in, values and text out. Nothing is executed or opened, so
// policies, prices and pages can read a plan wherever they run.
package tfplan
