// Package doctor checks that everything is there that a server needs: its
// configuration, folders, keys, database, tools and GitHub App.
//
// A check looks at one thing and says how it is, in a word and a sentence, and
// what to do about it. None changes anything, and all may be made beside a
// running server. A check that builds on another one that failed is skipped, so
// that one fault is told once. What checks see of the world goes through the
// Clinic, in which a test replaces it.
package doctor
