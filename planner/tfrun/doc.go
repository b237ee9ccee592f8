// Package tfrun runs Terraform or OpenTofu, and so other people's code: it makes
// the plan of a project, applies a saved one, and carries out operations on a
// state. It is called inside the runner process alone, which holds no secret
// of the bot's; the sandbox around what it starts belongs to the runner.
//
// It promises that Execute never inherits the environment of its caller and
// never lets the repository choose the workspace, the provider store or the
// CLI configuration; that only a saved plan is ever applied; and that whatever
// happens is told in the Result.
package tfrun
