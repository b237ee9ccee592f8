package planner

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-version"
)

// The tools that run plans, as the configuration and version files name them.
const (
	ToolTerraform = "terraform"
	ToolOpenTofu  = "tofu"
)

// Which of the versions that a project allows is taken. The zero value leaves
// that to the server: what it has before what it would have to fetch.
const (
	PickNewest = "newest" // of all that there are
	PickOldest = "oldest"
)

// Tool is which Terraform or OpenTofu a project asks for, and where it says
// so. The zero value leaves everything to the server.
type Tool struct {
	Name string `json:"name,omitempty"` // ToolTerraform, ToolOpenTofu, or "" for the server's
	From string `json:"from,omitempty"` // what chose the name: ".opentofu-version", "tidelock.hcl:3"
	// Needs are what the version must meet, all of them.
	Needs []ToolNeed `json:"needs,omitempty"`
	Pick  string     `json:"pick,omitempty"`
	File  string     `json:"file,omitempty"`  // the version file that was asked; "" where none was, or there is none
	Fixed bool       `json:"fixed,omitempty"` // the configuration chose the version, so that no version file is asked
	Match string     `json:"match,omitempty"` // regular expression that the version must match too, from "latest:REGEX"
	// Problem says why no version can be right: a file that can't be
	// understood, two that contradict each other. Nothing of the project may
	// run while there is one.
	Problem Problem `json:"problem,omitzero"`
}

// ToolNeed is one constraint, as hashicorp/go-version reads them, with the
// place where it stands.
type ToolNeed struct {
	Constraint string `json:"constraint"`
	From       string `json:"from"` // "live/a/versions.tf:3", ".terraform-version"
}

// ToolTitle returns what people call a tool.
func ToolTitle(name string) string {
	switch name {
	case ToolOpenTofu:
		return "OpenTofu"
	case ToolTerraform:
		return "Terraform"
	}
	return "Terraform or OpenTofu"
}

// String says what is asked for, and where: "Terraform = 1.9.8 (.terraform-version)".
func (t Tool) String() string {
	var b strings.Builder
	b.WriteString(ToolTitle(t.Name))
	if t.Pick != "" {
		b.WriteString(", the " + t.Pick)
	}
	if t.Match != "" {
		fmt.Fprintf(&b, " that matches %q", t.Match)
	}
	for i, n := range t.Needs {
		sep := " "
		if i > 0 {
			sep = " and "
		}
		fmt.Fprintf(&b, "%s%s (%s)", sep, n.Constraint, n.From)
	}
	if len(t.Needs) == 0 && t.From != "" {
		fmt.Fprintf(&b, " (%s)", t.From)
	}
	return b.String()
}

// asked returns what is asked for, without where: the same for two trees in
// which the same tool is to be taken.
func (t Tool) asked() string {
	if t.Name == "" && len(t.Needs) == 0 && t.Pick == "" && t.Problem.Message == "" {
		return ""
	}
	constraints := make([]string, len(t.Needs))
	for i, n := range t.Needs {
		constraints[i] = n.Constraint
	}
	slices.Sort(constraints)
	return fmt.Sprintf("%q %q %q %q %q", t.Name, t.Pick, t.Match, slices.Compact(constraints), t.Problem.Message)
}

// Rule returns the test that a version must pass, by Needs alone. A
// pre-release passes only where one of them names it exactly: the constraints
// of code are held against the release that it leads to, as Terraform itself
// does.
func (t Tool) Rule() (func(*version.Version) bool, error) {
	type parsed struct {
		version.Constraint
		exact bool
	}
	var all []parsed
	for _, n := range t.Needs {
		list, err := parseConstraint(n.Constraint)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.From, err)
		}
		for _, c := range list {
			op := strings.TrimLeft(strings.TrimSpace(c.String()), "=")
			all = append(all, parsed{*c, strings.IndexByte("<>!~", op[0]) < 0})
		}
	}
	return func(v *version.Version) bool {
		named := v.Prerelease() == ""
		core := v.Core()
		for i := range all {
			switch c := &all[i]; {
			case c.exact && c.Prerelease():
				if !c.Check(v) {
					return false
				}
				named = true
			case !c.Check(core):
				return false
			}
		}
		return named
	}, nil
}

