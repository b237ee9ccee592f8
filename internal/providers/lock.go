package providers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/tidelock/tidelock/internal/errs"
)

// lockName is the file that pins a project's providers.
const lockName = ".terraform.lock.hcl"

// maxLock bounds a lock file, in bytes.
const maxLock = 1 << 20

// pin is what a lock file says of one provider.
type pin struct {
	version string
	hashes  []string
	line    int
}

// readLock returns the lock file of the project in dir, nil where there is
// none.
func readLock(fsys fs.FS, dir string) ([]byte, error) {
	name := path.Join(dir, lockName)
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The lock file %s can't be read, or leads out of the repository.", name)
	}
	if !info.Mode().IsRegular() || info.Size() > maxLock {
		return nil, errs.New(errs.Invalid, "The lock file %s is not a plain file of at most %d bytes.", name, maxLock)
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// LockOfPlan returns the lock file that stands in a saved plan: what the plan
// was made with, and will be applied with; nil where it holds none.
func LockOfPlan(planFile string) ([]byte, error) {
	r, closePlan, err := openZip(planFile)
	if err != nil {
		return nil, fmt.Errorf("read the plan file: %w", err)
	}
	defer closePlan()
	f, err := r.Open(lockName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the plan file's lock file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLock))
	if err != nil {
		return nil, fmt.Errorf("read the plan file's lock file: %w", err)
	}
	return text, nil
}

// parseLock returns what a lock file pins. What is wrong with it Terraform
// tells; here only what is right counts.
func parseLock(text []byte) map[Address]pin {
	out := map[Address]pin{}
	file, _ := hclsyntax.ParseConfig(text, lockName, hcl.InitialPos)
	if file == nil {
		return out
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return out
	}
	for _, b := range body.Blocks {
		if b.Type != "provider" || len(b.Labels) != 1 || b.Body == nil {
			continue
		}
		a, err := parseAddress(b.Labels[0])
		if err != nil {
			continue
		}
		p := pin{line: b.DefRange().Start.Line}
		if v := constant(b.Body.Attributes["version"]); v.Type() == cty.String && !v.IsNull() {
			p.version = v.AsString()
		}
		if v := constant(b.Body.Attributes["hashes"]); v.CanIterateElements() {
			for _, h := range v.AsValueSlice() {
				if h.Type() == cty.String && !h.IsNull() {
					p.hashes = append(p.hashes, h.AsString())
				}
			}
		}
		out[a] = p
	}
	return out
}

func constant(a *hclsyntax.Attribute) cty.Value {
	if a == nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return v
}

// amendLock returns a lock file with further checksums beside those that it
// holds: what init itself writes there once it has verified a package by those.
func amendLock(text []byte, more map[Address][]string) ([]byte, error) {
	file, diags := hclwrite.ParseConfig(text, lockName, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("read %s: %w", lockName, diags)
	}
	for _, b := range file.Body().Blocks() {
		if b.Type() != "provider" || len(b.Labels()) != 1 {
			continue
		}
		a, err := parseAddress(b.Labels()[0])
		if err != nil || len(more[a]) == 0 {
			continue
		}
		all := append(slices.Clone(parseLock(text)[a].hashes), more[a]...)
		slices.Sort(all)
		b.Body().SetAttributeRaw("hashes", hashTokens(slices.Compact(all)))
	}
	return file.Bytes(), nil
}

// hashTokens writes the list as Terraform does, one checksum a line.
func hashTokens(hashes []string) hclwrite.Tokens {
	t := hclwrite.Tokens{
		{Type: hclsyntax.TokenOBrack, Bytes: []byte{'['}},
		{Type: hclsyntax.TokenNewline, Bytes: []byte{'\n'}},
	}
	for _, h := range hashes {
		t = append(t, hclwrite.TokensForValue(cty.StringVal(h))...)
		t = append(t, &hclwrite.Token{Type: hclsyntax.TokenComma, Bytes: []byte{','}}, &hclwrite.Token{Type: hclsyntax.TokenNewline, Bytes: []byte{'\n'}})
	}
	return append(t, &hclwrite.Token{Type: hclsyntax.TokenCBrack, Bytes: []byte{']'}})
}
