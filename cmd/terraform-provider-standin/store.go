package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// store keeps objects as files: DIR/<provider>/<type>/<name>-<hash>.json. It
// is safe for any number of processes at once: an object is created
// exclusively and replaced by renaming, and nobody writes another's file.
//
// The zero store, without a folder, keeps nothing: see [store.kept].
type store struct {
	dir    string
	family string
}

// record is what a file holds. Attributes are as in Terraform's state, without
// the sensitive ones.
type record struct {
	Note       string         `json:"note"`
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Attributes map[string]any `json:"attributes"`
}

const recordNote = "An object of Tidelock's stand-in provider. It exists in this file alone, in no cloud."

var (
	errTaken = errors.New("already exists")
	errGone  = errors.New("does not exist")
)

// kept says whether objects are kept at all.
func (s store) kept() bool { return s.dir != "" }

// path names an object's file after its id, legibly and without collisions.
func (s store) path(typ, id string) string {
	legible := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, id[strings.LastIndex(id, "/")+1:])
	if len(legible) > 60 {
		legible = legible[:60]
	}
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(s.dir, s.family, typ, legible+"-"+hex.EncodeToString(sum[:6])+".json")
}

// create writes a new object; errTaken when its id is in use.
func (s store) create(typ, id string, attributes map[string]any) error {
	tmp, err := s.temp(typ, id, attributes)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	err = os.Link(tmp, s.path(typ, id)) // unlike a rename, it fails where a file is
	if errors.Is(err, fs.ErrExist) {
		return errTaken
	}
	return err
}

// update replaces an object; errGone when there is none.
func (s store) update(typ, id string, attributes map[string]any) error {
	if _, err := os.Stat(s.path(typ, id)); errors.Is(err, fs.ErrNotExist) {
		return errGone
	}
	tmp, err := s.temp(typ, id, attributes)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	return os.Rename(tmp, s.path(typ, id))
}

func (s store) temp(typ, id string, attributes map[string]any) (string, error) {
	text, err := json.MarshalIndent(record{recordNote, typ, id, attributes}, "", "  ")
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(s.path(typ, id))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// read returns an object's attributes; errGone when there is none.
func (s store) read(typ, id string) (map[string]any, error) {
	text, err := os.ReadFile(s.path(typ, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var r record
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path(typ, id), err)
	}
	return r.Attributes, nil
}

// remove deletes an object. One that is gone already is no error: it is what
// was wanted.
func (s store) remove(typ, id string) error {
	err := os.Remove(s.path(typ, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
