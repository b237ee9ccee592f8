//go:build race

package runlog_test

// raced tells that the race detector looks on, which takes many times as long.
const raced = true
