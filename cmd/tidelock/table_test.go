package main

import (
	"strings"
	"testing"
)

// TestTableKeepsStrangersInTheirCells: a directory may be named so that a
// terminal would obey it, or that it looks like rows of its own.
func TestTableKeepsStrangersInTheirCells(t *testing.T) {
	table := newTable("A", "B", "C")
	table.row(1, "x\x1b[2J\ny\tz", "")
	table.row(22, "short", "c")
	var out strings.Builder
	if err := table.write(&out); err != nil {
		t.Fatal(err)
	}
	want := "A   B          C\n1   x?[2J y z\n22  short      c\n"
	if out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}
}
