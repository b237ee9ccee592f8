// Package planner turns a directory of Terraform or OpenTofu code into
// projects, and a project into a plan or an apply.
//
// It has two halves. The reading half (Discover, Affected, ParseConfig,
// ParsePlan, Diff, the digests) only reads what it is given and is safe on
// hostile input: nothing is executed, no link is followed out of the tree, no
// name is used that was not checked. The executing half (Execute) runs
// Terraform, and so other people's code; it is called inside the runner
// process alone, which holds no secret of the bot's.
//
// It promises that a plan's Digest is the same whenever the same changes
// would be made, and differs whenever any value, action or replacement would;
// that Diff never shows a sensitive value; that Execute never inherits the
// environment of its caller and never lets the repository choose the
// workspace, the provider store or the CLI configuration.
//
// It knows no GitHub, no database and no prices, and keeps nothing between
// calls. The sandbox around what it executes belongs to the runner.
package planner
