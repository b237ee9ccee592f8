package planner

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// scanned is what one look at a tree found. It holds nothing of the
// configuration, may be shared by several who discover, and is never changed.
type scanned struct {
	modules    map[string]*module
	called     map[string]bool       // directories that code elsewhere calls, links followed
	links      map[string]string     // symbolic links: path → target
	wishes     map[string][]toolWish // directories in which a file names versions of tools, and what it says
	units      map[string]*unit      // Terragrunt's, by directory
	unitFiles  []string
	clashes    []clash
	submodules []string // paths that .gitmodules names, sorted
	lfs        bool     // some .gitattributes sends files to Git LFS
}

// clash is two names in one directory that differ by case alone.
type clash struct{ dir, a, b string }

// scan reads all directories that hold Terraform code, or something that they
// must not hold. A file system that remembers is asked first.
func scan(fsys fs.FS) (*scanned, error) {
	memory, _ := fsys.(remembering)
	key := ""
	if memory != nil {
		if hash := memory.ContentHash("."); hash != "" {
			key = "scan " + hash
			if s, ok := memory.Recall(key); ok {
				return s.(*scanned), nil
			}
		}
	}
	w := walker{fsys: fsys, budget: maxCode, found: &scanned{modules: map[string]*module{}, called: map[string]bool{}, links: map[string]string{}, wishes: map[string][]toolWish{}}}
	if err := w.walk("."); err != nil {
		return nil, fmt.Errorf("read the work tree: %w", err)
	}
	s := w.found
	if text, err := fs.ReadFile(fsys, ".gitmodules"); err == nil {
		s.submodules = submodulePaths(string(text))
	}
	weight := 1024 + 64*len(s.links) + 256*len(s.wishes)
	for _, m := range s.modules {
		m.assemble()
		weight += 512 + 96*len(m.parts) + 96*len(m.calls) + 64*len(m.refs)
	}
	s.linkedFiles(fsys)
	s.units = units(fsys, s.unitFiles)
	for _, u := range s.units {
		weight += 512 + 96*len(u.reads) + 96*len(u.depends)
		if dir, _, ok := s.resolve(u.source); ok && u.source != "" {
			s.called[dir] = true
		}
	}
	for _, m := range s.modules {
		for _, c := range m.calls {
			if dir, _, ok := s.resolve(c.dir); ok && dir != m.dir {
				s.called[dir] = true
			}
		}
	}
	if key != "" {
		memory.Remember(key, s, weight)
	}
	return s, nil
}

type walker struct {
	fsys    fs.FS
	found   *scanned
	entries int
	budget  int64
}

func (w *walker) walk(dir string) error {
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return err
	}
	if w.entries += len(entries); w.entries > maxEntries {
		return errs.New(errs.TooLarge, "The repository has more than %d files and directories.", maxEntries)
	}
	s := w.found
	get := func() *module {
		if s.modules[dir] == nil {
			s.modules[dir] = &module{dir: dir}
		}
		return s.modules[dir]
	}
	s.noteClashes(dir, entries)
	for _, d := range entries {
		name := d.Name()
		full := path.Join(dir, name)
		if _, ok := forbiddenNames[name]; ok {
			get().forbidden = append(get().forbidden, name)
		}
		if d.IsDir() {
			if strings.HasPrefix(name, ".") {
				continue
			}
			if err := w.walk(full); err != nil {
				return err
			}
			continue
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if target, err := fs.ReadLink(w.fsys, full); err == nil {
				s.links[full] = target
			}
		}
		switch {
		case name == UnitFile:
			s.unitFiles = append(s.unitFiles, full)
		case name == "terraform.tfstate":
			get().tfstate = true
		case isToolFile(name):
			w.toolFile(dir, name)
		case name == ".gitattributes":
			text, err := fs.ReadFile(w.fsys, full)
			s.lfs = s.lfs || err == nil && strings.Contains(string(text), "filter=lfs")
		case codeFile(name):
			m := get()
			m.files++
			m.parts = append(m.parts, piece{name, readFile(w.fsys, full, &w.budget)})
		}
	}
	return nil
}

