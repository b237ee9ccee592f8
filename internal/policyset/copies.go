package policyset

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tidelock/tidelock/internal/policy"
)

// snapshot is the files of a pack, which never change.
type snapshot struct {
	files  map[string][]byte
	digest string // of the names and bytes of all files
	fs     fs.FS
}

// newSnapshot takes files over. Their reader is a ZIP in memory: an fs.FS that
// knows its folders.
func newSnapshot(files map[string][]byte) (*snapshot, error) {
	sum := sha256.New()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range sorted(files) {
		fmt.Fprintf(sum, "%d %s %d\n%s", len(name), name, len(files[name]), files[name])
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		return nil, err
	}
	return &snapshot{files: files, digest: hex.EncodeToString(sum.Sum(nil)), fs: r}, nil
}

// copied is a good copy of what a source held.
type copied struct {
	*snapshot
	about
}

// about is what is known of a copy. It is stored as JSON.
type about struct {
	Digest    string    `json:"digest"`
	Revision  string    `json:"revision,omitempty"` // commit, digest of a manifest or hash of an archive
	Version   string    `json:"version,omitempty"`  // what the bundle says of itself
	Signed    bool      `json:"signed,omitempty"`
	Key       string    `json:"key,omitempty"` // hash of the key that it was checked by
	ETag      string    `json:"etag,omitempty"`
	Fetched   time.Time `json:"fetched"`   // when this content came
	Confirmed time.Time `json:"confirmed"` // when the source last said that it is still so
}

// copies keeps good copies over restarts, in a folder: contents by digest, and
// of each source which of them is its own. Where dir is "" nothing is kept.
type copies struct{ dir string }

func (c copies) aboutFile(key string) string { return filepath.Join(c.dir, "sources", key+".json") }
func (c copies) contentFile(digest string) string {
	return filepath.Join(c.dir, "contents", digest+".zip")
}

// save keeps a copy as the source's. A crash leaves the old one or the new.
func (c copies) save(key string, copy *copied) error {
	if c.dir == "" {
		return nil
	}
	file := c.contentFile(copy.digest)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		for _, name := range sorted(copy.files) {
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write(copy.files[name])
			}
			if err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		if err := replace(file, buf.Bytes()); err != nil {
			return err
		}
	}
	return c.saveAbout(key, copy.about)
}

func (c copies) saveAbout(key string, a about) error {
	if c.dir == "" {
		return nil
	}
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return replace(c.aboutFile(key), text)
}

// load returns the source's last good copy; nil where there is none that is
// whole.
func (c copies) load(key string) *copied {
	if c.dir == "" {
		return nil
	}
	var a about
	text, err := os.ReadFile(c.aboutFile(key))
	if err != nil || json.Unmarshal(text, &a) != nil || !isSHA256(a.Digest) {
		return nil
	}
	z, err := zip.OpenReader(c.contentFile(a.Digest))
	if err != nil {
		return nil
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			return nil
		}
		files[f.Name], err = io.ReadAll(io.LimitReader(in, policy.MaxBundle*4))
		in.Close()
		if err != nil {
			return nil
		}
	}
	got, err := newSnapshot(files)
	if err != nil || got.digest != a.Digest { // a crash or a disk damaged it: it is fetched again
		return nil
	}
	return &copied{got, a}
}

// sweep deletes the contents and notes of sources that are no more. keys are
// those that are.
func (c copies) sweep(keys map[string]bool) error {
	if c.dir == "" {
		return nil
	}
	used := map[string]bool{}
	notes, err := os.ReadDir(filepath.Join(c.dir, "sources"))
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, e := range notes {
		name := e.Name()
		key := name[:len(name)-len(filepath.Ext(name))]
		file := filepath.Join(c.dir, "sources", name)
		if !keys[key] {
			if err := os.Remove(file); err != nil {
				return err
			}
			continue
		}
		var a about
		if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &a) == nil {
			used[a.Digest+".zip"] = true
		}
	}
	contents, err := os.ReadDir(filepath.Join(c.dir, "contents"))
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, e := range contents {
		if !used[e.Name()] {
			if err := os.Remove(filepath.Join(c.dir, "contents", e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// replace writes a file whole or not at all.
func replace(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // is gone where all went well
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
