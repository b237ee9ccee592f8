package providers

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// bounds are those of one package, unpacked. A provider is a program and few
// files beside it; the largest known have about 1 GB.
type bounds struct {
	bytes   int64 // of all files
	entries int
	ratio   int64 // of the unpacked to the packed bytes, above slack
	slack   int64
	room    func() error // asked while it is unpacked; nil for never
}

var usualBounds = bounds{bytes: 4 << 30, entries: 10_000, ratio: 40, slack: 64 << 20}

// unpack writes the files of a package into dir, which is empty. No entry
// leads out of it, none is a link, and what the package says of its sizes is
// not believed. Programs get the mode 0555, all else 0444.
func unpack(archive, dir string, b bounds) (files int, size int64, err error) {
	z, closeArchive, err := openZip(archive)
	if err != nil {
		return 0, 0, err
	}
	defer closeArchive()
	packed, err := os.Stat(archive)
	if err != nil {
		return 0, 0, err
	}
	if len(z.File) > b.entries {
		return 0, 0, errs.New(errs.TooLarge, "It has %d entries, more than the %d that are unpacked.", len(z.File), b.entries)
	}
	most := min(b.bytes, max(b.slack, packed.Size()*b.ratio))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, 0, err
	}
	defer root.Close()
	to := &roomy{room: b.room}
	for _, f := range z.File {
		name, isDir, err := entryName(f)
		if err != nil {
			return 0, 0, err
		}
		if isDir {
			if err := root.MkdirAll(name, 0o755); err != nil {
				return 0, 0, wrongEntry(f, err)
			}
			continue
		}
		if parent := filepath.Dir(name); parent != "." {
			if err := root.MkdirAll(parent, 0o755); err != nil {
				return 0, 0, wrongEntry(f, err)
			}
		}
		n, err := unpackFile(root, f, name, most-size, to)
		if err != nil {
			return 0, 0, err
		}
		files++
		size += n
	}
	return files, size, nil
}

// maxDirectory bounds what is read of an archive to learn its entries, in
// bytes. The library has all of them in memory before their number is known,
// and what the archive says of it is not to be believed.
const maxDirectory = 8 << 20

// openZip opens an archive that somebody else made.
func openZip(name string) (z *zip.Reader, closeFile func() error, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	r := &directory{ReaderAt: f, left: maxDirectory}
	if z, err = zip.NewReader(r, info.Size()); err != nil {
		if !errs.Is(err, errs.TooLarge) {
			err = errs.Wrap(errs.Invalid, err, "It is not a ZIP archive.")
		}
		return nil, nil, errors.Join(err, f.Close())
	}
	r.open = true
	return z, f.Close, nil
}

// directory reads at most so much until the archive is open.
type directory struct {
	io.ReaderAt
	left int
	open bool
}

func (d *directory) ReadAt(p []byte, at int64) (int, error) {
	if d.open {
		return d.ReaderAt.ReadAt(p, at)
	}
	if d.left -= len(p); d.left < 0 {
		return 0, errs.New(errs.TooLarge, "The list of its entries has more than the %d bytes that are read.", maxDirectory)
	}
	return d.ReaderAt.ReadAt(p, at)
}

// entryName returns where an entry belongs.
func entryName(f *zip.File) (name string, isDir bool, err error) {
	name, isDir = strings.CutSuffix(f.Name, "/")
	mode := f.Mode()
	bad := strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f })
	switch {
	case bad, !fs.ValidPath(name), name == ".", !filepath.IsLocal(filepath.FromSlash(name)):
		return "", false, errs.New(errs.Invalid, "Its entry %q would not stay in its folder.", f.Name)
	case isDir && (mode.IsDir() || mode.IsRegular()), !isDir && mode.IsRegular():
		return filepath.FromSlash(name), isDir, nil
	}
	return "", false, errs.New(errs.Invalid, "Its entry %q is neither a file nor a folder.", f.Name)
}

func wrongEntry(f *zip.File, err error) error {
	if errors.Is(err, fs.ErrExist) || strings.Contains(err.Error(), "not a directory") {
		return errs.Wrap(errs.Invalid, err, "Its entry %q is there twice.", f.Name)
	}
	return fmt.Errorf("unpack %s: %w", f.Name, err)
}

func unpackFile(root *os.Root, f *zip.File, name string, most int64, to *roomy) (int64, error) {
	tooLarge := func() error {
		return errs.New(errs.TooLarge, "Its files are too large: they have more bytes together than are unpacked of a package of its size.")
	}
	if f.UncompressedSize64 > uint64(most) {
		return 0, tooLarge()
	}
	in, err := f.Open()
	if err != nil {
		return 0, errs.Wrap(errs.Invalid, err, "Its entry %q can't be unpacked.", f.Name)
	}
	defer in.Close()
	mode := fs.FileMode(0o444)
	if f.Mode()&0o111 != 0 || strings.HasPrefix(path.Base(f.Name), "terraform-provider-") {
		mode = 0o555
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, wrongEntry(f, err)
	}
	to.w = out
	n, err := io.Copy(to, io.LimitReader(in, most+1))
	if err == nil && n > most {
		err = tooLarge()
	} else if errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errs.Wrap(errs.Invalid, err, "Its entry %q is damaged.", f.Name)
	}
	if err == nil {
		err = out.Chmod(mode)
	}
	return n, errors.Join(err, out.Close())
}

// hasProgram reports whether an unpacked package holds what Terraform starts.
func hasProgram(dir, typ string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), "terraform-provider-"+typ) {
			return true
		}
	}
	return false
}
