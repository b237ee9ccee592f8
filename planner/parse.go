package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tidelock/tidelock/internal/errs"
)

// module is what Terraform code in one directory says, as far as it decides
// what is a project and which files shape it.
type module struct {
	dir       string
	real      string // where dir leads to, when it is reached through a symbolic link; else ""
	files     int
	parts     []piece
	backend   string      // "s3"; "cloud" for a cloud block; "" for none
	place     *StatePlace // of that backend; nil where it tells of none
	provider  bool        // a provider block
	required  bool        // required_providers
	content   bool        // something that is planned: a resource, a data source, a module call, …
	calls     []call
	refs      []ref
	anyFile   bool // it reads files that can't be told from the code
	problems  []Problem
	tfstate   bool // terraform.tfstate is committed
	forbidden []string
}

// piece is one file of a module.
type piece struct {
	name string
	*codeText
}

// codeText is what one file of code says, wherever it stands: it is kept by the
// hash of the file's content, and must not be changed.
type codeText struct {
	size                                 int64
	backend                              string
	place                                *StatePlace // without its file
	provider, required, content, anyFile bool
	sources                              []sourced
	requires                             []requirement
	refs                                 []ref
	problems                             []finding
}

// sourced is the call of a module.
type sourced struct {
	name, source string
	line         int
}

// requirement is what required_version says.
type requirement struct {
	constraint string
	line       int // 0 where it is not known
}

// finding is a problem in a file.
type finding struct {
	line    int
	message string
}

func (p *codeText) say(line int, format string, args ...any) {
	p.problems = append(p.problems, finding{line, fmt.Sprintf(format, args...)})
}

// weight is about how many bytes it takes to keep.
func (p *codeText) weight() int {
	n := 256
	for _, s := range p.sources {
		n += 48 + len(s.name) + len(s.source)
	}
	for _, r := range p.refs {
		n += 32 + len(r.pattern)
	}
	for _, r := range p.requires {
		n += 32 + len(r.constraint)
	}
	for _, f := range p.problems {
		n += 32 + len(f.message)
	}
	return n
}

// remembering is a file system that knows contents by a hash and keeps what
// was worked out of them for others that have the same, as checkout.TreeFS.
type remembering interface {
	// ContentHash returns the hash of the file or directory, with all below
	// it; "" where there is none.
	ContentHash(name string) string
	Recall(key string) (any, bool)
	Remember(key string, value any, weight int)
}

// call is a call of a local module.
type call struct {
	dir  string // of the module, relative to the repository's root
	path string // of the file that calls
	line int
}

// ref is a file that the code reads, as a pattern.
type ref struct {
	root    bool   // relative to the root module's directory rather than to the module's own
	tree    bool   // relative to the repository's root
	pattern string // doublestar, may begin with ../
}

// maxFile bounds a file of code that is taken apart, in bytes. A larger one is
// Terraform's business alone: its project is planned, whatever changes.
// So it is with all that comes after the first maxCode bytes of a repository.
const (
	maxFile = 1 << 20
	maxCode = 64 << 20
)

// codeFile reports whether Terraform or OpenTofu reads a file of that name as
// code.
func codeFile(name string) bool {
	for _, suffix := range []string{".tf", ".tf.json", ".tofu", ".tofu.json"} {
		if strings.HasSuffix(name, suffix) && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, "~") {
			return true
		}
	}
	return false
}

