package desk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// copyTree writes into a folder, which is made, what Terraform may read of the
// tree to plan the projects: of a large repository that is little.
func copyTree(tree fs.FS, projects []planner.Project, into string) error {
	if err := os.MkdirAll(into, 0o700); err != nil {
		return fmt.Errorf("copy the work tree: %w", err)
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		return fmt.Errorf("copy the work tree: %w", err)
	}
	defer root.Close()
	c := copier{tree: tree, into: root, placed: map[string]bool{}}
	for _, p := range projects {
		if err := c.dir(p.Dir); err != nil {
			return fmt.Errorf("copy the work tree: %w", err)
		}
		names, err := planner.Inputs(tree, p)
		if err != nil {
			return err
		}
		refused, err := planner.Forbidden(tree, p.Dir) // so that it is refused in the copy too
		if err != nil {
			return err
		}
		for _, r := range refused {
			names = append(names, r.Path)
		}
		for _, name := range names {
			if err := c.place(name, 0); err != nil {
				return fmt.Errorf("copy %s: %w", name, err)
			}
		}
	}
	return nil
}

// copier copies out of a tree.
type copier struct {
	tree   fs.FS
	into   *os.Root
	placed map[string]bool
}

func (c *copier) dir(name string) error {
	if c.placed[name] {
		return nil
	}
	c.placed[name] = true
	return c.into.MkdirAll(filepath.FromSlash(name), 0o755)
}

// place copies a file, and on the way to it every link, with what that leads
// to. What is not there is passed over.
func (c *copier) place(name string, hops int) error {
	if c.placed[name] {
		return nil
	}
	if hops > maxHops {
		return errs.New(errs.Invalid, "The symbolic links to %s lead in a circle.", name)
	}
	for at := name; at != "."; at = path.Dir(at) {
		info, err := fs.Lstat(c.tree, at)
		if errors.Is(err, fs.ErrNotExist) || errs.Is(err, errs.NotFound) {
			continue // below a link, or missing
		}
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := c.link(at)
		if err != nil {
			return err
		}
		beyond := path.Join(path.Dir(at), target)
		if rest := name[len(at):]; rest != "" {
			beyond = path.Join(beyond, rest)
		}
		if !fs.ValidPath(beyond) {
			return nil // it leads out, which checkout refuses
		}
		return c.place(beyond, hops+1)
	}
	c.placed[name] = true
	info, err := fs.Stat(c.tree, name)
	if errors.Is(err, fs.ErrNotExist) || errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return c.into.MkdirAll(filepath.FromSlash(name), 0o755)
	}
	if err := c.dir(path.Dir(name)); err != nil {
		return err
	}
	content, err := fs.ReadFile(c.tree, name)
	if err != nil {
		return err
	}
	return c.into.WriteFile(filepath.FromSlash(name), content, info.Mode().Perm())
}

// maxHops is how many links may lead to a file.
const maxHops = 40

// link copies a link and returns where it leads.
func (c *copier) link(name string) (string, error) {
	target, err := fs.ReadLink(c.tree, name)
	if err != nil || c.placed[name] {
		return target, err
	}
	c.placed[name] = true
	if err := c.dir(path.Dir(name)); err != nil {
		return "", err
	}
	return target, c.into.Symlink(filepath.FromSlash(target), filepath.FromSlash(name))
}

// ignoredInputs returns the files beside a project's code that Terraform would
// read at the desk, and that are not in the tree: the bot won't have them.
func ignoredInputs(tree fs.FS, root string, p planner.Project) []string {
	dir := filepath.Join(root, filepath.FromSlash(p.Dir))
	var out []string
	for _, pattern := range []string{"terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json", "*.tf", "*.tf.json", ".terraform.lock.hcl"} {
		files, _ := filepath.Glob(filepath.Join(quoteGlob(dir), pattern)) // the pattern is ours
		for _, f := range files {
			name := path.Join(p.Dir, filepath.Base(f))
			if _, err := fs.Lstat(tree, name); err != nil && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// quoteGlob makes a path mean itself in a pattern.
func quoteGlob(s string) string {
	var out []byte
	for i := range len(s) {
		if s[i] == '*' || s[i] == '?' || s[i] == '[' || s[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return string(out)
}
