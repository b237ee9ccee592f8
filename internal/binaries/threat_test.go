package binaries

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

func TestThreat_WhatItsMakersDidNotSignIsNotKept(t *testing.T) {
	const v = "1.9.8"
	for _, name := range both {
		for _, c := range []struct {
			attack string
			do     func(t *testing.T, m *mirror)
			kind   errs.Kind
			says   string
		}{
			{"another archive", func(t *testing.T, m *mirror) {
				m.release(t, name, "1.9.9")
				m.files[archivePath(name, v)] = m.files[archivePath(name, "1.9.9")]
			}, errs.Invalid, "is not what its makers signed"},
			{"a bit in the archive", func(t *testing.T, m *mirror) {
				m.files[archivePath(name, v)][100] ^= 1
			}, errs.Invalid, "is not what its makers signed"},
			{"signed by a stranger", func(t *testing.T, m *mirror) {
				m.put(t, name, v, program("Terraform", v), "stranger")
			}, errs.Invalid, "are not signed by its makers' key"},
			{"not signed", func(t *testing.T, m *mirror) {
				for path := range m.files {
					if strings.HasSuffix(path, "sig") {
						m.files[path] = nil
					}
				}
			}, errs.Invalid, "are not signed by its makers' key"},
			{"checksums changed after signing", func(t *testing.T, m *mirror) {
				for path, text := range m.files {
					if strings.HasSuffix(path, "SUMS") {
						m.files[path] = append(text, '\n')
					}
				}
			}, errs.Invalid, "are not signed by its makers' key"},
			{"an older one, well signed, as a newer", func(t *testing.T, m *mirror) {
				m.put(t, name, v, program(planner.ToolTitle(name), "1.2.3"), name)
			}, errs.Invalid, "and was thrown away"},
			{"another program of the makers'", func(t *testing.T, m *mirror) {
				m.put(t, name, v, []byte("#!/bin/sh\necho 'Vault v1.9.8'\n"), name)
			}, errs.Invalid, "and was thrown away"},
			{"a redirect out of TLS", func(t *testing.T, m *mirror) {
				m.answer = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
					http.Redirect(w, r, "http://127.0.0.1:1"+r.URL.Path, http.StatusFound)
					return true
				}
			}, errs.Unavailable, "is not reached by TLS"},
		} {
			t.Run(name+", "+c.attack, func(t *testing.T) {
				m := newMirror(t)
				m.release(t, name, v)
				c.do(t, m)
				o := m.options(t)
				b, err := Open(o).Resolve(t.Context(), asks(name, "= "+v))
				if err == nil || !errs.Is(err, c.kind) || !strings.Contains(errs.Sentence(err), c.says) {
					t.Errorf("got %+v, %v (%s)", b, err, errs.KindOf(err))
				}
				if !strings.Contains(errs.Sentence(err), "which live/a/versions.tf:3 asked for") {
					t.Errorf("it does not say who asked: %v", err)
				}
				if _, err := os.Stat(filepath.Join(o.Dir, name, v)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("something is kept: %v", err)
				}
				if extra := strays(t, o.Dir); extra != "" {
					t.Errorf("left behind: %s", extra)
				}
			})
		}
	}
}

func TestThreat_DownloadsDoNotFillTheDisk(t *testing.T) {
	m := newMirror(t)
	now := time.Now()
	o := m.options(t)
	o.Keep, o.Now = 3, func() time.Time { return now }
	for _, v := range []string{"1.9.1", "1.9.2", "1.9.3", "1.9.4", "1.9.5"} {
		m.release(t, planner.ToolTerraform, v)
	}
	ask := func(v string) error {
		_, err := Open(o).Resolve(t.Context(), asks("terraform", "= "+v))
		return err
	}
	for _, v := range []string{"1.9.1", "1.9.2", "1.9.3"} {
		if err := ask(v); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	if err := ask("1.9.4"); !errs.Is(err, errs.TooLarge) || !strings.Contains(errs.Sentence(err), "The server keeps 3 downloaded versions") {
		t.Errorf("%v", err)
	}
	now = now.Add(24 * time.Hour)
	if err := ask("1.9.1"); err != nil { // used, so that it stays
		t.Fatal(err)
	}
	if err := ask("1.9.4"); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, i := range Open(o).downloaded("terraform") {
		have = append(have, i.Version)
	}
	slices.Sort(have)
	if !slices.Equal(have, []string{"1.9.1", "1.9.3", "1.9.4"}) {
		t.Errorf("%v", have)
	}
}
