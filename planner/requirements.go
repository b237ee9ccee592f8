package planner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// ProviderNeed is one provider that code asks for, by required_providers, by a
// provider block, or merely by a resource's type.
type ProviderNeed struct {
	Name string // what the module calls it: "aws"
	// Source is where it comes from, as written: "hashicorp/aws"; "" where
	// the code says nothing, and the name stands for hashicorp's.
	Source   string
	Versions []string // constraints, as written: "~> 5.0"
	Path     string   // of the file that asks, relative to the repository's root
	Line     int      // 0 where it is not known
}

// ProviderNeeds is what the code of a project and of its local modules asks
// for.
type ProviderNeeds struct {
	Providers []ProviderNeed // by module, then by name
	// Partial is set where more may be needed than is listed: code that comes
	// from elsewhere, or that can't be read, may ask for any provider.
	Partial bool
}

// NeedsProviders returns the providers that a project asks for. p is what
// Discover found in the same tree. It evaluates nothing: what is not written
// literally is not known. Code that is broken is Terraform's to complain about.
func NeedsProviders(fsys fs.FS, p Project) (ProviderNeeds, error) {
	var out ProviderNeeds
	dirs := append([]string{p.Dir}, p.Modules...)
	budget := int64(maxCode)
	for _, dir := range uniq(append([]string(nil), dirs...)) {
		m := moduleNeeds{dir: dir, required: map[string]ProviderNeed{}, implied: map[string]ProviderNeed{}}
		if err := m.read(fsys, &budget); err != nil {
			return out, err
		}
		out.Providers = append(out.Providers, m.list()...)
		out.Partial = out.Partial || m.partial
	}
	out.Partial = out.Partial || p.Kind != "" // Terragrunt may generate code
	for _, h := range p.Hooks {               // a program may write code
		out.Partial = out.Partial || h.Writes()
	}
	return out, nil
}

// moduleNeeds is what one directory asks for.
type moduleNeeds struct {
	dir      string
	required map[string]ProviderNeed // by local name
	implied  map[string]ProviderNeed // by local name: the first place that uses it
	partial  bool
}

