package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// InputsDigest returns a hash, 64 hex digits, of everything in the repository
// that shapes a project's plan: where it is equal for two commits, and the
// state is the same, so is the plan. It covers the project's directory and
// its local modules with all below them, its variable files, the files its
// code reads and those it watches, its workspace, which tool it asks for, and
// what its configuration gives to its runs; where the code does not tell which files it reads, the
// whole tree. It may differ where nothing that
// matters does.
//
// p is what Discover found in the same tree.
func InputsDigest(fsys fs.FS, p Project) (string, error) {
	names, err := Inputs(fsys, p)
	if err != nil {
		return "", err
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
	if p.Kind != "" || p.SourceDir != "" || !p.Secrets.Empty() {
		made, err := json.Marshal([]any{p.Kind, p.SourceDir, p.Secrets}) // secrets by name, never by value
		if err != nil {
			return "", fmt.Errorf("digest of project %s: %w", p.Name, err)
		}
		fmt.Fprintf(h, "%s\n", made)
	}
	if len(p.ReadsState) > 0 {
		fmt.Fprintf(h, "reads %q\n", p.ReadsState)
	}
	if asked := p.Tool.asked(); asked != "" {
		fmt.Fprintf(h, "tool %s\n", asked)
	}
	for _, name := range names {
		if err := hashFile(h, fsys, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Inputs returns the files of the repository that shape a project's plan,
// sorted: what InputsDigest covers. A link is among them by its own name.
func Inputs(fsys fs.FS, p Project) ([]string, error) {
	files := map[string]bool{}
	dirs := append([]string{p.Dir}, p.Modules...)
	if p.WholeTree {
		dirs = []string{"."}
	}
	for _, dir := range dirs {
		if err := below(fsys, dir, files); err != nil {
			return nil, err
		}
	}
	for _, f := range p.VarFiles {
		files[f] = true
	}
	// Another drift is no other code, but nobody wants the plan from before it.
	if report := DriftReport(p); isFile(fsys, report) {
		files[report] = true
	}
	if !p.WholeTree {
		for _, pattern := range append(append([]string(nil), p.Files...), p.Watch...) {
			if err := globFiles(fsys, pattern, func(name string) error { files[name] = true; return nil }); err != nil {
				return nil, fmt.Errorf("match %q: %w", pattern, err)
			}
		}
	}
	return slices.Sorted(maps.Keys(files)), nil
}

// globFiles calls f for each file that the pattern names. Links to directories
// are not entered.
func globFiles(fsys fs.FS, pattern string, f func(name string) error) error {
	return doublestar.GlobWalk(fsys, pattern, func(name string, _ fs.DirEntry) error { return f(name) },
		doublestar.WithFilesOnly(), doublestar.WithNoFollow())
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
		if n := path.Base(full); n != BackendOverride && n != ReadsOverride { // our own, where a run left it
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
	sum, err := contentSum(fsys, name)
	if err != nil {
		return err
	}
	exec := "-"
	if info.Mode()&0o100 != 0 && !strings.HasSuffix(name, ".tf") {
		exec = "x"
	}
	fmt.Fprintf(h, "%q link %q %s %x\n", name, link, exec, sum)
	return nil
}

// contentSum returns the SHA-256 of a file. One that was worked out before is
// not read again.
func contentSum(fsys fs.FS, name string) ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	memory, _ := fsys.(remembering)
	key := ""
	if memory != nil {
		if hash := memory.ContentHash(name); hash != "" {
			key = "sha256 " + hash
			if known, ok := memory.Recall(key); ok {
				return known.([sha256.Size]byte), nil
			}
		}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return sum, fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("read %s: %w", name, err)
	}
	h.Sum(sum[:0])
	if key != "" {
		memory.Remember(key, sum, 160)
	}
	return sum, nil
}
