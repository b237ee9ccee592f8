package checkout

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// RemoveTree deletes the work tree in dir and its record, whatever a run left
// in it: folders that deny writing, or that stand in each other deeper than a
// process can have files open, which stop os.RemoveAll. Nothing is done where
// there is none. No other work may go on in the tree.
func RemoveTree(dir string) error {
	parent, err := os.OpenRoot(filepath.Dir(filepath.Clean(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove a work tree: %w", err)
	}
	defer parent.Close()
	name := filepath.Base(filepath.Clean(dir))
	for _, n := range []string{name, name + ".partial", filepath.Base(recordOf(dir))} {
		if err := remove(parent, n); err != nil {
			return fmt.Errorf("remove a work tree: %w", err)
		}
	}
	return nil
}

// remove deletes what stands under a name in the folder, never following a
// link. The folders in a folder's folders are moved up into it before those are
// deleted, so that a handful of open files is enough, however deep they stand.
func remove(in *os.Root, name string) error {
	info, err := in.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return in.Remove(name)
	}
	if err := loosen(in, name); err != nil {
		return err
	}
	top, err := in.OpenRoot(name)
	if err != nil {
		return err
	}
	defer top.Close()
	moved := 0
	for {
		entries, err := readDir(top, ".")
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return in.Remove(name)
		}
		for _, e := range entries {
			if e.IsDir() {
				if err := lift(top, e.Name(), &moved); err != nil {
					return err
				}
			}
			if err := top.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
}

// lift empties a folder: its folders go up into the top one under new names.
func lift(top *os.Root, name string, moved *int) error {
	if err := loosen(top, name); err != nil {
		return err
	}
	entries, err := readDir(top, name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := filepath.Join(name, e.Name())
		if err := top.Remove(at); err == nil || !e.IsDir() {
			if err != nil {
				return err
			}
			continue
		}
		if err := loosen(top, at); err != nil { // who may not write in a folder can't move it
			return err
		}
		up := ""
		for up == "" || exists(top, up) {
			*moved++
			up = strconv.Itoa(*moved)
		}
		if err := top.Rename(at, up); err != nil {
			return err
		}
	}
	return nil
}

// loosen gives the folder's owner all rights to it.
func loosen(in *os.Root, name string) error {
	info, err := in.Lstat(name)
	if err != nil || info.Mode().Perm()&0o700 == 0o700 {
		return err
	}
	return in.Chmod(name, 0o700)
}

func exists(in *os.Root, name string) bool {
	_, err := in.Lstat(name)
	return err == nil
}

// readDir returns what a folder holds, in no order.
func readDir(in *os.Root, name string) ([]fs.DirEntry, error) {
	f, err := in.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}
