package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// InputsDigest returns a hash, 64 hex digits, of everything in the repository
// that shapes a project's plan: where it is equal for two commits, and the
// state is the same, so is the plan. It covers the project's directory and
// its local modules with all below them, its variable files, the files its
// code reads and those it watches, its workspace and what its configuration
// gives to its runs; where the code does not tell which files it reads, the
// whole tree. It may differ where nothing that
// matters does.
//
// p is what Discover found in the same tree.
func InputsDigest(fsys fs.FS, p Project) (string, error) {
	files := map[string]bool{}
	dirs := append([]string{p.Dir}, p.Modules...)
	if p.WholeTree {
		dirs = []string{"."}
	}
	for _, dir := range dirs {
		if err := below(fsys, dir, files); err != nil {
			return "", err
		}
	}
	for _, f := range p.VarFiles {
		files[f] = true
	}
	if !p.WholeTree {
		for _, pattern := range append(append([]string(nil), p.Files...), p.Watch...) {
			matches, err := doublestar.Glob(fsys, pattern, doublestar.WithFilesOnly(), doublestar.WithNoFollow())
			if err != nil {
				return "", fmt.Errorf("match %q: %w", pattern, err)
			}
			for _, m := range matches {
				files[m] = true
			}
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "tidelock inputs 1\n%q %q %q\n", p.Dir, p.Workspace, p.VarFiles)
	if len(p.Env) > 0 || len(p.Hooks) > 0 || !p.Options.Empty() {
		// What the configuration adds shapes the plan too. JSON sorts the map.
		given, err := json.Marshal([]any{p.Env, p.Hooks, p.Options})
		if err != nil {
			return "", fmt.Errorf("digest of project %s: %w", p.Name, err)
		}
		fmt.Fprintf(h, "%s\n", given)
	}
	names := make([]string, 0, len(files))
	for f := range files {
		names = append(names, f)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := hashFile(h, fsys, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// below notes every file below dir but those of Git and of Terraform's own
// working directories.
func below(fsys fs.FS, dir string, files map[string]bool) error {
	err := fs.WalkDir(fsys, dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			if full == dir && errors.Is(err, fs.ErrNotExist) {
				return nil // a module that is not there
			}
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n == ".git" || n == ".terraform" {
				return fs.SkipDir
			}
			return nil
		}
		if path.Base(full) != backendOverride { // our own, where a run left it
			files[full] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	return nil
}

// hashFile writes a file's name and content to h, or that it can't be read.
// What a link leads to counts as its content; a link to a directory counts by
// its text.
func hashFile(h io.Writer, fsys fs.FS, name string) error {
	link := ""
	if info, err := fs.Lstat(fsys, name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if link, err = fs.ReadLink(fsys, name); err != nil {
			return fmt.Errorf("read link %s: %w", name, err)
		}
	}
	info, err := fs.Stat(fsys, name)
	if err != nil || !info.Mode().IsRegular() {
		fmt.Fprintf(h, "%q link %q nothing\n", name, link)
		return nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	exec := "-"
	if info.Mode()&0o100 != 0 && !strings.HasSuffix(name, ".tf") {
		exec = "x"
	}
	fmt.Fprintf(h, "%q link %q %s %x\n", name, link, exec, sum.Sum(nil))
	return nil
}
