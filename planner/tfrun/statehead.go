package tfrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// StateHead returns the lineage and serial of a state file, fs.ErrNotExist where
// there is none. It reads no more of the file than that takes: Terraform writes
// both at its beginning.
func StateHead(path string) (lineage string, serial int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if lineage, serial, err = ReadStateHead(f); err != nil {
		return "", 0, fmt.Errorf("read the state %s: %w", path, err)
	}
	return lineage, serial, nil
}

// ReadStateHead is StateHead of a state that is read from r.
func ReadStateHead(r io.Reader) (lineage string, serial int64, err error) {
	dec := json.NewDecoder(r)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return "", 0, errors.New("it is no object of JSON")
	}
	found := 0
	for found < 2 && dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "", 0, err
		}
		switch key {
		case "lineage":
			found++
			err = dec.Decode(&lineage)
		case "serial":
			found++
			err = dec.Decode(&serial)
		default:
			var skipped json.RawMessage
			err = dec.Decode(&skipped)
		}
		if err != nil {
			return "", 0, err
		}
	}
	if found < 2 {
		return "", 0, errors.New("it has no lineage or no serial")
	}
	return lineage, serial, nil
}
