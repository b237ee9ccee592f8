// Package policydoc writes what people read of the bundled rules: the reference
// page, as Markdown, as JSON or as one page of HTML.
//
// It promises that the reference says nothing that the rules do not: every word
// of it comes from the rules' own annotations and settings, and each rule's
// heading has the anchor that findings link to.
//
// It does not judge, and knows no server: levels are those that the rules come
// with.
package policydoc
