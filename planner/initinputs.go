package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// InitInputs returns a hash, 64 hex digits, of what `init` reads of the code in
// dir and in the local modules that it calls at any depth: backends, module
// sources, and whatever asks for a provider. Where it is equal, init would
// fetch the same once more, the lock file being equal too. ok is false where
// the code does not tell: it is broken, or not literal.
//
// It is read from the tree as it stands, and not from what was discovered in a
// commit, since hooks may write code.
func InitInputs(fsys fs.FS, dir string) (digest string, ok bool) {
	r := initReader{fsys: fsys, budget: maxCode}
	for dirs := []string{dir}; len(dirs) > 0; dirs = dirs[1:] {
		if slices.Contains(r.seen, dirs[0]) {
			continue
		}
		r.seen = append(r.seen, dirs[0])
		called, ok := r.read(dirs[0])
		if !ok || len(r.seen) > maxInitDirs {
			return "", false
		}
		dirs = append(dirs, called...)
	}
	slices.Sort(r.lines)
	h := sha256.New()
	for _, l := range slices.Compact(r.lines) {
		fmt.Fprintf(h, "%d %s\n", len(l), l)
	}
	return hex.EncodeToString(h.Sum(nil)), true
}

// maxInitDirs is how many modules InitInputs follows.
const maxInitDirs = 1000

// initReader gathers what init reads.
type initReader struct {
	fsys   fs.FS
	budget int64
	seen   []string
	lines  []string
}

// read gathers what one directory says, and returns the local modules that it
// calls.
func (r *initReader) read(dir string) (called []string, ok bool) {
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		return nil, false
	}
	for _, e := range entries {
		if !codeFile(e.Name()) {
			continue
		}
		src, err := fs.ReadFile(r.fsys, path.Join(dir, e.Name()))
		r.budget -= int64(len(src))
		if err != nil || r.budget < 0 {
			return nil, false
		}
		if strings.HasSuffix(e.Name(), ".json") {
			r.say(dir, e.Name(), string(src)) // all of it: its expressions are in strings
			if strings.Contains(string(src), `"module"`) {
				return nil, false
			}
			continue
		}
		more, ok := r.native(dir, src)
		if !ok {
			return nil, false
		}
		called = append(called, more...)
	}
	return called, true
}

func (r *initReader) say(words ...string) { r.lines = append(r.lines, fmt.Sprintf("%q", words)) }

func (r *initReader) native(dir string, src []byte) (called []string, ok bool) {
	if checkDepth(src) != nil {
		return nil, false
	}
	file, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, false
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return nil, false
	}
	text := func(e hcl.Expression) string { return string(e.Range().SliceBytes(src)) }
	for _, b := range body.Blocks {
		switch b.Type {
		case "terraform":
			for _, inner := range b.Body.Blocks {
				if (inner.Type == "backend" || inner.Type == "cloud") && !isLiteral(inner.Body) {
					return nil, false // OpenTofu takes variables there
				}
			}
			r.say(dir, string(b.Range().SliceBytes(src)))
		case "module":
			words := []string{dir, b.Type}
			words = append(words, b.Labels...)
			for _, name := range []string{"source", "version"} {
				a := b.Body.Attributes[name]
				if a == nil {
					continue
				}
				if len(a.Expr.Variables()) > 0 {
					return nil, false
				}
				words = append(words, name, text(a.Expr))
			}
			if a := b.Body.Attributes["source"]; a != nil {
				source, known := literal(a.Expr)
				if !known {
					return nil, false
				}
				if strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") {
					full, err := InRepo(dir, source)
					if err != nil {
						return nil, false
					}
					called = append(called, full)
				}
			}
			r.say(words...)
		default: // of a resource, a provider and the like, what names the provider
			words := []string{dir, b.Type}
			if len(b.Labels) > 0 {
				words = append(words, b.Labels[0])
			}
			for _, name := range []string{"provider", "version"} {
				if a := b.Body.Attributes[name]; a != nil {
					words = append(words, name, text(a.Expr))
				}
			}
			r.say(words...)
		}
	}
	return called, true
}

// isLiteral reports whether nothing in a body, at any depth, is computed.
func isLiteral(b *hclsyntax.Body) bool {
	for _, a := range b.Attributes {
		if len(a.Expr.Variables()) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(b.Blocks, func(inner *hclsyntax.Block) bool { return !isLiteral(inner.Body) })
}
