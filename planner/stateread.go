package planner

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Server is where this Tidelock is reached: what code says of the place of a
// state is compared with it. The zero value is reached nowhere.
type Server struct {
	Host string `json:"host,omitempty"` // with the port, as in an address
	Path string `json:"path,omitempty"` // of the states for the backend "http"; begins and ends with a slash
}

// Names reports whether what a block of the backend says means the server.
func (s Server) Names(backend string, p StatePlace) bool {
	if s.Host == "" {
		return false
	}
	if backend != "http" {
		return sameHost(p.Host, s.Host)
	}
	u, err := url.Parse(p.Address)
	return err == nil && sameHost(u.Host, s.Host) && strings.HasPrefix(u.Path, s.Path)
}

// sameHost compares two names with their ports; those of http and https may be
// left out.
func sameHost(a, b string) bool {
	bare := func(host string) string {
		host = strings.ToLower(host)
		return strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
	}
	return a != "" && bare(a) == bare(b)
}

// StateRead is a data source "terraform_remote_state" whose backend may name
// Tidelock itself: http or remote.
type StateRead struct {
	Name    string // the block's second label
	Backend string
	// StatePlace is what stands there as plain text. Of an address that is
	// computed it has the beginning, as far as that is text.
	StatePlace
	// Computed says that which state is meant is known to Terraform alone.
	Computed bool
	// Unknown says that not even the server can be told from the text.
	Unknown bool
	// Problem says what a block that means this server lacks, as the end of a
	// sentence; "" for nothing.
	Problem string
	// Key is the expression of which state is meant, for code that is laid into
	// the same directory: see StateKey.
	Key string
}

// State returns which state a block that names the server means, as
// CLIENT/NAME: whatever stands there, which need be nobody's name. It is for
// one that is not Computed.
func (r StateRead) State(s Server) string {
	if r.Backend == "http" {
		u, err := url.Parse(r.Address)
		if err != nil {
			return ""
		}
		return strings.TrimPrefix(u.Path, s.Path)
	}
	return strings.ReplaceAll(r.Organization+"/"+r.Prefix+r.Workspace, ":", "/")
}

// StateKey is what a StateRead's Key comes to where it means CLIENT/NAME.
func (s Server) StateKey(backend, state string) string {
	if backend == "http" {
		return s.Path + state
	}
	return state
}

// remoteState is the type of the data source.
const remoteState = "terraform_remote_state"

