package planner

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Place is a block of code: its file, relative to the repository's root with
// slashes, and its first and last line, from 1. The zero Place is nowhere.
type Place struct {
	File          string
	Line, EndLine int
}

// Locator tells where in a repository what a plan names is declared. It reads
// code that strangers wrote: nothing is evaluated, no link leads out of the
// tree, what is broken is left out, and the work is bounded. It is not safe
// for concurrent use, and reads each directory once.
type Locator struct {
	fsys   fs.FS
	roots  []string // directories of the root module: several of a Terragrunt unit
	unit   Place    // the block of a Terragrunt unit that names code from elsewhere
	tofu   bool
	others []string // paths of submodules: what stands there is in another repository
	read   map[string]*declared
	budget int64
	index  map[string][]spot // by file; nil until it is asked for
}

// spot is a block of a file and the address of what it declares.
type spot struct {
	Place
	address string
}

// Bounds of what a Locator looks at: far above what anybody writes.
const (
	maxAddress     = 4096  // bytes of an address
	maxCallDepth   = 50    // modules that call each other
	maxLocatedDirs = 2_000 // directories
)

// NewLocator returns a Locator over a commit's tree for one of its projects.
// What hooks make is in no commit, and so is nowhere.
func NewLocator(fsys fs.FS, p Project) *Locator {
	l := &Locator{fsys: fsys, roots: []string{p.Dir}, tofu: p.Tool.Name != ToolTerraform, read: map[string]*declared{}, budget: maxCode}
	if text, err := fs.ReadFile(fsys, ".gitmodules"); err == nil && len(text) < maxFile {
		l.others = submodulePaths(string(text))
	}
	if p.Kind != KindTerragrunt {
		return l
	}
	file := path.Join(p.Dir, UnitFile)
	u := units(fsys, []string{file})[p.Dir]
	if u != nil && u.source != "" {
		l.roots = append(l.roots, u.source)
		return l
	}
	r := unitReader{fsys: fsys, bodies: map[string]*hclsyntax.Body{}}
	if body := r.body(file); body != nil {
		for _, b := range body.Blocks {
			if b.Type == "terraform" && b.Body.Attributes["source"] != nil {
				l.unit = Place{File: file, Line: b.DefRange().Start.Line, EndLine: b.CloseBraceRange.End.Line}
			}
		}
	}
	return l
}

// Elsewhere reports whether a path of the tree is another repository's, which
// this one has as a submodule.
func (l *Locator) Elsewhere(name string) bool {
	return slices.ContainsFunc(l.others, func(at string) bool { return name == at || strings.HasPrefix(name, at+"/") })
}

// Find returns where a resource, a data source or an ephemeral resource is
// declared, by its address in a plan. Of one in a module that is not in the
// repository, or is in a submodule of it, that is the block that calls the
// module; of one that is not in the code any more, the removed block, where
// there is one. All else is nowhere.
func (l *Locator) Find(address string) Place {
	steps, ok := splitAddress(address)
	if !ok {
		return Place{}
	}
	for _, root := range l.roots {
		if p := l.find(root, steps); p.File != "" {
			return p
		}
	}
	if l.unit.File != "" {
		return l.unit
	}
	for _, root := range l.roots { // what is gone: only the root module says from where
		if p, ok := l.module(root).removed[strings.Join(steps, ".")]; ok {
			return p
		}
	}
	return Place{}
}

func (l *Locator) find(root string, steps []string) Place {
	dir, here := root, l.module(root)
	for depth := 0; len(steps) > 2 && steps[0] == "module"; depth++ {
		call, ok := here.calls[steps[1]]
		switch {
		case !ok || depth >= maxCallDepth:
			return Place{}
		case call.source == "":
			return call.Place
		}
		next, err := InRepo(dir, call.source)
		if err != nil {
			return call.Place
		}
		dir = next
		if here = l.module(dir); !here.there || l.Elsewhere(dir) {
			return call.Place
		}
		steps = steps[2:]
	}
	if p := here.blocks[strings.Join(steps, ".")]; !l.Elsewhere(p.File) {
		return p
	}
	return Place{}
}

// Resource returns the address, without keys, of what is declared in the block
// that a file's line stands in; "" where that is no resource of the project's.
// Of a module that is called several times it is that of one of the calls.
func (l *Locator) Resource(file string, line int) string {
	if l.index == nil {
		l.index = map[string][]spot{}
		l.indexAll()
	}
	for _, s := range l.index[file] {
		if s.Line <= line && line <= s.EndLine {
			return s.address
		}
	}
	return ""
}

// indexAll visits each directory of the project's modules once.
func (l *Locator) indexAll() {
	type visit struct {
		dir, prefix string
		depth       int
	}
	var queue []visit
	seen := map[string]bool{}
	for _, root := range l.roots {
		queue = append(queue, visit{dir: root})
	}
	for len(queue) > 0 && len(seen) < maxLocatedDirs {
		v := queue[0]
		queue = queue[1:]
		if seen[v.dir] || v.depth > maxCallDepth {
			continue
		}
		seen[v.dir] = true
		m := l.module(v.dir)
		for name, p := range m.blocks {
			l.index[p.File] = append(l.index[p.File], spot{p, v.prefix + name})
		}
		for _, name := range sortedKeys(m.calls) {
			if dir, err := InRepo(v.dir, m.calls[name].source); err == nil && m.calls[name].source != "" {
				queue = append(queue, visit{dir, v.prefix + "module." + name + ".", v.depth + 1})
			}
		}
	}
	for _, spots := range l.index {
		slices.SortFunc(spots, func(a, b spot) int { return a.Line - b.Line })
	}
}

// splitAddress takes an address apart at its dots and leaves out the keys of
// count and for_each, which may hold anything in quotes.
func splitAddress(address string) ([]string, bool) {
	if len(address) > maxAddress {
		return nil, false
	}
	var (
		steps []string
		b     strings.Builder
	)
	for i := 0; i < len(address); i++ {
		switch c := address[i]; c {
		case '.':
			steps = append(steps, b.String())
			b.Reset()
		case '[':
			quoted := false
			for i++; i < len(address) && (quoted || address[i] != ']'); i++ {
				switch {
				case quoted && address[i] == '\\':
					i++
				case address[i] == '"':
					quoted = !quoted
				}
			}
			if i >= len(address) {
				return nil, false
			}
		default:
			b.WriteByte(c)
		}
	}
	steps = append(steps, b.String())
	return steps, len(steps) > 1 && !slices.Contains(steps, "")
}
