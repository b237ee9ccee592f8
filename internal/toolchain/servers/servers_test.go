package servers

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// What is pinned is whole, of the version that it is said to be, and names no
// host that it is to come from.
func TestServersArePinned(t *testing.T) {
	for _, s := range All() {
		switch p := s.made.(type) {
		case toolchain.Program:
			mod, err := modfile.Parse("go.mod", p.Mod, nil)
			if err != nil {
				t.Fatal(err)
			}
			of := ""
			for _, r := range mod.Require {
				if strings.HasPrefix(p.Package+"/", r.Mod.Path+"/") && len(r.Mod.Path) > len(of) {
					of = r.Mod.Path
					if r.Mod.Version != "v"+p.Version {
						t.Errorf("%s: go.mod pins %s, the code says %s", s.Title, r.Mod, p.Version)
					}
				}
				if !bytes.Contains(p.Sum, []byte(r.Mod.Path+" "+r.Mod.Version+"/go.mod h1:")) {
					t.Errorf("%s: no hash for %s", s.Title, r.Mod)
				}
			}
			if of == "" || len(mod.Tool) != 1 || mod.Tool[0].Path != p.Package {
				t.Errorf("%s: %s is not the tool of the pinned module: %v", s.Title, p.Package, mod.Tool)
			}
		case toolchain.Package:
			var lock struct {
				Packages map[string]struct {
					Version, Resolved, Integrity string
					Link                         bool
				}
			}
			if err := json.Unmarshal(p.Lock, &lock); err != nil {
				t.Fatal(err)
			}
			if got := lock.Packages["node_modules/"+p.Name].Version; got != p.Version {
				t.Errorf("%s: the lock file pins %q, the code says %s", s.Title, got, p.Version)
			}
			for name, l := range lock.Packages {
				if name != "" && (l.Integrity == "" || l.Resolved != "") {
					t.Errorf("%s: %s has the hash %q and comes from %q", s.Title, name, l.Integrity, l.Resolved)
				}
			}
		}
	}
}

// PATH goes before the cache; where there is neither, what is missing is said
// and how to get it.
func TestFind(t *testing.T) {
	path, cache := t.TempDir(), t.TempDir()
	t.Setenv("PATH", path)
	o := toolchain.Options{Cache: cache}
	for _, s := range All() {
		_, err := s.Find(o)
		if !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "make servers") || !strings.Contains(errs.Sentence(err), s.Title) {
			t.Errorf("%s: %v", s.Title, err)
		}
		program := filepath.Join(path, s.Command)
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Find(o); err != nil || got != program {
			t.Errorf("%s: %q, %v", s.Title, got, err)
		}
	}
}
