package binaries

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"github.com/tidelock/tidelock/planner"
)

// mirror serves releases of both tools over TLS, in the form in which their
// makers publish them, signed by keys of its own.
type mirror struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked map[string]int
	// answer, where it is not nil, may answer instead and reports whether it did.
	answer func(w http.ResponseWriter, r *http.Request, content []byte) bool
	keys   map[string]*openpgp.Entity
}

// testKeys are made once: that takes a while.
var testKeys = sync.OnceValues(func() (map[string]*openpgp.Entity, error) {
	keys := map[string]*openpgp.Entity{}
	for _, name := range []string{planner.ToolTerraform, planner.ToolOpenTofu, "stranger"} {
		key, err := openpgp.NewEntity(name, "", name+"@example.com", nil)
		if err != nil {
			return nil, err
		}
		keys[name] = key
	}
	return keys, nil
})

func newMirror(t *testing.T) *mirror {
	t.Helper()
	m := &mirror{files: map[string][]byte{}, asked: map[string]int{}}
	var err error
	if m.keys, err = testKeys(); err != nil {
		t.Fatal(err)
	}
	m.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.asked[r.URL.Path]++
		content, ok := m.files[r.URL.Path]
		answer := m.answer
		m.mu.Unlock()
		if answer != nil && answer(w, r, content) {
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		switch filepath.Ext(r.URL.Path) {
		case ".json":
			w.Header().Set("Content-Type", "application/json")
		case ".zip":
			w.Header().Set("Content-Type", "application/zip")
		default:
			w.Header().Set("Content-Type", "application/octet-stream")
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(m.Close)
	return m
}

// program is a stand-in for a tool: it says its version, and is large enough
// to come in several pieces.
func program(title, version string) []byte {
	return []byte("#!/bin/sh\necho '" + title + " v" + version + "'\nexit 0\n" + strings.Repeat("# "+version+" is so long because a real one is too\n", 4000))
}

// release adds a version of a tool.
func (m *mirror) release(t *testing.T, name, version string) {
	t.Helper()
	m.put(t, name, version, program(planner.ToolTitle(name), version), name)
}

// put adds a version with the given content, its checksums signed by a key.
func (m *mirror) put(t *testing.T, name, version string, content []byte, signer string) {
	t.Helper()
	var archive bytes.Buffer
	base, file := "", ""
	if name == planner.ToolTerraform {
		z := zip.NewWriter(&archive)
		for path, text := range map[string][]byte{"LICENSE.txt": []byte("as it says"), "terraform": content} {
			w, err := z.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		base, file = "/terraform/"+version+"/terraform_"+version+"_", runtime.GOOS+"_"+runtime.GOARCH+".zip"
	} else {
		gz := gzip.NewWriter(&archive)
		w := tar.NewWriter(gz)
		for _, f := range []struct {
			path string
			text []byte
		}{{"README.md", []byte("as it says")}, {"tofu", content}} {
			if err := w.WriteHeader(&tar.Header{Name: f.path, Mode: 0o755, Size: int64(len(f.text)), Typeflag: tar.TypeReg}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(f.text); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := gz.Close(); err != nil {
			t.Fatal(err)
		}
		base, file = "/v"+version+"/tofu_"+version+"_", runtime.GOOS+"_"+runtime.GOARCH+".tar.gz"
	}
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), filepath.Base(base)+file)
	var sig bytes.Buffer
	if err := openpgp.DetachSign(&sig, m.keys[signer], strings.NewReader(sums), nil); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[base+file], m.files[base+"SHA256SUMS"] = archive.Bytes(), []byte(sums)
	m.files[base+map[string]string{planner.ToolTerraform: "SHA256SUMS.sig", planner.ToolOpenTofu: "SHA256SUMS.gpgsig"}[name]] = sig.Bytes()
	m.list(t, name, version)
}

// list adds a version to the indexes, in the form of the makers' own.
func (m *mirror) list(t *testing.T, name, version string) {
	t.Helper()
	marshal := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if name == planner.ToolOpenTofu {
		var index struct {
			Versions []map[string]any `json:"versions"`
		}
		if old := m.files["/api.json"]; old != nil {
			if err := json.Unmarshal(old, &index); err != nil {
				t.Fatal(err)
			}
		}
		index.Versions = append(index.Versions, map[string]any{"id": version, "files": []string{"tofu_" + version + "_SHA256SUMS"}})
		m.files["/api.json"] = marshal(index)
		return
	}
	prefix := "terraform_" + version + "_"
	entry := map[string]any{
		"name": "terraform", "version": version,
		"shasums": prefix + "SHA256SUMS", "shasums_signature": prefix + "SHA256SUMS.sig", "shasums_signatures": []string{prefix + "SHA256SUMS.72D7468F.sig", prefix + "SHA256SUMS.sig"},
		"builds": []map[string]any{{
			"name": "terraform", "version": version, "os": runtime.GOOS, "arch": runtime.GOARCH, "filename": prefix + runtime.GOOS + "_" + runtime.GOARCH + ".zip",
			// As it is at HashiCorp's: a mirror does not rewrite it.
			"url": "https://releases.hashicorp.com/terraform/" + version + "/" + prefix + runtime.GOOS + "_" + runtime.GOARCH + ".zip",
		}},
	}
	m.files["/terraform/"+version+"/index.json"] = marshal(entry)
	var index struct {
		Name     string                     `json:"name"`
		Versions map[string]json.RawMessage `json:"versions"`
	}
	if old := m.files["/terraform/index.json"]; old != nil {
		if err := json.Unmarshal(old, &index); err != nil {
			t.Fatal(err)
		}
	}
	if index.Versions == nil {
		index.Name, index.Versions = "terraform", map[string]json.RawMessage{}
	}
	index.Versions[version] = marshal(entry)
	m.files["/terraform/index.json"] = marshal(index)
}

// archive is where a version's archive stands.
func archivePath(name, version string) string {
	if name == planner.ToolTerraform {
		return fmt.Sprintf("/terraform/%s/terraform_%s_%s_%s.zip", version, version, runtime.GOOS, runtime.GOARCH)
	}
	return fmt.Sprintf("/v%s/tofu_%s_%s_%s.tar.gz", version, version, runtime.GOOS, runtime.GOARCH)
}

func (m *mirror) count(path string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[path]
}

// options are those of a store that downloads from the mirror.
func (m *mirror) options(t *testing.T) Options {
	t.Helper()
	armoured := func(name string) string {
		var b strings.Builder
		w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.keys[name].Serialize(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	return Options{
		Dir: filepath.Join(t.TempDir(), "tools"), Download: true, TerraformURL: m.URL, OpenTofuURL: m.URL + "/",
		TerraformKey: armoured(planner.ToolTerraform), OpenTofuKey: armoured(planner.ToolOpenTofu), Transport: m.Client().Transport, pause: time.Millisecond,
	}
}

// install puts a stand-in tool at a path and returns it.
func install(t *testing.T, title, version string, path ...string) string {
	t.Helper()
	full := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, program(title, version), 0o755); err != nil {
		t.Fatal(err)
	}
	return full
}
