package tfplan_test

import (
	"testing"

	"github.com/tidelock/tidelock/planner/tfplan"
)

func TestMasks(t *testing.T) {
	mask := map[string]any{"all": true, "none": map[string]any{"a": false, "b": []any{}}, "list": []any{false, map[string]any{"x": true}}}
	for _, c := range []struct {
		name string
		mask any
		want bool
	}{
		{"nothing", nil, false},
		{"all", true, true},
		{"a word", "true", false},
		{"one within", mask, true},
		{"empty within", tfplan.MaskMember(mask, "none"), false},
		{"a member of what is covered whole", tfplan.MaskMember(tfplan.MaskMember(mask, "all"), "x"), true},
		{"a member that is not named", tfplan.MaskMember(mask, "other"), false},
		{"an element", tfplan.MaskElement(tfplan.MaskMember(mask, "list"), 1), true},
		{"another element", tfplan.MaskElement(tfplan.MaskMember(mask, "list"), 0), false},
		{"an element past the end", tfplan.MaskElement(tfplan.MaskMember(mask, "list"), 2), false},
		{"an element before the beginning", tfplan.MaskElement(tfplan.MaskMember(mask, "list"), -1), false},
		{"an element of what is covered whole", tfplan.MaskElement(true, 7), true},
		{"a member of a list", tfplan.MaskMember(tfplan.MaskMember(mask, "list"), "x"), false},
	} {
		if got := tfplan.MaskCovers(c.mask); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
