// Command gen makes the embedded price catalogue (catalog.book) from a folder
// of collected list prices.
//
//	go run ./internal/cost/gen -from FOLDER -out internal/cost/catalog.book
//
// The folder holds one gzipped JSON file per source; sources.go says which
// and of what shape, rules.go and components.txt which of their prices are
// taken, and as what. Anyone who collects newer figures in the same shapes can
// run it again: the same files give the same bytes. It stops at the first
// thing it does not understand, and prints what it took from each file.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

func main() {
	from := flag.String("from", "", "`folder` with the collected prices")
	out := flag.String("out", "catalog.book", "`file` to write the catalogue to")
	flag.Parse()
	if err := run(*from, *out, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, out string, log io.Writer) error {
	if from == "" {
		return fmt.Errorf("-from is missing: the folder with the collected prices")
	}
	w := pricebook.NewWriter("USD", preference...)
	for _, s := range sources {
		before := w.Len()
		if s.file == "" {
			if err := s.read(w, nil); err != nil {
				return fmt.Errorf("%s: %w", s.what, err)
			}
		} else {
			data, err := gunzip(filepath.Join(from, s.file))
			if err != nil {
				return err
			}
			if err := s.read(w, data); err != nil {
				return fmt.Errorf("%s: %w", s.file, err)
			}
		}
		if w.Len() == before {
			return fmt.Errorf("%s: no price was taken from it", s.what)
		}
		fmt.Fprintf(log, "%7d prices  %s\n", w.Len()-before, s.what)
	}
	// Written beside and renamed, so that a run that fails leaves the old
	// catalogue as it was: the package that embeds it must go on compiling.
	tmp, err := os.CreateTemp(filepath.Dir(out), ".catalog-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	n, err := w.WriteTo(tmp)
	if err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), out); err != nil {
		return err
	}
	fmt.Fprintf(log, "%7d prices  in all, %d KB\n", w.Len(), n>>10)
	return nil
}
