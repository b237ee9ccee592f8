// Package parts makes parts of Tidelock out of a server's configuration: those
// that the server, the commands beside it and doctor share, so that each is made
// in one way.
//
// Functions are named for what they return. What is opened is the caller's to
// close. What the server alone needs is wired in package main.
package parts
