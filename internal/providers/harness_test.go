package providers

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/providers/providerstest"
	"github.com/tidelock/tidelock/planner"
)

const (
	aws      = "registry.terraform.io/hashicorp/aws"
	platform = "linux_amd64"
)

func registry(t *testing.T) *providerstest.Registry {
	t.Helper()
	r, err := providerstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// pack makes a package whose program is told apart by text.
func pack(t *testing.T, typ, text string) []byte {
	t.Helper()
	archive, err := providerstest.Zip(
		providerstest.File{Name: "terraform-provider-" + typ + "_v5", Mode: 0o755, Body: []byte("#!/bin/sh\n# " + text + "\n")},
		providerstest.File{Name: "LICENSE.txt", Mode: 0o644, Body: []byte("free\n")},
	)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// options are those of a store that asks r.
func options(t *testing.T, r *providerstest.Registry) Options {
	t.Helper()
	return Options{Dir: filepath.Join(t.TempDir(), "providers"), Direct: true, RootCAs: r.Roots(), Lookup: r.Lookup, Dial: r.Dial, Platform: platform}
}

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	s.client.pause = 0
	return s
}

func address(t *testing.T, text string) Address {
	t.Helper()
	a, err := parseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// request is a run of the project in live, whose files are given.
func request(tool string, files map[string]string) Request {
	fsys := fstest.MapFS{"live": {Mode: fs.ModeDir | 0o755}}
	for name, text := range files {
		fsys["live/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return Request{Root: fsys, Tool: tool, Project: planner.Project{Dir: "live"}}
}

func requires(source, constraint string) string {
	return "terraform {\n  required_providers {\n    aws = {\n      source  = \"" + source + "\"\n      version = \"" + constraint + "\"\n    }\n  }\n}\n"
}

// locked is a lock file.
func locked(provider, version string, hashes ...string) string {
	var b strings.Builder
	b.WriteString("# This file is maintained automatically by \"terraform init\".\n\nprovider \"" + provider + "\" {\n  version     = \"" + version + "\"\n  constraints = \"~> 5.0\"\n  hashes = [\n")
	for _, h := range hashes {
		b.WriteString("    \"" + h + "\",\n")
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

// fails checks an error's kind, and that its sentence has all the words.
func fails(t *testing.T, err error, kind errs.Kind, words ...string) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Fatalf("the error is %v of kind %s, want kind %s", err, errs.KindOf(err), kind)
	}
	for _, w := range words {
		if !strings.Contains(errs.Sentence(err), w) {
			t.Errorf("the sentence does not say %q: %s", w, errs.Sentence(err))
		}
	}
}

// nothingLeft checks that a refused package left nothing in the store.
func nothingLeft(t *testing.T, s *Store) {
	t.Helper()
	for _, dir := range []string{"store", "meta", "tmp"} {
		_ = filepath.WalkDir(filepath.Join(s.o.Dir, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				t.Errorf("%s is left", path)
			}
			return nil
		})
	}
	if left, _ := filepath.Glob(filepath.Join(s.o.Dir, "tmp", "*")); len(left) > 0 {
		t.Errorf("left in tmp: %v", left)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
