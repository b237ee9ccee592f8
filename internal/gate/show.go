package gate

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// HCL returns the act's own rules as a block that Decode reads, "" where there
// are none. Lists of people beyond the first, which no file can hold, follow
// as comments.
func (s Set) HCL(act Act) string {
	r := s.rules(act)
	var lines [][2]string
	add := func(name, value string) { lines = append(lines, [2]string{name, value}) }
	if r.Approvals > 0 {
		add(Approvals, fmt.Sprint(r.Approvals))
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{CodeOwners, r.CodeOwners}, {Mergeable, r.Mergeable}, {UpToDate, r.UpToDate}, {Policies, r.Policies}} {
		if f.on {
			add(f.name, "true")
		}
	}
	if r.MaxMonthlyCost != nil {
		add(Cost, r.MaxMonthlyCost.String())
	}
	if r.Role != "" {
		add(Role, hclText(r.Role))
	}
	for _, l := range []struct {
		name  string
		items []string
	}{{Checks, r.Checks}, {Labels, r.Labels}, {WithoutLabels, r.WithoutLabels}, {Users, r.Users}, {"teams", r.Teams}} {
		if len(l.items) > 0 {
			add(l.name, hclList(l.items))
		}
	}
	if len(lines) == 0 && len(r.Expressions) == 0 && len(r.Also) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q {\n", BlockType, act)
	width := 0
	for _, l := range lines {
		width = max(width, len(l[0]))
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "  %-*s = %s\n", width, l[0], l[1])
	}
	for _, p := range r.Also {
		fmt.Fprintf(&b, "  # and also among users = %s, teams = %s\n", hclList(p.Users), hclList(p.Teams))
	}
	for _, e := range r.Expressions {
		fmt.Fprintf(&b, "  rule %q {\n    when    = %s\n", e.Name, hclText(e.Expr))
		if e.Message != "" {
			fmt.Fprintf(&b, "    message = %s\n", hclText(e.Message))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func hclText(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}

func hclList(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = hclText(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
