// Package blueprint makes a client's repository from a bundled blueprint: it
// lists them, renders one with the client's values, and writes the files into
// a folder.
//
// It promises:
//   - Render is pure: the same name and values give the same files, in memory.
//   - Values that were not checked reach no file. What is wrong with them is
//     told all at once, and what passes needs no escaping in HCL, Markdown,
//     CODEOWNERS or a shell.
//   - Write replaces nothing that is there, and follows no link. It writes all
//     files or none: a failure takes back what was written. A kill in between
//     leaves whole files and perhaps a folder .tidelock-init-….
//   - Nothing is run, and nothing is asked over the network.
//
// It does not make the repository on GitHub, and it does not yet bring one that
// was made from a blueprint up to a newer one.
package blueprint
