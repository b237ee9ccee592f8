package planner

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// tool works out which tool a project asks for. modules are its own and the
// local ones that it calls.
func (c *completer) tool(p *Project, modules []*module) Tool {
	in := toolSources{
		file: c.cfg.Tool.wish(c.cfg.file()),
		pin:  func(tool string) (toolWish, bool) { return c.tree.wish(p.Dir, tool) },
		required: func(tool string) (out []ToolNeed) {
			for _, m := range modules {
				out = append(out, m.requires(tool)...)
			}
			return out
		},
	}
	if own, ok := c.tools[p.Key()]; ok {
		in.project = own.wish(c.cfg.file())
	}
	for _, m := range modules {
		for _, piece := range m.parts {
			if in.tofuCode == "" && ofOpenTofu(piece.name) {
				in.tofuCode = path.Join(m.dir, piece.name)
			}
		}
	}
	return wantTool(in)
}

// ofOpenTofu reports whether a file of code is one that Terraform passes over.
func ofOpenTofu(name string) bool {
	return strings.HasSuffix(name, ".tofu") || strings.HasSuffix(name, ".tofu.json")
}

// requires returns what a module's code requires of the tool's version: of the
// files that the tool reads, and where override files say something, that.
func (m *module) requires(tool string) []ToolNeed {
	has := func(name string) bool {
		return slices.ContainsFunc(m.parts, func(p piece) bool { return p.name == name })
	}
	var plain, override []ToolNeed
	for _, p := range m.parts {
		if len(p.requires) == 0 {
			continue
		}
		if tool == ToolTerraform && ofOpenTofu(p.name) {
			continue
		}
		stem, isJSON := strings.CutSuffix(p.name, ".json")
		if twin := strings.TrimSuffix(stem, ".tf") + ".tofu"; tool == ToolOpenTofu && strings.HasSuffix(stem, ".tf") && (!isJSON && has(twin) || isJSON && has(twin+".json")) {
			continue // OpenTofu reads main.tofu in the place of main.tf
		}
		stem = strings.TrimSuffix(strings.TrimSuffix(stem, ".tf"), ".tofu")
		for _, r := range p.requires {
			need := ToolNeed{r.constraint, path.Join(m.dir, p.name)}
			if r.line > 0 {
				need.From += ":" + strconv.Itoa(r.line)
			}
			if stem == "override" || strings.HasSuffix(stem, "_override") {
				override = append(override, need)
			} else {
				plain = append(plain, need)
			}
		}
	}
	if override != nil {
		return override
	}
	return plain
}

// ToolConfig is what the configuration says of the tool: of all projects, or
// of one.
type ToolConfig struct {
	Name        string // ToolTerraform or ToolOpenTofu; "" where it says nothing
	Version     string // as AskTool reads it; "" where it says nothing
	NameLine    int
	VersionLine int
}

// tool reads which tool a configuration asks for, in whose body it stands.
func (r *configReader) tool(name, text *string, body *hclsyntax.Body) ToolConfig {
	var t ToolConfig
	if name != nil {
		t.NameLine = attributeLine(body, "tool")
		switch *name {
		case ToolTerraform, ToolOpenTofu:
			t.Name = *name
		case "opentofu":
			t.Name = ToolOpenTofu
		default:
			known := []string{ToolTerraform, ToolOpenTofu}
			r.say(t.NameLine, "tool is %q; it can be %s.%s", short(*name), orList(known), r.guess(*name, known))
		}
	}
	if text != nil {
		t.Version, t.VersionLine = *text, attributeLine(body, "tool_version")
		if w := readToolVersion(t.Version, false); w.problem != "" {
			r.say(t.VersionLine, "tool_version: %s", w.problem)
		}
	}
	return t
}

func (t ToolConfig) wish(file string) toolWish {
	var w toolWish
	w.line = t.NameLine
	if t.Version != "" {
		w = readToolVersion(t.Version, false)
		w.line = t.VersionLine
	}
	w.name, w.path = t.Name, file
	return w
}

// toolFileConcerns reports whether a change of a version file, be it that it
// went or came, can change which tool a project gets.
func toolFileConcerns(p Project, file string) bool {
	within := func(dir, top string) bool { return top == "." || dir == top || strings.HasPrefix(dir, top+"/") }
	t, dir := p.Tool, path.Dir(file)
	if !isToolFile(path.Base(file)) || t.Fixed || !within(p.Dir, dir) {
		return false
	}
	if t.File == "" || !strings.HasPrefix(t.From, t.File+":") { // something else than a version file chose the tool, if anything
		if of := toolOfFile(file); of != "" && t.Name != "" && of != t.Name {
			return false
		}
	}
	return t.File == "" || within(dir, path.Dir(t.File)) // one that is farther away is not asked
}

// AskTool returns what somebody asks for who names a tool and a version in the
// words of version files: "1.9.8", "1.9", ">= 1.9", "latest". from is where.
// The error is a sentence's end: `"x" is not a version. …`.
func AskTool(name, text, from string) (Tool, error) {
	w := readToolVersion(text, false)
	if w.problem != "" {
		return Tool{}, fmt.Errorf("%s", w.problem)
	}
	t := Tool{Name: name, From: from, Pick: w.pick, Match: w.match}
	if w.constraint != "" {
		t.Needs = []ToolNeed{{w.constraint, from}}
	}
	return t, nil
}
