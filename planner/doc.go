// Package planner turns a tree of Terraform or OpenTofu code into projects: it
// reads a repository's configuration, finds the root modules and what each of
// them depends on, says which a change touches and in which layers they are
// applied, and checks what people ask of a plan.
//
// It only reads what it is given and is safe on hostile input: nothing is
// executed, no link is followed out of the tree, no name is used that was not
// checked. It promises that InputsDigest is equal for two commits only where
// all that shapes the project's plan is.
//
// Below it in the folder stand two rooms of their own: planner/tfplan reads a
// plan that was made, planner/tfrun makes and applies one. None of the three
// knows GitHub, a database or prices, and none keeps anything between calls.
package planner