// checkDepth refuses code nested so deeply that a recursive parser would
// overflow the stack, which Go can't recover from. The bounds are far above
// anything written on purpose; within them, and within maxFile, the worst
// found takes 200 MB of the stack's 1 GB and 2 s.
func checkDepth(src []byte) error {
	const most = 1000
	depth, prefixes, questions, splats, directives := 0, 0, 0, 0, 0
	for i, c := range src {
		switch c {
		case '[', '(', '{':
			depth++
			if c == '{' && i > 0 && src[i-1] == '%' {
				directives++
			}
		case ']', ')', '}':
			depth = max(depth-1, 0)
		case '?':
			questions++
		case '*':
			if i > 0 && src[i-1] == '[' {
				splats++
			}
		}
		switch c {
		case '!', '-':
			prefixes++
		case ' ', '\t', '\n', '\r':
		default:
			prefixes = 0
		}
		// Lines of dashes are common in comments, and a file of many rules
		// has many conditions: only nesting itself is bounded tightly.
		if depth > most || prefixes > 20*most || questions > 20*most || splats > 20*most || directives > 5*most {
			return errs.New(errs.Invalid, "The code is nested too deeply to be read.")
		}
	}
	return nil
}

// readFile reads one file of code. What can't be read becomes a problem; what
// could be read of a broken file counts. budget is how many bytes of code may
// be taken apart yet.
func readFile(fsys fs.FS, full string, budget *int64) *codeText {
	untold := &codeText{content: true, anyFile: true}
	format := "native"
	if strings.HasSuffix(full, ".json") {
		format = "json"
	}
	memory, _ := fsys.(remembering)
	key := ""
	if memory != nil {
		if hash := memory.ContentHash(full); hash != "" {
			key = "code " + format + " " + hash
			if known, ok := memory.Recall(key); ok {
				p := known.(*codeText)
				if *budget -= p.size; *budget < 0 {
					return untold
				}
				return p
			}
		}
	}
	p := &codeText{}
	info, err := fs.Stat(fsys, full)
	if err != nil || !info.Mode().IsRegular() {
		p.say(0, "The file can't be read, or leads out of the repository.")
		return p
	}
	p.size = info.Size()
	if *budget -= p.size; p.size > maxFile || *budget < 0 {
		return untold
	}
	src, err := fs.ReadFile(fsys, full)
	switch {
	case err != nil:
		p.say(0, "The file can't be read.")
		return p
	case isLFSPointer(src):
		p.content = true
		p.say(0, "%s", lfsProblem)
	case format == "json":
		p.readJSON(src)
	default:
		p.readNative(src)
	}
	if key != "" {
		memory.Remember(key, p, p.weight())
	}
	return p
}

// assemble makes a module of its files, seen from dir: relative paths in it
// are relative to that, even where it is reached through a link.
func (m *module) assemble() {
	rank := 0 // of the file that the backend is from
	for _, p := range m.parts {
		full := path.Join(m.dir, p.name)
		if over := overrides(p.name); p.backend != "" && over >= rank {
			m.backend, m.place, rank = p.backend, nil, over
			if p.place != nil {
				place := *p.place
				place.File = full
				m.place = &place
			}
		}
		m.provider, m.required = m.provider || p.provider, m.required || p.required
		m.content, m.anyFile = m.content || p.content, m.anyFile || p.anyFile
		m.refs = append(m.refs, p.refs...)
		for _, f := range p.problems {
			m.problems = append(m.problems, Problem{Path: full, Line: f.line, Message: f.message})
		}
		for _, s := range p.sources {
			dir, err := InRepo(m.dir, s.source)
			if err != nil {
				m.problems = append(m.problems, Problem{Path: full, Line: s.line, Message: fmt.Sprintf("The source %q of module %q %s.", s.source, s.name, err)})
				continue
			}
			m.calls = append(m.calls, call{dir: dir, path: full, line: s.line})
		}
	}
}