// StateReads returns the data sources of the code in one directory that read
// states by http or remote, as the code is now, sorted by name; tofu says
// whether OpenTofu reads it. What can't be read Terraform complains about.
func StateReads(fsys fs.FS, dir string, tofu bool) ([]StateRead, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	names := map[string]bool{}
	for _, d := range entries {
		names[d.Name()] = true
	}
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(overrides(a.Name()), overrides(b.Name())) })
	found := map[string]*readBlock{}
	for _, d := range entries {
		name := d.Name()
		if d.IsDir() || !codeFile(name) || name == ReadsOverride || !readBy(name, names, tofu) {
			continue
		}
		full := path.Join(dir, name)
		info, err := fs.Stat(fsys, full)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxGenerated {
			continue
		}
		src, err := fs.ReadFile(fsys, full)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", full, err)
		}
		switch {
		case !bytes.Contains(src, []byte(remoteState)):
		case path.Ext(name) == ".json":
			readsOfJSON(src, full, found)
		case checkDepth(src) == nil:
			readsOfNative(src, full, found)
		}
	}
	var out []StateRead
	for name, b := range found {
		if r, ok := b.read(name); ok {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b StateRead) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// readBy reports whether a file of code is read: Terraform reads no .tofu files,
// and OpenTofu no .tf file beside a .tofu file of the same name.
func readBy(name string, names map[string]bool, tofu bool) bool {
	if base, ending, ok := strings.Cut(name, ".tofu"); ok && (ending == "" || ending == ".json") && base != "" {
		return tofu
	}
	base := strings.TrimSuffix(strings.TrimSuffix(name, ".json"), ".tf")
	ending := ".tofu"
	if strings.HasSuffix(name, ".json") {
		ending = ".tofu.json"
	}
	return !tofu || !names[base+ending]
}

// readText is an attribute of such a block.
type readText struct {
	expr  string // as code; of JSON ""
	text  string // as far as it is plain, from its beginning
	plain bool   // all of it
	there bool
}

// readBlock is what one such block says, with the files that override it.
type readBlock struct {
	file      string
	line      int
	backend   readText
	workspace readText
	opaque    bool // the config is no object that is written out
	config    map[string]readText
}

func (b *readBlock) read(name string) (StateRead, bool) {
	r := StateRead{Name: name, Backend: b.backend.text}
	r.File, r.Line = b.file, b.line
	if !b.backend.plain || r.Backend != "http" && r.Backend != "remote" {
		return r, false
	}
	if b.opaque {
		r.Unknown = true
		return r, true
	}
	if r.Backend == "http" {
		a := b.config["address"]
		r.Address, r.Computed = a.text, !a.plain
		// The host is known once the path has begun.
		u, err := url.Parse(a.text)
		r.Unknown = a.there && !a.plain && (err != nil || u.Host == "" || u.Path == "")
		r.Key = `replace((` + a.expr + "\n" + `), "/^[a-zA-Z]+:\\/\\/[^\\/]*/", "")`
		return r, true
	}
	host, org, workspace, prefix := b.config["hostname"], b.config["organization"], b.config["workspaces.name"], b.config["workspaces.prefix"]
	r.Host, r.Organization, r.Unknown = host.text, org.text, host.there && !host.plain
	r.Workspace, r.Prefix = workspace.text, prefix.text
	r.Computed = !org.plain || workspace.there && !workspace.plain || prefix.there && !prefix.plain
	key := []string{org.expr, `"/"`}
	switch {
	case !org.there:
		r.Problem = "names no organization. Write the client's name there."
	case workspace.there:
		key = append(key, workspace.expr)
		r.Prefix = ""
	case prefix.there && !b.workspace.there:
		r.Problem = "has a prefix, and the data source no workspace. Write workspaces = { name = \"NAME\" }."
	case prefix.there:
		key = append(key, prefix.expr, b.workspace.expr)
		r.Workspace, r.Computed = b.workspace.text, r.Computed || !b.workspace.plain
	case b.config["workspaces"].there:
		r.Computed = true
		r.Problem = "has workspaces that are not written out. Write them as workspaces = { name = \"NAME\" }."
	default:
		r.Problem = "does not say which workspace is meant. Write workspaces = { name = \"NAME\" }."
	}
	r.Key = `replace(join("", [(` + strings.Join(key, "\n), (") + "\n)]), \":\", \"/\")"
	return r, true
}

// blockNamed returns what is known of the block of the name so far.
func blockNamed(found map[string]*readBlock, name, file string, line int) *readBlock {
	b := found[name]
	if b == nil {
		b = &readBlock{file: file, line: line}
		found[name] = b
	}
	return b
}

func readsOfNative(src []byte, full string, found map[string]*readBlock) {
	file, _ := hclsyntax.ParseConfig(src, "", hcl.InitialPos) // what is wrong with it Terraform tells
	if file == nil {
		return
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	of := func(e hclsyntax.Expression) readText {
		t := readText{there: true, expr: string(e.Range().SliceBytes(src))}
		if t.text, t.plain = literal(e); t.plain {
			return t
		}
		if tmpl, ok := e.(*hclsyntax.TemplateExpr); ok && len(tmpl.Parts) > 0 {
			if l, ok := tmpl.Parts[0].(*hclsyntax.LiteralValueExpr); ok && l.Val.Type() == cty.String && !l.Val.IsNull() {
				t.text = l.Val.AsString()
			}
		}
		return t
	}
	for _, block := range body.Blocks {
		if block.Type != "data" || len(block.Labels) != 2 || block.Labels[0] != remoteState || block.Body == nil {
			continue
		}
		b := blockNamed(found, block.Labels[1], full, block.DefRange().Start.Line)
		if a := block.Body.Attributes["backend"]; a != nil {
			b.backend = of(a.Expr)
		}
		if a := block.Body.Attributes["workspace"]; a != nil {
			b.workspace = of(a.Expr)
		}
		a := block.Body.Attributes["config"]
		if a == nil {
			continue
		}
		b.config = map[string]readText{}
		b.opaque = !members(a.Expr, func(name string, e hclsyntax.Expression) {
			b.config[name] = of(e)
			if name == "workspaces" {
				members(e, func(inner string, e hclsyntax.Expression) { b.config["workspaces."+inner] = of(e) })
			}
		})
	}
}

// members calls f for the members of an object that is written out, and reports
// whether it is one.
func members(e hclsyntax.Expression, f func(name string, e hclsyntax.Expression)) bool {
	o, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return false
	}
	whole := true
	for _, item := range o.Items {
		name := hcl.ExprAsKeyword(item.KeyExpr)
		if k, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && name == "" {
			name, _ = literal(k.Wrapped)
		}
		if whole = whole && name != ""; name != "" {
			f(name, item.ValueExpr)
		}
	}
	return whole
}

func readsOfJSON(src []byte, full string, found map[string]*readBlock) {
	var body any
	if json.Unmarshal(src, &body) != nil {
		return
	}
	of := func(v any) readText {
		t := readText{there: true}
		t.text, t.plain = plain(v)
		return t
	}
	eachObject(body, func(typ string, v any) {
		if typ != "data" {
			return
		}
		eachObject(v, func(source string, v any) {
			if source != remoteState {
				return
			}
			eachObject(v, func(name string, v any) {
				b := blockNamed(found, name, full, 0)
				eachObject(v, func(name string, v any) {
					switch name {
					case "backend":
						b.backend = of(v)
					case "workspace":
						b.workspace = of(v)
					case "config":
						_, ok := v.(map[string]any)
						b.config, b.opaque = map[string]readText{}, !ok
						eachObject(v, func(name string, v any) {
							t := of(v)
							b.config[name] = t
							// In JSON what is computed stands within a text that only
							// Terraform takes apart: it is not copied.
							b.opaque = b.opaque || !t.plain && (name == "address" || name == "hostname" || name == "organization")
							if name == "workspaces" {
								eachObject(v, func(inner string, v any) {
									t := of(v)
									b.config["workspaces."+inner] = t
									b.opaque = b.opaque || !t.plain
								})
							}
						})
					}
				})
			})
		})
	})
}
