// Package proposal knows what a change of a repository's files proposes: which
// projects it asks to be planned, and what each plan comes to in text, findings
// and money. The server asks it of a pull request, and whoever sits at a desk
// of what they are about to push; both get the same answer, since both get it
// here.
//
// It promises that finding is a function of two trees, the paths that differ
// and the configuration, and reading one of a plan. It knows no database, no
// GitHub and no runner, and writes nothing.
package proposal
