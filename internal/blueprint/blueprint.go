package blueprint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/hashicorp/hcl/v2/hclsimple"

	"github.com/tidelock/tidelock/internal/errs"
	repotemplates "github.com/tidelock/tidelock/repo-templates"
)

const (
	common   = "common"        // the folder that is laid under every blueprint
	manifest = "blueprint.hcl" // says what a blueprint is; not handed on
	ending   = ".tmpl"         // of files that are templates
)

// Blueprint is one template of a repository.
type Blueprint struct {
	Name        string   `json:"name"`
	Description string   `json:"description" hcl:"description"` // one or two sentences, plain text
	Values      []string `json:"values" hcl:"values"`           // those that it takes, all of them needed: ValueClient, …
	First       string   `json:"first" hcl:"first"`             // the file whose change makes a good first pull request
}

// File is one rendered file.
type File struct {
	Path string // relative to the repository's root, with slashes
	Data []byte
}

// List returns the bundled blueprints, sorted by name.
func List() ([]Blueprint, error) { return list(repotemplates.FS) }

func list(fsys fs.FS) ([]Blueprint, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list blueprints: %w", err)
	}
	var all []Blueprint
	for _, e := range entries {
		if !e.IsDir() || e.Name() == common {
			continue
		}
		b, err := describe(fsys, e.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// describe reads what a blueprint says of itself.
func describe(fsys fs.FS, name string) (Blueprint, error) {
	b := Blueprint{Name: name}
	at := name + "/" + manifest
	src, err := fs.ReadFile(fsys, at)
	if err != nil {
		return b, fmt.Errorf("blueprint %s: %w", name, err)
	}
	if err := hclsimple.Decode(at, src, nil, &b); err != nil {
		return b, fmt.Errorf("blueprint %s: %w", name, err)
	}
	for _, v := range b.Values {
		if !slices.Contains(valueNames, v) {
			return b, fmt.Errorf("blueprint %s: there is no value %q", name, v)
		}
	}
	return b, nil
}

// Render returns the files of the named blueprint, sorted by path. The error
// is errs.NotFound for a name that no blueprint has, and errs.Invalid for
// values: its sentence lists everything that is wrong with them, one a line.
func Render(name string, v Values) ([]File, error) { return render(repotemplates.FS, name, v) }

func render(fsys fs.FS, name string, v Values) ([]File, error) {
	all, err := list(fsys)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(b Blueprint) bool { return b.Name == name })
	if at < 0 {
		return nil, errs.New(errs.NotFound, "There is no blueprint %q. There are: %s.", name, names(all))
	}
	data, err := v.check(all[at])
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, folder := range []string{common, name} {
		if err := renderFolder(fsys, folder, data, files); err != nil {
			return nil, fmt.Errorf("blueprint %s: %w", name, err)
		}
	}
	delete(files, manifest)
	var out []File
	for _, p := range slices.Sorted(maps.Keys(files)) {
		out = append(out, File{Path: p, Data: files[p]})
	}
	return out, nil
}

// renderFolder puts a folder's files into the map, over those of the same path
// that are there.
func renderFolder(fsys fs.FS, folder string, data map[string]string, into map[string][]byte) error {
	err := fs.WalkDir(fsys, folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		target := strings.TrimPrefix(p, folder+"/")
		if bare, ok := strings.CutSuffix(target, ending); ok {
			target = bare
			if src, err = execute(p, string(src), data); err != nil {
				return err
			}
		}
		into[target] = src
		return nil
	})
	if folder == common && errors.Is(err, fs.ErrNotExist) {
		return nil // nothing is shared
	}
	return err
}

// execute renders one template. A value that the blueprint does not list is an
// error, so that its list can't go stale.
func execute(name, src string, data map[string]string) ([]byte, error) {
	t, err := template.New(name).Delims("[[", "]]").Option("missingkey=error").Parse(src)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func names(all []Blueprint) string {
	var s []string
	for _, b := range all {
		s = append(s, b.Name)
	}
	return strings.Join(s, ", ")
}
