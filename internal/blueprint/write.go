package blueprint

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/tidelock/tidelock/internal/errs"
)

// Write puts files into the folder dir, which it makes where there is none.
// What else is in the folder stays as it is. errs.Conflict lists every file
// that is there already, and then nothing is written; errs.Invalid tells paths
// that can't be written, or a dir that is no folder. After any other error
// nothing of it is left either.
func Write(dir string, files []File) (err error) {
	if err := checkPaths(files); err != nil {
		return err
	}
	made, err := makeFolder(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			for _, d := range slices.Backward(made) {
				_ = os.Remove(d) // goes only while it is empty
			}
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "The folder can't be opened.")
	}
	defer root.Close()
	if err := conflicts(root, files); err != nil {
		return err
	}
	w := &writer{root: root, stage: ".tidelock-init-" + rand.Text()}
	if err = w.write(files); err != nil {
		w.takeBack()
	}
	return err
}

// checkPaths refuses what no repository may hold. Rendered files pass; the
// check is for whoever calls Write with others.
func checkPaths(files []File) error {
	var problems []string
	seen := map[string]bool{}
	for _, f := range files {
		first, _, _ := strings.Cut(f.Path, "/")
		switch {
		case !fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsAny(f.Path, "\\\x00") || strings.EqualFold(first, ".git"):
			problems = append(problems, quote(f.Path)+" is no path of a file in a repository.")
		case seen[f.Path]:
			problems = append(problems, quote(f.Path)+" is there twice.")
		}
		seen[f.Path] = true
	}
	if len(problems) > 0 {
		return errs.New(errs.Invalid, "%s", strings.Join(problems, "\n"))
	}
	return nil
}

// makeFolder makes dir with the folders above it and returns those that it
// made, the outermost first.
func makeFolder(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	slices.Reverse(missing)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		for _, d := range slices.Backward(missing) {
			_ = os.Remove(d)
		}
		return nil, errs.Wrap(errs.Invalid, err, "The folder can't be made.")
	}
	return missing, nil
}

// conflicts tells everything that stands in the way, at once.
func conflicts(root *os.Root, files []File) error {
	var problems []string
	told := map[string]bool{}
	say := func(p, what string) {
		if !told[p] {
			told[p] = true
			problems = append(problems, p+" "+what)
		}
	}
	for _, f := range files {
		clear := true
		for _, parent := range parents(f.Path) {
			info, err := root.Lstat(parent)
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return fmt.Errorf("look at %s: %w", parent, err)
			}
			if !info.IsDir() { // a link, too: it may lead to somebody else's folder
				say(parent, "should be a folder, and is none.")
				clear = false
				break
			}
		}
		if !clear {
			continue
		}
		switch _, err := root.Lstat(f.Path); {
		case err == nil:
			say(f.Path, "is there already.")
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("look at %s: %w", f.Path, err)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return errs.New(errs.Conflict, "Nothing was written, since nothing is overwritten:\n%s", strings.Join(problems, "\n"))
}

// parents returns the folders above p, the outermost first.
func parents(p string) []string {
	var all []string
	for d := path.Dir(p); d != "."; d = path.Dir(d) {
		all = append(all, d)
	}
	slices.Reverse(all)
	return all
}

// writer writes one set of files, and remembers what to take back.
type writer struct {
	root    *os.Root
	stage   string   // the folder in which files become whole
	folders []string // that were made, outer before inner
	placed  []string
}

// write stages every file before it places the first, so that a full disk is
// met while nothing is to be seen yet.
func (w *writer) write(files []File) error {
	if err := w.root.Mkdir(w.stage, 0o700); err != nil {
		return errs.Wrap(errs.Invalid, err, "Nothing can be written to the folder.")
	}
	for i, f := range files {
		if err := w.put(w.staged(i), f.Data); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	for i, f := range files {
		if err := w.place(w.staged(i), f.Path); err != nil {
			return err
		}
	}
	// All is in place. A stage that can't be removed does no harm, and taking
	// everything back for it would.
	_ = w.root.RemoveAll(w.stage)
	return nil
}

func (w *writer) staged(i int) string { return w.stage + "/" + strconv.Itoa(i) }

func (w *writer) put(name string, data []byte) error {
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// place moves a staged file to where it belongs. A link comes first, since a
// rename would replace a file that somebody has made since conflicts looked.
func (w *writer) place(staged, target string) error {
	for _, d := range parents(target) {
		switch err := w.root.Mkdir(d, 0o755); {
		case err == nil:
			w.folders = append(w.folders, d)
		case !errors.Is(err, fs.ErrExist):
			return fmt.Errorf("make %s: %w", d, err)
		}
	}
	err := w.root.Link(staged, target)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) { // no links on this file system
		if _, err = w.root.Lstat(target); errors.Is(err, fs.ErrNotExist) {
			err = w.root.Rename(staged, target)
		} else if err == nil {
			err = fs.ErrExist
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return errs.New(errs.Conflict, "%s appeared meanwhile, so nothing was written.", target)
	}
	if err != nil {
		return fmt.Errorf("place %s: %w", target, err)
	}
	w.placed = append(w.placed, target)
	return nil
}

// takeBack removes what was written, as far as that can be done.
func (w *writer) takeBack() {
	for _, p := range w.placed {
		_ = w.root.Remove(p)
	}
	for _, d := range slices.Backward(w.folders) {
		_ = w.root.Remove(d) // goes only while it is empty
	}
	_ = w.root.RemoveAll(w.stage)
}

// quote shows text that others gave, cut where it is long.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
