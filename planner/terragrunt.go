package planner

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// UnitFile makes a directory a Terragrunt unit, unless others only include it.
const UnitFile = "terragrunt.hcl"

// unit is what a directory's UnitFile says, with the files that it includes,
// as far as that decides what else shapes the plan. Terragrunt's functions are
// known as far as they are about paths; nothing is evaluated beyond that.
type unit struct {
	dir     string
	file    string          // its UnitFile
	reads   map[string]bool // files, relative to the repository's root
	source  string          // directory of the local module that it runs; "" where that is another repository's, or its own directory
	line    int             // of the source
	depends []dependsOn
	backend string // of remote_state; "" where none is told
	anyFile bool   // it reads files that can't be told
	own     bool   // it says something of its own: a source, an include, inputs, dependencies
	parents []string
}

// dependsOn is another unit whose outputs a unit needs.
type dependsOn struct {
	dir  string
	path string // of the file that says so
	line int
}

// unitReader reads units. What one file says is read again for each unit that
// includes it: its paths mean another place there.
type unitReader struct {
	fsys   fs.FS
	bodies map[string]*hclsyntax.Body // by path; nil for what can't be read
}

// Bounds of what is read of one unit: far above what anybody writes.
const (
	maxUnitDepth = 10  // files that read files, locals that name locals
	maxUnitFiles = 200 // in all
)

// units reads all UnitFiles of a tree.
func units(fsys fs.FS, files []string) map[string]*unit {
	if len(files) == 0 {
		return nil
	}
	r := unitReader{fsys: fsys, bodies: map[string]*hclsyntax.Body{}}
	all := map[string]*unit{}
	parents := map[string]bool{}
	for _, file := range files {
		u := &unit{dir: path.Dir(file), file: file, reads: map[string]bool{}}
		c := unitContext{r: &r, u: u, dir: u.dir, file: file}
		c.read()
		all[u.dir] = u
		for _, p := range u.parents {
			parents[p] = true
		}
	}
	maps.DeleteFunc(all, func(_ string, u *unit) bool { return parents[u.file] })
	return all
}

// body parses a file once.
func (r *unitReader) body(file string) *hclsyntax.Body {
	if b, known := r.bodies[file]; known {
		return b
	}
	r.bodies[file] = nil
	info, err := fs.Stat(r.fsys, file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil
	}
	src, err := fs.ReadFile(r.fsys, file)
	if err != nil || checkDepth(src) != nil {
		return nil
	}
	parsed, _ := hclsyntax.ParseConfig(src, file, hcl.InitialPos) // what is wrong with it Terragrunt tells
	if parsed != nil {
		r.bodies[file], _ = parsed.Body.(*hclsyntax.Body)
	}
	return r.bodies[file]
}

// unitContext is one file that is read for one unit.
type unitContext struct {
	r      *unitReader
	u      *unit
	dir    string // that paths are relative to, and from which parents are looked for: the unit's, or that of a file which is read as a configuration of its own
	file   string
	parent string // the directory of the included file, in that; "" in the unit's own
	depth  int
	locals map[string]hclsyntax.Expression
}

// read takes over what the file says.
func (c unitContext) read() {
	body := c.r.body(c.file)
	if body == nil || c.depth > maxUnitDepth || len(c.u.reads) > maxUnitFiles {
		c.u.anyFile = true
		return
	}
	c.locals = map[string]hclsyntax.Expression{}
	for _, b := range body.Blocks {
		if b.Type == "locals" {
			for name, a := range b.Body.Attributes {
				c.locals[name] = a.Expr
			}
		}
	}
	own := c.file == c.u.file
	for _, b := range body.Blocks {
		switch b.Type {
		case "include":
			c.include(b)
		case "terraform":
			c.terraform(b)
		case "dependency":
			c.u.own = c.u.own || own
			c.dependency(b.Body.Attributes["config_path"])
		case "dependencies":
			c.u.own = c.u.own || own
			if a := b.Body.Attributes["paths"]; a != nil {
				c.dependencies(a)
			}
		case "remote_state":
			if a := b.Body.Attributes["backend"]; a != nil {
				c.u.backend, _ = c.text(a.Expr, 0)
			}
		}
	}
	if body.Attributes["inputs"] != nil {
		c.u.own = c.u.own || own
	}
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		if f, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			c.call(f)
		}
		return nil
	})
}

// include reads the file that an include block names: relative paths in it are
// the unit's.
func (c unitContext) include(b *hclsyntax.Block) {
	c.u.own = c.u.own || c.file == c.u.file
	a := b.Body.Attributes["path"]
	if a == nil {
		return
	}
	target, ok := c.pathOf(a.Expr)
	if !ok {
		c.u.anyFile = true
		return
	}
	c.u.parents = append(c.u.parents, target)
	if c.u.reads[target] {
		return
	}
	c.u.reads[target] = true
	next := c
	next.file, next.parent, next.depth = target, path.Dir(target), c.depth+1
	next.read()
}

