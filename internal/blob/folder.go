package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// folder is a shelf on this machine's disk: a folder of each client, a file of
// each blob. A file is written and synced under another name first, then
// renamed, and its folder synced: a crash leaves the whole file or none.
type folder struct {
	root *os.Root // no reference leads out of it, whatever it says
}

// unfinished is the folder of blobs that are being written. No client has the
// name: it begins with a dot.
const unfinished = ".unfinished"

func openFolder(dir string) (shelf, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder of the blob store can't be made.")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder of the blob store can't be opened.")
	}
	f := folder{root}
	if err := f.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("open blob store: %w", err), root.Close())
	}
	return f, nil
}

func (f folder) close() error  { return f.root.Close() }
func (f folder) where() string { return f.root.Name() }

// sweep removes what a crash left half written. What is younger than a day may
// be another process's work.
func (f folder) sweep() error {
	if err := f.root.MkdirAll(unfinished, 0o700); err != nil {
		return err
	}
	entries, err := f.entries(unfinished)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < 24*time.Hour {
			continue // gone meanwhile, or fresh
		}
		if err := f.root.Remove(path.Join(unfinished, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (f folder) entries(name string) ([]fs.DirEntry, error) {
	dir, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.ReadDir(-1)
}

func (f folder) write(_ context.Context, client, ref string, fill func(io.Writer) error) (err error) {
	id, err := newID()
	if err != nil {
		return err
	}
	temp := path.Join(unfinished, id)
	defer func() {
		if err != nil {
			_ = f.root.Remove(temp) // the sweep of a later start finds it otherwise
		}
	}()
	file, err := f.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = fill(file)
	if err == nil {
		err = file.Sync()
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := f.root.MkdirAll(client, 0o700); err != nil {
		return err
	}
	name := path.Join(client, ref)
	_, fresh := f.root.Lstat(name)
	if err := f.root.Rename(temp, name); err != nil {
		return err
	}
	// The name is on the disk only once its folder is, and the folder's name
	// once the root is.
	if err := errors.Join(f.syncDir(client), f.syncDir(".")); err != nil {
		if errors.Is(fresh, fs.ErrNotExist) {
			_ = f.root.Remove(name) // nobody will know its reference
		}
		return err
	}
	return nil
}

func (f folder) syncDir(name string) error {
	d, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (f folder) read(_ context.Context, client, ref string) (io.ReadCloser, error) {
	file, err := f.root.Open(path.Join(client, ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, gone(err)
	}
	return file, err
}

func (f folder) head(ctx context.Context, client, ref string, n int) ([]byte, error) {
	file, err := f.read(ctx, client, ref)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, int64(n)))
}

func (f folder) remove(_ context.Context, client, ref string) error {
	if err := f.root.Remove(path.Join(client, ref)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (f folder) list(ctx context.Context, client string, each func(Item) error) error {
	clients, err := f.entries(".")
	if err != nil {
		return err
	}
	for _, c := range clients {
		if !c.IsDir() || c.Name() == unfinished || client != "" && c.Name() != client {
			continue
		}
		files, err := f.entries(c.Name())
		if err != nil {
			return err
		}
		for _, e := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue // gone meanwhile, or none of ours
			}
			if err := each(Item{c.Name(), e.Name(), info.Size(), info.ModTime()}); err != nil {
				return err
			}
		}
	}
	return nil
}
