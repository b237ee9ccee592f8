// Package markdown makes texts that strangers chose (a project's name, a
// resource's address, an error of Terraform's, a word of a comment) safe to
// stand in GitHub's Markdown.
//
// It promises that whatever the text is, what Code, Cell, Prose, Sentences,
// Fenced, Fold and List make of it can't end the block it stands in, mention
// anybody, refer to anything, open a link or HTML, or colour a terminal; and
// that a reader still reads the text. Word promises that for what then stands
// in backticks. Calm has everybody who is called in a comment called once.
// FuzzNothingEscapes holds it to that.
//
// OneLine, Cut and Abridged make a text shorter and not safe: they come first.
//
// It renders nothing, and it does not know what is posted where: the sentences
// are the callers'.
package markdown