func (p *codeText) readNative(src []byte) {
	if err := checkDepth(src); err != nil {
		p.content, p.anyFile = true, true
		p.say(0, "%s", err)
		return
	}
	file, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			p.say(lineOf(d), "%s", sentence(d))
		}
	}
	if diags.HasErrors() {
		p.content = true // so that nobody loses a project to a missing brace
	}
	if file == nil {
		return
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	// Terraform itself tells what is wrong with the blocks; here only what is
	// right counts.
	for _, b := range body.Blocks {
		if b.Body == nil {
			continue
		}
		switch {
		case b.Type == "terraform":
			if a := b.Body.Attributes["required_version"]; a != nil {
				if text, ok := literal(a.Expr); ok {
					p.require(text, a.SrcRange.Start.Line)
				}
			}
			for _, inner := range b.Body.Blocks {
				p.setting(inner.Type, inner.Labels)
				if (inner.Type == "cloud" || inner.Type == "backend") && namesStatePlace(p.backend) {
					p.place = placeOfNative(inner)
				}
			}
		case b.Type == "module":
			p.content = true
			if a := b.Body.Attributes["source"]; a != nil && len(b.Labels) == 1 {
				if text, ok := literal(a.Expr); ok {
					p.call(b.Labels[0], text, b.DefRange().Start.Line)
				}
			}
		default:
			p.block(b.Type, b.Labels)
		}
	}
	p.readReferences(body)
}

// readJSON reads the JSON form with encoding/json, which bounds its own
// depth; the HCL library's reader does not, and parses templates in strings.
func (p *codeText) readJSON(src []byte) {
	var body any
	if err := json.Unmarshal(src, &body); err != nil {
		p.content = true
		line := 0
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = 1 + bytes.Count(src[:min(int(syntax.Offset), len(src))], []byte("\n"))
		}
		p.say(line, "The file is not valid JSON: %s.", err)
		return
	}
	p.readStrings(body)
	// Every level of blocks may be an object or a list of objects.
	eachObject(body, func(typ string, v any) {
		switch typ {
		case "terraform":
			eachObject(v, func(name string, inner any) {
				if text, ok := inner.(string); ok && name == "required_version" {
					p.require(text, 0)
				}
				labels := []string{""}
				settings := inner
				eachObject(inner, func(label string, v any) {
					if labels[0] = label; name == "backend" {
						settings = v
					}
				})
				p.setting(name, labels)
				if (name == "cloud" || name == "backend") && namesStatePlace(p.backend) {
					p.place = placeOfJSON(settings)
				}
			})
		case "module":
			eachObject(v, func(name string, inner any) {
				p.content = true
				eachObject(inner, func(arg string, source any) {
					if s, ok := source.(string); ok && arg == "source" && !strings.Contains(s, "${") {
						p.call(name, s, 0)
					}
				})
			})
		default:
			eachObject(v, func(label string, _ any) { p.block(typ, []string{label}) })
		}
	})
}

// literal returns the text of a plain string: nothing of a stranger's is
// evaluated.
func literal(e hclsyntax.Expression) (string, bool) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", false
	}
	v, diags := t.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

// eachObject calls f for the members of an object, or of all objects in a list.
func eachObject(v any, f func(key string, member any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			f(k, v[k])
		}
	case []any:
		for _, e := range v {
			if o, ok := e.(map[string]any); ok {
				eachObject(o, f)
			}
		}
	}
}

// setting notes a block in the terraform block.
func (p *codeText) setting(typ string, labels []string) {
	switch typ {
	case "backend":
		if len(labels) == 1 {
			p.backend, p.place = labels[0], nil
		}
	case "cloud":
		p.backend, p.place = "cloud", nil
	case "required_providers":
		p.required = true
	}
}

// require notes a required_version. One that is no constraint counts for
// nothing here: Terraform itself tells.
func (p *codeText) require(constraint string, line int) {
	if _, err := parseConstraint(constraint); err == nil {
		p.requires = append(p.requires, requirement{constraint, line})
	}
}

// block notes any other block.
func (p *codeText) block(typ string, labels []string) {
	switch typ {
	case "provider":
		p.provider = true
	case "data":
		p.content = true
		if len(labels) > 0 && labels[0] == "external" {
			p.anyFile = true // a program may read anything
		}
	case "resource", "ephemeral", "check", "import", "moved", "removed":
		p.content = true
	}
}

