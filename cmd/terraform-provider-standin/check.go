package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// check finds in a configuration what Terraform itself cannot: how many blocks
// there may be, and values outside a known list. Unknown values pass.
func check(fs fields, at path.Path, object tftypes.Value) diag.Diagnostics {
	var found diag.Diagnostics
	attrs := attrsOf(object)
	for _, f := range fs {
		v, here := attrs[f.name], at.AtName(f.name)
		if !v.IsKnown() {
			continue
		}
		if f.kind.isBlock() {
			elems := elemsOf(v)
			switch n := len(elems); {
			case n < f.min:
				found.AddAttributeError(here, fmt.Sprintf("Insufficient %s blocks", f.name),
					fmt.Sprintf("At least %d %q blocks are required.", f.min, f.name))
			case f.max > 0 && n > f.max:
				found.AddAttributeError(here, fmt.Sprintf("Too many %s blocks", f.name),
					fmt.Sprintf("No more than %d %q blocks are allowed.", f.max, f.name))
			}
			for i, e := range elems {
				inner := here.AtListIndex(i)
				if f.kind == kindBlockSet {
					inner = here // an element of a set has no index to point at
				}
				found.Append(check(f.of, inner, e)...)
			}
			continue
		}
		if s := stringOf(v); s != "" && len(f.values) > 0 && !slices.Contains(f.values, s) {
			found.AddAttributeError(here, fmt.Sprintf("Invalid value for %s", f.name),
				fmt.Sprintf("expected %s to be one of %s, got %q", f.name, strings.Join(f.values, ", "), s))
		}
	}
	return found
}