// terraform takes over the source, and the variable files of every command.
func (c unitContext) terraform(b *hclsyntax.Block) {
	c.u.own = c.u.own || c.file == c.u.file
	if a := b.Body.Attributes["source"]; a != nil && (c.u.source == "" || c.file == c.u.file) {
		switch text, ok := c.text(a.Expr, 0); {
		case !ok:
			c.u.anyFile = true
		case strings.HasPrefix(text, "./"), strings.HasPrefix(text, "../"), text == ".", text == "..", strings.HasPrefix(text, unitRoot):
			text, _, _ = strings.Cut(text, "?")
			// A double slash says how much is copied; the module is behind it.
			if dir, ok := c.inTree(text); ok && dir != c.u.dir {
				c.u.source, c.u.line = dir, b.DefRange().Start.Line
			} else if !ok {
				c.u.anyFile = true
			}
		}
	}
	for _, extra := range b.Body.Blocks {
		for _, name := range []string{"required_var_files", "optional_var_files"} {
			a := extra.Body.Attributes[name]
			if extra.Type != "extra_arguments" || a == nil {
				continue
			}
			list, ok := a.Expr.(*hclsyntax.TupleConsExpr)
			if !ok {
				c.u.anyFile = true
				continue
			}
			for _, e := range list.Exprs {
				if file, ok := c.pathOf(e); ok {
					c.u.reads[file] = true
				} else {
					c.u.anyFile = true
				}
			}
		}
	}
}

func (c unitContext) dependencies(a *hclsyntax.Attribute) {
	list, ok := a.Expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		c.u.anyFile = true
		return
	}
	for _, e := range list.Exprs {
		c.dependencyOn(e, a.SrcRange.Start.Line)
	}
}

func (c unitContext) dependency(a *hclsyntax.Attribute) {
	if a != nil {
		c.dependencyOn(a.Expr, a.SrcRange.Start.Line)
	}
}

func (c unitContext) dependencyOn(e hclsyntax.Expression, line int) {
	dir, ok := c.pathOf(e)
	if !ok {
		c.u.anyFile = true // and in which order they go, only its author knows
		return
	}
	if path.Base(dir) == UnitFile {
		dir = path.Dir(dir)
	}
	if dir != c.u.dir && !slices.ContainsFunc(c.u.depends, func(d dependsOn) bool { return d.dir == dir }) {
		c.u.depends = append(c.u.depends, dependsOn{dir, c.file, line})
	}
}

// unitReads are Terragrunt's functions, and Terraform's that it knows, that
// read a file; true where that is a configuration of Terragrunt's.
var unitReads = map[string]bool{
	"read_terragrunt_config": true, "read_tfvars_file": false, "sops_decrypt_file": false, "mark_as_read": false,
	"file": false, "filebase64": false, "templatefile": false, "fileexists": false, "filemd5": false, "filesha1": false, "filesha256": false, "filesha512": false,
}

// call notes what a function reads.
func (c unitContext) call(f *hclsyntax.FunctionCallExpr) {
	config, reads := unitReads[f.Name]
	switch {
	case f.Name == "run_cmd" || f.Name == "fileset" || f.Name == "mark_glob_as_read":
		c.u.anyFile = true
	case reads && len(f.Args) > 0:
		file, ok := c.pathOf(f.Args[0])
		if !ok {
			c.u.anyFile = true
			return
		}
		if c.u.reads[file] {
			return
		}
		c.u.reads[file] = true
		if config && exists(c.r.fsys, file) {
			// Of what it says, only which files it reads in turn counts here.
			aside := &unit{dir: path.Dir(file), file: file, reads: c.u.reads}
			next := unitContext{r: c.r, u: aside, dir: path.Dir(file), file: file, depth: c.depth + 1}
			next.read()
			c.u.anyFile = c.u.anyFile || aside.anyFile
		}
	}
}

// pathOf returns where a path leads, relative to the repository's root.
func (c unitContext) pathOf(e hclsyntax.Expression) (string, bool) {
	text, ok := c.text(e, 0)
	if !ok || text == "" {
		return "", false
	}
	return c.inTree(text)
}

func (c unitContext) inTree(text string) (string, bool) {
	if rest, ok := strings.CutPrefix(text, unitRoot); ok {
		text = "./" + rest
		p, err := InRepo(".", path.Clean(text))
		return p, err == nil
	}
	if path.IsAbs(text) {
		return "", false
	}
	p, err := InRepo(c.dir, text)
	return p, err == nil
}

// unitRoot stands for the repository's root in the paths that functions give:
// where that lies, nobody knows before the run.
const unitRoot = "/~repository~"

// at returns a directory of the repository as functions give it.
func at(dir string) string {
	if dir == "." {
		return unitRoot
	}
	return unitRoot + "/" + dir
}