// toolFile reads a file that names versions. What can't be read names none.
func (w *walker) toolFile(dir, name string) {
	full := path.Join(dir, name)
	info, err := fs.Stat(w.fsys, full) // not the link, where it is one
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	var text []byte
	if info.Size() <= maxToolFile { // else it is told that it is too large
		if text, err = fs.ReadFile(w.fsys, full); err != nil {
			return
		}
	}
	if list := readToolFile(full, string(text), info.Size() > maxToolFile); list != nil {
		// ReadDir sorts: .opentofu-version comes before .terraform-version,
		// and that before .tool-versions. The first that speaks of the tool
		// counts.
		w.found.wishes[dir] = append(w.found.wishes[dir], list...)
	}
}

// wish returns what the version file says that is nearest to a directory, in it
// or above, and speaks of the tool, "" for any.
func (s *scanned) wish(dir, tool string) (toolWish, bool) {
	if len(s.wishes) == 0 {
		return toolWish{}, false
	}
	for ; ; dir = path.Dir(dir) {
		for _, w := range s.wishes[dir] {
			if tool == "" || w.name == tool {
				return w, true
			}
		}
		if dir == "." {
			return toolWish{}, false
		}
	}
}

// noteClashes notes names that a file system which does not tell upper from
// lower case can't hold beside each other.
func (s *scanned) noteClashes(dir string, entries []fs.DirEntry) {
	upper := false
	for _, d := range entries {
		upper = upper || strings.ToLower(d.Name()) != d.Name()
	}
	if !upper {
		return
	}
	seen := make(map[string]string, len(entries))
	for _, d := range entries {
		lower := strings.ToLower(d.Name())
		if first, ok := seen[lower]; ok {
			s.clashes = append(s.clashes, clash{dir, first, d.Name()})
			continue
		}
		seen[lower] = d.Name()
	}
}

// linkedFiles notes for each link to a file, in the module whose directory it
// lies in or below, that the module reads the file: who changes that changes
// the module.
func (s *scanned) linkedFiles(fsys fs.FS) {
	owners := map[string]bool{}
	for dir, m := range s.modules {
		owners[dir] = m.files > 0
	}
	for link := range s.links {
		owner := ownerOf(link, owners)
		target, _, ok := s.resolve(link)
		if owner == "" || !ok {
			continue
		}
		if info, err := fs.Stat(fsys, target); err == nil && info.Mode().IsRegular() {
			s.modules[owner].refs = append(s.modules[owner].refs, ref{tree: true, pattern: escapePattern(target)})
		}
	}
}

// maxHops is how many links a path may lead through, as in the kernel.
const maxHops = 40

// resolve follows the links in a path, also in one that leads to nothing, and
// returns where it leads and the links that it goes through; not ok where
// that is out of the tree, or round in a circle. Hidden directories are not
// known.
func (s *scanned) resolve(name string) (real string, through []string, ok bool) {
	if len(s.links) == 0 || name == "." {
		return name, nil, true
	}
	var at []string
	todo := strings.Split(name, "/")
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return "", nil, false
			}
			at = at[:len(at)-1]
			continue
		}
		here := part
		if len(at) > 0 {
			here = strings.Join(at, "/") + "/" + part
		}
		target, isLink := s.links[here]
		if !isLink {
			at = append(at, part)
			continue
		}
		through = append(through, here)
		if len(through) > maxHops || path.IsAbs(target) {
			return "", nil, false
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	if len(at) == 0 {
		return ".", through, true
	}
	return strings.Join(at, "/"), through, true
}

// module returns the module in a directory that code calls, nil where no code
// is there. One that is reached through links is seen from the path that it is
// called by, as Terraform does; through holds the links.
func (s *scanned) module(dir string) (m *module, through []string) {
	if m := s.modules[dir]; m != nil && m.files > 0 {
		return m, nil
	}
	real, through, ok := s.resolve(dir)
	if !ok || len(through) == 0 || s.modules[real] == nil || s.modules[real].files == 0 {
		return nil, nil
	}
	from := s.modules[real]
	m = &module{dir: dir, real: real, files: from.files, parts: from.parts}
	m.assemble()
	for _, r := range from.refs {
		if r.tree {
			m.refs = append(m.refs, r)
		}
	}
	return m, through
}

// patterns returns a pattern of files as it is, and as it is once the links in
// its fixed part are followed, with those links.
func (s *scanned) patterns(pattern string) []string {
	out := []string{pattern}
	if len(s.links) == 0 {
		return out
	}
	fixed, rest := pattern, ""
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		i = strings.LastIndexByte(pattern[:i], '/')
		if i < 0 {
			return out
		}
		fixed, rest = pattern[:i], pattern[i+1:]
	}
	real, through, ok := s.resolve(fixed)
	if !ok || len(through) == 0 {
		return out
	}
	for _, l := range through {
		out = append(out, escapePattern(l))
	}
	return append(out, path.Join(escapePattern(real), rest))
}