// maxConstraint bounds a constraint that is taken apart, in bytes.
const maxConstraint = 500

// parseConstraint is go-version's, for text of a stranger's.
func parseConstraint(text string) (version.Constraints, error) {
	if len(text) > maxConstraint || strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("%q is no version constraint", short(text))
	}
	list, err := version.NewConstraint(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no version constraint", short(text))
	}
	return list, nil
}

// toolWish is what one place asks for.
type toolWish struct {
	name       string // as in Tool; "" where the place says only a version
	constraint string // "" for any
	pick       string
	match      string
	server     bool   // any, the server's own before all others
	problem    string // what is wrong with it, as a sentence
	path       string // the place
	line       int    // 0 for none
}

// from returns the place as people are told of it.
func (w toolWish) from() string {
	if w.line == 0 {
		return w.path
	}
	return w.path + ":" + strconv.Itoa(w.line)
}

// asks reports whether the place asks for a version, rather than for a tool
// alone.
func (w toolWish) asks() bool {
	return w.constraint != "" || w.pick != "" || w.server || w.problem != ""
}

// toolSources is what a project's tool is worked out from.
type toolSources struct {
	project, file toolWish // of the project block and of the configuration as a whole; zero where they say nothing
	tofuCode      string   // a file of OpenTofu's own that the project's code has; "" for none
	// pin returns what the version file says that is nearest to the project
	// and speaks of the tool, "" for any.
	pin func(tool string) (toolWish, bool)
	// required returns what the code itself requires, read as the tool does.
	required func(tool string) []ToolNeed
}

// wantTool decides. The configuration comes first; then code that Terraform
// would pass over, since it would take for deleted what stands in there; then
// version files. What the code requires holds in any case.
func wantTool(in toolSources) Tool {
	named := in.project
	if named.name == "" {
		named = in.file
	}
	wish := in.project
	if !wish.asks() && (in.project.name == "" || in.file.name == "" || in.project.name == in.file.name) {
		wish = in.file
	}
	var t Tool
	switch {
	case named.name != "":
		t.Name, t.From = named.name, named.from()
	case in.tofuCode != "":
		t.Name, t.From = ToolOpenTofu, in.tofuCode
	}
	t.Fixed = wish.asks()
	if !t.Fixed {
		if pin, ok := in.pin(t.Name); ok {
			if t.Name == "" {
				t.Name, t.From = pin.name, pin.from()
			}
			wish, t.File = pin, pin.path
		}
	}
	t.Pick, t.Match = wish.pick, wish.match
	if wish.constraint != "" {
		t.Needs = append(t.Needs, ToolNeed{wish.constraint, wish.from()})
	}
	for _, need := range in.required(t.Name) {
		if !slices.Contains(t.Needs, need) {
			t.Needs = append(t.Needs, need)
		}
	}
	message := wish.problem
	if wish.constraint != "" {
		message = t.contradiction()
	}
	if message != "" {
		t.Problem = Problem{Path: wish.path, Line: wish.line, Message: message}
	}
	return t
}

// contradiction says which of the other needs the version can't meet that the
// first one names, "" where it can, or where that names no single version.
func (t Tool) contradiction() string {
	exact, ok := strings.CutPrefix(t.Needs[0].Constraint, "= ")
	v, err := version.NewVersion(exact)
	if !ok || err != nil {
		return ""
	}
	for _, n := range t.Needs[1:] {
		meets, err := Tool{Needs: []ToolNeed{t.Needs[0], n}}.Rule()
		if err == nil && !meets(v) {
			return fmt.Sprintf("This asks for %s %s, but %s requires %s. Change one of them.", ToolTitle(t.Name), v, n.From, n.Constraint)
		}
	}
	return ""
}
