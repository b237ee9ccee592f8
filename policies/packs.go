package policies

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
)

// Packs returns the names of the packs, sorted: the folders of FS in which some
// file has a rule. What begins with one of them and a dot is the ID of a rule of
// that pack.
func Packs() []string {
	entries, err := fs.ReadDir(FS, ".")
	if err != nil {
		panic(err) // the root of an embedded file system
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && judges(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out
}

// judges reports whether a rule stands somewhere in the folder.
func judges(folder string) bool {
	found := false
	err := fs.WalkDir(FS, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			return err
		}
		text, err := fs.ReadFile(FS, name)
		if found = err == nil && (bytes.HasPrefix(text, []byte("deny contains ")) || bytes.Contains(text, []byte("\ndeny contains "))); found {
			return fs.SkipAll
		}
		return err
	})
	if err != nil {
		panic(err) // a file that is embedded can be read
	}
	return found
}
