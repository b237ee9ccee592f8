// Package command is the grammar of the commands that people give in comments:
// what each is called, which flags it takes, what it means and which role it
// needs. One table (table.go) says all that; the parser, the help and the
// guide, docs/commands.md, are made from it.
//
// It promises:
//   - Parse reads hostile input. Its work and what it returns are bounded, it
//     finds nothing in quotes, code and HTML comments, and a word that only
//     looks like a command's is none.
//   - A Command without a Problem is well formed: names and patterns, options
//     and operations are checked, and nothing in it is invisible.
//   - What a Problem or the help says back is inert Markdown.
//   - Parse reads what Command.String writes as the same command.
//
// It obeys nothing: it does not know who speaks, what is planned, or whether
// the command is allowed here. That is package bot's, which also asks for the
// role. It asks neither a database nor GitHub.
package command
