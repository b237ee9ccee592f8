// Package testdata holds what clients' repositories look like, and pull
// requests to them: see the README of each folder. The demo carries them in
// its binary; tests and benches read them from the disk.
//
// It is data, and knows no other package.
package testdata
