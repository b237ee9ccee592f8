// Package terminal is how text looks on a terminal: styles, how many cells it
// takes, lines that are redrawn, and Tidelock's own Markdown laid out.
//
// Layout is done on lines; escape sequences come in when a line is painted, and
// only where colours are wanted. Nothing that a stranger wrote is painted with
// a control character in it (Clean). Whether something is a terminal, and how
// wide, the program says.
package terminal
