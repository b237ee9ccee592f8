package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tidelock/tidelock/internal/terminal"
)

// table lines up columns for people. Cells may hold what strangers chose, as
// the names of directories: nothing in one can move a terminal's cursor, or
// begin another cell or line.
type table struct{ rows [][]string }

// newTable begins a table, with the heads of its columns where it has some.
func newTable(heads ...any) *table {
	t := &table{}
	if len(heads) > 0 {
		t.row(heads...)
	}
	return t
}

// row adds a line.
func (t *table) row(cells ...any) {
	var row []string
	for _, c := range cells {
		row = append(row, terminal.Clean(strings.NewReplacer("\n", " ", "\t", " ", "\v", " ", "\f", " ").Replace(fmt.Sprint(c))))
	}
	t.rows = append(t.rows, row)
}

// write prints the lines, none with space at its end.
func (t *table) write(out io.Writer) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // a strings.Builder takes all
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