// inSubmodule returns the submodule that a path lies in, "" for none.
func (s *scanned) inSubmodule(name string) string {
	for _, sub := range s.submodules {
		if name == sub || strings.HasPrefix(name, sub+"/") {
			return sub
		}
	}
	return ""
}

// noCode says why there is no code in a directory, which what calls, for
// instance, "The module's directory".
func (s *scanned) noCode(what, dir string) string {
	if sub := s.inSubmodule(dir); sub != "" {
		return fmt.Sprintf("%s %s is in the Git submodule %s, which is not fetched: submodules are where the server's checkout.submodules allows it and this repository's %s says submodules = true. Or name the code by its repository's address, with a ref.", what, dir, sub, ConfigFile)
	}
	return fmt.Sprintf("%s %s holds no Terraform code.", what, dir)
}

// maxModuleFile bounds how much of .gitmodules is read.
const maxModuleFile = 1 << 20

// submodulePaths returns the paths that the text of a .gitmodules names.
func submodulePaths(text string) []string {
	var out []string
	for line := range strings.Lines(text[:min(len(text), maxModuleFile)]) {
		key, value, ok := strings.Cut(line, "=")
		if ok && strings.EqualFold(strings.TrimSpace(key), "path") {
			if p, err := InRepo(".", strings.Trim(strings.TrimSpace(value), `"`)); err == nil {
				out = append(out, p)
			}
		}
	}
	sort.Strings(out)
	return out
}

// told returns a problem for each clash of names that concerns the given
// directories.
func (s *scanned) told(used map[string]bool) []Problem {
	if len(s.clashes) == 0 {
		return nil
	}
	above := map[string]bool{}
	for dir := range used {
		for ; !above[dir]; dir = path.Dir(dir) {
			above[dir] = true
			if dir == "." {
				break
			}
		}
	}
	var out []Problem
	for _, c := range s.clashes {
		a, b := path.Join(c.dir, c.a), path.Join(c.dir, c.b)
		if used[c.dir] || above[a] || above[b] {
			out = append(out, Problem{Path: b, Message: fmt.Sprintf("The paths %s and %s differ by upper and lower case only. On many file systems one takes the place of the other, so that people there see other code than is planned here. Rename one of them.", a, b)})
		}
	}
	return out
}

// lfsPointer is how each pointer of Git LFS begins, by its specification.
const lfsPointer = "version https://git-lfs.github.com/spec/v1\n"

const lfsProblem = "What is in the repository is a pointer of Git LFS, not the file itself. Tidelock does not fetch from Git LFS: take the file out of it with git lfs untrack, or don't read it from Terraform."

// isLFSPointer reports whether a file is a pointer of Git LFS's, all of which
// are small.
func isLFSPointer(content []byte) bool {
	return len(content) < 1024 && strings.HasPrefix(string(content), lfsPointer)
}

// maxPointers bounds how many files are looked at for being pointers.
const maxPointers = 2000

// pointers looks for files that code reads and that are pointers of Git LFS.
// Only a repository that uses LFS is looked through.
type pointers struct {
	fsys fs.FS
	seen map[string]bool // files and patterns
}

func (l *pointers) look(pattern string) []Problem {
	if l.seen[pattern] || len(l.seen) > maxPointers {
		return nil
	}
	l.seen[pattern] = true
	var out []Problem
	errEnough := errors.New("enough")
	_ = globFiles(l.fsys, pattern, func(name string) error { // what can't be read is told elsewhere
		if name != pattern && l.seen[name] {
			return nil
		}
		l.seen[name] = true
		if len(l.seen) > maxPointers {
			return errEnough
		}
		if info, err := fs.Stat(l.fsys, name); err != nil || !info.Mode().IsRegular() || info.Size() >= 1024 || codeFile(path.Base(name)) {
			return nil
		}
		if text, err := fs.ReadFile(l.fsys, name); err == nil && isLFSPointer(text) {
			out = append(out, Problem{Path: name, Message: lfsProblem})
		}
		return nil
	})
	return out
}
