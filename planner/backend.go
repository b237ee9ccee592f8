package planner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Backend is where the code of one directory says that its state is kept.
type Backend struct {
	Type string // "s3", "cloud", …; "" where the code declares none
	Path string // of a local one, as it is written; "" where it is none that is written literally
}

// BackendIn reads the code in one directory for its backend, as it is now:
// where code is generated, only the run knows it. Of several the last counts,
// files that override others after those that do not, as with Terraform.
func BackendIn(fsys fs.FS, dir string) (Backend, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Backend{}, nil
	}
	if err != nil {
		return Backend{}, fmt.Errorf("read %s: %w", dir, err)
	}
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int {
		return cmp.Compare(overrides(a.Name()), overrides(b.Name()))
	})
	var found Backend
	for _, d := range entries {
		if d.IsDir() || !codeFile(d.Name()) {
			continue
		}
		full := path.Join(dir, d.Name())
		info, err := fs.Stat(fsys, full)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if info.Size() > maxGenerated {
			return Backend{}, fmt.Errorf("%s is larger than %d MB", full, maxGenerated>>20)
		}
		src, err := fs.ReadFile(fsys, full)
		if err != nil {
			return Backend{}, fmt.Errorf("read %s: %w", full, err)
		}
		b := Backend{}
		if path.Ext(d.Name()) == ".json" {
			b = backendOfJSON(src)
		} else if checkDepth(src) == nil {
			b = backendOfNative(src)
		}
		if b.Type != "" {
			found = b
		}
	}
	return found, nil
}

// overrides is 1 for a file of code that overrides others, else 0.
func overrides(name string) int {
	base, _, _ := strings.Cut(name, ".tf")
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".json"), ".tofu")
	if base == "override" || strings.HasSuffix(base, "_override") {
		return 1
	}
	return 0
}

// maxGenerated bounds one file of generated code, in bytes: a synthesised stack
// is one large file.
const maxGenerated = 64 << 20

func backendOfNative(src []byte) Backend {
	file, _ := hclsyntax.ParseConfig(src, "", hcl.InitialPos) // what is wrong with it Terraform tells
	if file == nil {
		return Backend{}
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return Backend{}
	}
	var b Backend
	for _, block := range body.Blocks {
		if block.Type != "terraform" || block.Body == nil {
			continue
		}
		for _, inner := range block.Body.Blocks {
			switch {
			case inner.Type == "cloud":
				b = Backend{Type: "cloud"}
			case inner.Type == "backend" && len(inner.Labels) == 1:
				b = Backend{Type: inner.Labels[0]}
				if a := inner.Body.Attributes["path"]; a != nil {
					if v, diags := a.Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
						b.Path = v.AsString()
					}
				}
			}
		}
	}
	return b
}

func backendOfJSON(src []byte) Backend {
	var body any
	if json.Unmarshal(src, &body) != nil {
		return Backend{}
	}
	var b Backend
	eachObject(body, func(typ string, v any) {
		if typ != "terraform" {
			return
		}
		eachObject(v, func(name string, inner any) {
			switch name {
			case "cloud":
				b = Backend{Type: "cloud"}
			case "backend":
				eachObject(inner, func(label string, settings any) {
					b = Backend{Type: label}
					eachObject(settings, func(arg string, value any) {
						if s, ok := value.(string); ok && arg == "path" {
							b.Path = s
						}
					})
				})
			}
		})
	})
	return b
}