// text returns the text that an expression is, where it is made of literals,
// locals and functions that are about paths.
func (c unitContext) text(e hclsyntax.Expression, depth int) (string, bool) {
	if depth > maxUnitDepth {
		return "", false
	}
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		var b strings.Builder
		for _, p := range e.Parts {
			if l, ok := p.(*hclsyntax.LiteralValueExpr); ok {
				if l.Val.IsNull() || l.Val.Type() != cty.String {
					return "", false
				}
				b.WriteString(l.Val.AsString())
				continue
			}
			s, ok := c.text(p, depth+1)
			if !ok || b.Len() > maxFile {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	case *hclsyntax.TemplateWrapExpr:
		return c.text(e.Wrapped, depth+1)
	case *hclsyntax.ParenthesesExpr:
		return c.text(e.Expression, depth+1)
	case *hclsyntax.ScopeTraversalExpr:
		if len(e.Traversal) == 2 && e.Traversal.RootName() == "local" {
			if step, ok := e.Traversal[1].(hcl.TraverseAttr); ok && c.locals[step.Name] != nil {
				return c.text(c.locals[step.Name], depth+1)
			}
		}
	case *hclsyntax.FunctionCallExpr:
		return c.function(e, depth+1)
	}
	return "", false
}

func (c unitContext) function(f *hclsyntax.FunctionCallExpr, depth int) (string, bool) {
	args := make([]string, len(f.Args))
	for i, a := range f.Args {
		var ok bool
		if args[i], ok = c.text(a, depth); !ok {
			return "", false
		}
	}
	switch {
	case f.Name == "find_in_parent_folders":
		name := UnitFile
		if len(args) > 0 {
			name = args[0]
		}
		for dir := c.dir; dir != "."; {
			dir = path.Dir(dir)
			if full, err := InRepo(dir, name); err == nil && exists(c.r.fsys, full) {
				return at(full), true
			}
		}
		if len(args) > 1 {
			return args[1], true
		}
	case f.Name == "get_terragrunt_dir" || f.Name == "get_original_terragrunt_dir":
		return at(c.dir), true
	case f.Name == "get_parent_terragrunt_dir" && c.parent != "":
		return at(c.parent), true
	case f.Name == "get_repo_root":
		return unitRoot, true
	case f.Name == "get_path_from_repo_root":
		return c.dir, true
	case f.Name == "get_path_to_repo_root":
		if c.dir == "." {
			return ".", true
		}
		return strings.TrimSuffix(strings.Repeat("../", strings.Count(c.dir, "/")+1), "/"), true
	case f.Name == "path_relative_to_include" && c.parent != "":
		return relativeTo(c.parent, c.dir)
	case f.Name == "path_relative_from_include" && c.parent != "":
		return relativeTo(c.dir, c.parent)
	case f.Name == "dirname" && len(args) == 1:
		return path.Dir(args[0]), true
	case f.Name == "basename" && len(args) == 1:
		return path.Base(args[0]), true
	}
	return "", false
}

// relativeTo returns the path of to as seen from the directory from.
func relativeTo(from, to string) (string, bool) {
	split := func(p string) []string {
		if p == "." {
			return nil
		}
		return strings.Split(p, "/")
	}
	a, b := split(from), split(to)
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	out := strings.Repeat("../", len(a)) + strings.Join(b, "/")
	if out = strings.TrimSuffix(out, "/"); out == "" {
		return ".", true
	}
	return out, true
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// module returns the unit as a module: what it says counts as the project's
// own code does. code is that of its directory, nil where there is none.
func (u *unit) module(code *module) *module {
	m := &module{dir: u.dir}
	if code != nil {
		copied := *code
		m = &copied
		m.calls, m.refs = slices.Clone(code.calls), slices.Clone(code.refs)
	}
	m.anyFile = m.anyFile || u.anyFile
	for _, f := range slices.Sorted(maps.Keys(u.reads)) {
		m.refs = append(m.refs, ref{tree: true, pattern: escapePattern(f)})
	}
	if u.source != "" {
		m.calls = append(m.calls, call{dir: u.source, path: u.file, line: u.line})
	}
	if m.backend == "" {
		m.backend = u.backend
	}
	if m.backend == "" {
		m.backend = KindTerragrunt // its module's, or made by Terragrunt: never Tidelock's to keep
	}
	return m
}

// linkUnits has units depend on the units whose outputs they need, and tells
// of those that are not there.
func (s *scanned) linkUnits(fsys fs.FS, projects []Project) []Problem {
	names := map[string]string{}
	for _, p := range projects {
		if p.Kind == KindTerragrunt {
			names[p.Dir] = p.Name
		}
	}
	var problems []Problem
	for i := range projects {
		p := &projects[i]
		u := s.units[p.Dir]
		if p.Kind != KindTerragrunt || u == nil {
			continue
		}
		p.DependsOn = slices.Clone(p.DependsOn)
		for _, d := range u.depends {
			name, ok := names[d.dir]
			switch {
			case !ok && !exists(fsys, path.Join(d.dir, UnitFile)):
				problems = append(problems, Problem{Path: d.path, Line: d.line, Message: fmt.Sprintf("The unit %s depends on %s, and there is no Terragrunt unit in that directory.", p.Name, d.dir)})
			case ok && !slices.Contains(p.DependsOn, name):
				p.DependsOn = append(p.DependsOn, name)
			}
		}
	}
	return problems
}
