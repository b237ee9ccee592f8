package checkout

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
)

// A record says of each file of a work tree what was written and how the kernel
// described the file then. It stands beside the tree, out of the reach of what
// runs in the tree.
//
// A file that still has its stamp has its content: the kernel sets the time of
// change at every write, at every change of the time of modification and at
// every rename, and lets nobody but who sets the machine's clock choose it.
// Only a change within the same tick of the file system's clock could go
// unseen, so the content of a file that is not older than the record is looked
// at too; git does the same with its index.
type record struct {
	files map[string]written // by path
}

type written struct {
	hash  plumbing.Hash
	lfs   bool // it is a pointer of Git LFS
	stamp stamp
	young bool // not older than the record: the stamp alone proves nothing
}

// stamp tells a file from one that took its place, and from what it was before
// somebody touched it. Times are nanoseconds of the file system's clock.
type stamp struct {
	inode             uint64
	size              int64
	mode              uint32
	modified, changed int64
}

// recordOf is where the record of the tree in dir stands.
func recordOf(dir string) string { return filepath.Clean(dir) + ".record" }

// recordMagic begins a record, and changes with its form.
const recordMagic = "tidelock work tree 1\n"

// maxRecord bounds the bytes of a record that is read.
const maxRecord = 512 << 20

// readRecord returns the record of the tree in dir; an empty one where there is
// none, or none that can be used, so that all of the tree is written.
func readRecord(dir string) *record {
	r := &record{files: map[string]written{}}
	path := recordOf(dir)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > maxRecord {
		return r
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) < len(recordMagic)+sha256.Size {
		return r
	}
	text, sum := text[:len(text)-sha256.Size], text[len(text)-sha256.Size:]
	if got := sha256.Sum256(text); !bytes.Equal(got[:], sum) || !bytes.HasPrefix(text, []byte(recordMagic)) {
		return r
	}
	d := decoder{rest: text[len(recordMagic):]}
	made := d.int()
	for len(d.rest) > 0 && !d.short {
		name := string(d.bytes(int(d.int())))
		var w written
		copy(w.hash[:], d.bytes(len(w.hash)))
		w.lfs = d.int() != 0
		w.stamp = stamp{uint64(d.int()), d.int(), uint32(d.int()), d.int(), d.int()}
		w.young = w.stamp.changed >= made
		r.files[name] = w
	}
	if d.short {
		return &record{files: map[string]written{}}
	}
	return r
}

type decoder struct {
	rest  []byte
	short bool // there was less than was asked for
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.rest, d.short = nil, true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes(n int) []byte {
	if n < 0 || n > len(d.rest) {
		d.rest, d.short = nil, true
		return nil
	}
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out
}

// save puts the record in place. Call it when all is written: from then on the
// files that are older than the record are known by their stamps.
func (r *record) save(dir string) error {
	f, err := os.CreateTemp(filepath.Dir(recordOf(dir)), "tmp_")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone from there when all went well
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// The file system's own clock, not ours, which may run ahead of it.
	text := binary.AppendVarint([]byte(recordMagic), info.ModTime().UnixNano())
	for name, w := range r.files {
		text = binary.AppendVarint(text, int64(len(name)))
		text = append(text, name...)
		text = append(text, w.hash[:]...)
		lfs := int64(0)
		if w.lfs {
			lfs = 1
		}
		for _, n := range []int64{lfs, int64(w.stamp.inode), w.stamp.size, int64(w.stamp.mode), w.stamp.modified, w.stamp.changed} {
			text = binary.AppendVarint(text, n)
		}
	}
	sum := sha256.Sum256(text)
	_, err = f.Write(append(text, sum[:]...))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), recordOf(dir))
}
