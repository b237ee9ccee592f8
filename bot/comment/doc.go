// Package comment writes what people read on GitHub: a pull request's comments
// (Comments, Render), its checks with their buttons (Checks, GroupCheck), and
// the replies to commands (Cost, Drift, Operation, Refusal).
//
// It promises:
//   - It is pure: the same View gives the same text, byte for byte. So
//     anybody can tell it again, and what GitHub shows already is known by its
//     text.
//   - What it makes fits into what GitHub takes, with less detail from step to
//     step, and every block in it is closed.
//   - Nothing that a stranger chose is more than text (package markdown), and
//     nobody is called twice in a comment.
//   - A command that the repository does not take is never proposed.
//   - A repository's template (template.go) is bounded in work and output.
//     Where it fails, the usual comment says why.
//
// Whether and when something is worth telling is decided here too (Worth,
// PaceOf), by the View alone. Reading the View and posting are package bot's:
// this one knows no database, no queue and no request.
//
// The golden files in testdata are the comments as a reviewer reads them.
package comment