func (m *moduleNeeds) read(fsys fs.FS, budget *int64) error {
	entries, err := fs.ReadDir(fsys, m.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a module that is not there
	}
	if err != nil {
		return fmt.Errorf("read directory %s: %w", m.dir, err)
	}
	var names []string
	for _, e := range entries {
		switch name := e.Name(); {
		case e.IsDir():
		case codeFile(name):
			names = append(names, name)
		case strings.HasSuffix(name, ".tftest.hcl"), strings.HasSuffix(name, ".tofutest.hcl"):
			m.partial = true // init looks at what tests need, too
		}
	}
	// What an override file says comes last and takes the place of the rest.
	slices.SortStableFunc(names, func(a, b string) int { return boolOrder(isOverride(a), isOverride(b)) })
	for _, name := range names {
		full := path.Join(m.dir, name)
		info, err := fs.Stat(fsys, full)
		if err != nil || !info.Mode().IsRegular() {
			m.partial = true
			continue
		}
		if *budget -= info.Size(); info.Size() > maxFile || *budget < 0 {
			m.partial = true
			continue
		}
		src, err := fs.ReadFile(fsys, full)
		switch {
		case err != nil:
			m.partial = true
		case strings.HasSuffix(name, ".json"):
			m.readJSON(full, src)
		default:
			m.readNative(full, src)
		}
	}
	return nil
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// isOverride reports whether a file is merged over the others.
func isOverride(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	return base == "override" || strings.HasSuffix(base, "_override")
}

// list returns the needs by name.
func (m *moduleNeeds) list() []ProviderNeed {
	var out []ProviderNeed
	for name, n := range m.required {
		n.Versions = append(n.Versions, m.implied[name].Versions...)
		out = append(out, n)
	}
	for name, n := range m.implied {
		if _, ok := m.required[name]; ok {
			continue
		}
		if name == "terraform" { // terraform_data, terraform_remote_state: built in
			continue
		}
		out = append(out, n)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// require notes an entry of required_providers.
func (m *moduleNeeds) require(n ProviderNeed) {
	if before, ok := m.required[n.Name]; ok {
		if n.Source == "" {
			n.Source = before.Source
		}
		if len(n.Versions) == 0 {
			n.Versions = before.Versions
		}
	}
	m.required[n.Name] = n
}

// imply notes that a provider is used. An earlier place stays.
func (m *moduleNeeds) imply(name, file string, line int, versions ...string) {
	n, ok := m.implied[name]
	if !ok {
		n = ProviderNeed{Name: name, Path: file, Line: line}
	}
	n.Versions = append(n.Versions, versions...)
	m.implied[name] = n
}

// impliedBy returns the local name of the provider whose resources have a type.
func impliedBy(typ string) string {
	name, _, _ := strings.Cut(typ, "_")
	return name
}

// plannedBlocks are the blocks whose first label is the type of an object, and
// whose provider is said by that or by the argument provider.
var plannedBlocks = map[string]bool{"resource": true, "data": true, "ephemeral": true, "list": true, "action": true}

func (m *moduleNeeds) readNative(full string, src []byte) {
	if checkDepth(src) != nil || isLFSPointer(src) {
		m.partial = true
		return
	}
	file, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	m.partial = m.partial || diags.HasErrors()
	if file == nil {
		return
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	m.readBlocks(full, body)
}

func (m *moduleNeeds) readBlocks(full string, body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		if b.Body == nil {
			continue
		}
		line := b.DefRange().Start.Line
		switch {
		case b.Type == "terraform":
			for _, inner := range b.Body.Blocks {
				if inner.Type == "required_providers" && inner.Body != nil {
					m.readRequired(full, inner.Body)
				}
			}
		case b.Type == "provider" && len(b.Labels) == 1:
			m.imply(b.Labels[0], full, line)
			if a := b.Body.Attributes["version"]; a != nil {
				if v, ok := plainText(a.Expr); ok {
					m.imply(b.Labels[0], full, line, v)
				}
			}
		case plannedBlocks[b.Type] && len(b.Labels) > 0:
			name := impliedBy(b.Labels[0])
			if a := b.Body.Attributes["provider"]; a != nil {
				if given := rootName(a.Expr); given != "" {
					name = given
				}
			}
			m.imply(name, full, line)
		case b.Type == "import":
			if a := b.Body.Attributes["provider"]; a != nil {
				if given := rootName(a.Expr); given != "" {
					m.imply(given, full, line)
					continue
				}
			}
			if a := b.Body.Attributes["to"]; a != nil {
				if typ := rootName(a.Expr); typ != "" && typ != "module" {
					m.imply(impliedBy(typ), full, line)
				}
			}
		case b.Type == "check":
			m.readBlocks(full, b.Body) // with data sources of its own
		case b.Type == "module":
			if a := b.Body.Attributes["source"]; a != nil {
				from, ok := plainText(a.Expr)
				m.partial = m.partial || !ok || !localSource(from)
			}
		}
	}
}

// localSource reports whether a module stands in the repository.
func localSource(from string) bool {
	return strings.HasPrefix(from, "./") || strings.HasPrefix(from, "../")
}

func (m *moduleNeeds) readRequired(full string, body *hclsyntax.Body) {
	for name, a := range body.Attributes {
		n := ProviderNeed{Name: name, Path: full, Line: a.SrcRange.Start.Line}
		if v, ok := plainText(a.Expr); ok { // the old form: a constraint alone
			n.Versions = append(n.Versions, v)
			m.require(n)
			continue
		}
		object, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
		if !ok {
			m.partial = true
			continue
		}
		for _, item := range object.Items {
			key := hcl.ExprAsKeyword(item.KeyExpr)
			if wrapped, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && key == "" {
				key, _ = plainText(wrapped.Wrapped)
			}
			v, ok := plainText(item.ValueExpr)
			switch {
			case key == "source" && ok:
				n.Source = v
			case key == "version" && ok:
				n.Versions = append(n.Versions, v)
			case key == "source", key == "version":
				m.partial = true
			}
		}
		m.require(n)
	}
}

// plainText returns the value of an expression that is a plain string.
func plainText(e hclsyntax.Expression) (string, bool) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", false
	}
	v, diags := t.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String || v.IsNull() {
		return "", false
	}
	return v.AsString(), true
}

// rootName returns the first name in a reference such as aws.east, or what
// stands before the dot in a string of the same meaning.
func rootName(e hclsyntax.Expression) string {
	if s, ok := plainText(e); ok {
		name, _, _ := strings.Cut(s, ".")
		return name
	}
	for _, t := range e.Variables() {
		return t.RootName()
	}
	return ""
}

// readJSON reads the JSON form as readJSON of the discovery does.
func (m *moduleNeeds) readJSON(full string, src []byte) {
	var body any
	if json.Unmarshal(src, &body) != nil {
		m.partial = true
		return
	}
	m.readObjects(full, body)
}

func (m *moduleNeeds) readObjects(full string, body any) {
	eachObject(body, func(typ string, v any) {
		switch {
		case typ == "terraform":
			eachObject(v, func(name string, inner any) {
				if name == "required_providers" {
					eachObject(inner, func(local string, what any) { m.requireJSON(full, local, what) })
				}
			})
		case typ == "provider":
			eachObject(v, func(local string, what any) {
				m.imply(local, full, 0)
				eachObject(what, func(arg string, v any) {
					if s, ok := v.(string); ok && arg == "version" {
						m.imply(local, full, 0, s)
					}
				})
			})
		case plannedBlocks[typ]:
			eachObject(v, func(resource string, named any) {
				eachObject(named, func(_ string, what any) {
					name := impliedBy(resource)
					eachObject(what, func(arg string, v any) {
						if s, ok := v.(string); ok && arg == "provider" {
							name, _, _ = strings.Cut(strings.TrimSuffix(strings.TrimPrefix(s, "${"), "}"), ".")
						}
					})
					m.imply(name, full, 0)
				})
			})
		case typ == "check":
			eachObject(v, func(_ string, what any) { m.readObjects(full, what) })
		case typ == "import":
			m.partial = true // its addresses are expressions in strings
		case typ == "module":
			eachObject(v, func(_ string, what any) {
				eachObject(what, func(arg string, v any) {
					if s, ok := v.(string); arg == "source" && (!ok || !localSource(s)) {
						m.partial = true
					}
				})
			})
		}
	})
}

func (m *moduleNeeds) requireJSON(full, local string, what any) {
	n := ProviderNeed{Name: local, Path: full}
	if s, ok := what.(string); ok {
		n.Versions = []string{s}
	}
	eachObject(what, func(arg string, v any) {
		switch s, _ := v.(string); {
		case s == "":
		case arg == "source":
			n.Source = s
		case arg == "version":
			n.Versions = append(n.Versions, s)
		}
	})
	m.require(n)
}