// call notes the call of a module, where it is a local one.
func (p *codeText) call(name, from string, line int) {
	if strings.HasPrefix(from, "./") || strings.HasPrefix(from, "../") {
		p.sources = append(p.sources, sourced{name, from, line})
	}
}

// readStrings takes the expressions in the strings of the JSON form apart, as
// far as a file function can be in them.
func (p *codeText) readStrings(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			p.readStrings(v[k])
		}
	case []any:
		for _, e := range v {
			p.readStrings(e)
		}
	case string:
		if !strings.Contains(v, "file") || !strings.Contains(v, "${") && !strings.Contains(v, "%{") {
			return
		}
		if checkDepth([]byte(v)) != nil {
			p.anyFile = true
			return
		}
		e, diags := hclsyntax.ParseTemplate([]byte(v), "", hcl.InitialPos)
		if diags.HasErrors() {
			p.anyFile = true // what is wrong with it Terraform tells
			return
		}
		p.readReferences(e)
	}
}

// fileFunctions are the functions that read files.
var fileFunctions = map[string]bool{
	"file": true, "filebase64": true, "templatefile": true, "fileset": true, "fileexists": true,
	"filemd5": true, "filesha1": true, "filesha256": true, "filesha512": true,
	"filebase64sha256": true, "filebase64sha512": true,
}

// readReferences notes which files the code at a node reads.
func (p *codeText) readReferences(node hclsyntax.Node) {
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if f, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			p.readReference(f)
		}
		return nil
	})
}

// readReference notes which files a call of a file function reads.
func (p *codeText) readReference(f *hclsyntax.FunctionCallExpr) {
	name := strings.TrimPrefix(f.Name, "core::")
	if !fileFunctions[name] || len(f.Args) == 0 {
		return
	}
	r, ok := pathPattern(f.Args[0])
	if !ok {
		p.anyFile = true
		return
	}
	if name == "fileset" {
		r.pattern = path.Join(r.pattern, "**")
	}
	if path.IsAbs(r.pattern) {
		return // a file of the machine's, not of the repository's
	}
	p.refs = append(p.refs, r)
}

// pathPattern turns the expression of a path into a pattern: what is not
// literal becomes a wildcard. It reports false where not even the beginning
// is literal.
func pathPattern(e hclsyntax.Expression) (ref, bool) {
	parts := []hclsyntax.Expression{e}
	switch t := e.(type) {
	case *hclsyntax.TemplateExpr:
		parts = t.Parts
	case *hclsyntax.TemplateWrapExpr:
		parts = []hclsyntax.Expression{t.Wrapped}
	case *hclsyntax.ParenthesesExpr:
		return pathPattern(t.Expression)
	}
	r := ref{root: true} // a bare relative path is relative to the root module's directory
	var b strings.Builder
	for i, p := range parts {
		switch p := p.(type) {
		case *hclsyntax.LiteralValueExpr:
			if p.Val.IsNull() || p.Val.Type() != cty.String {
				return ref{}, false
			}
			b.WriteString(escapePattern(p.Val.AsString()))
			continue
		case *hclsyntax.ScopeTraversalExpr:
			if i == 0 && len(p.Traversal) == 2 && p.Traversal.RootName() == "path" {
				if step, ok := p.Traversal[1].(hcl.TraverseAttr); ok {
					r.root = step.Name != "module"
					b.WriteString(".")
					continue
				}
			}
		}
		if i == 0 {
			return ref{}, false
		}
		// From a value on, anything below what stands before it.
		r.pattern = path.Join(path.Dir(path.Clean(b.String()+"x")), "**")
		return r, true
	}
	if b.Len() == 0 {
		return ref{}, false
	}
	r.pattern = path.Clean(b.String())
	return r, true
}

// escapePattern makes a literal path one that stands for itself in a pattern.
func escapePattern(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`).Replace(s)
}
