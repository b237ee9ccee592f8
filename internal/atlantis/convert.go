package atlantis

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/planner"
)

// Convert writes a configuration that Read returned as a tidelock.hcl, with
// the notes as comments at its head. What planner.ParseConfig reads of it is
// the same configuration, places apart.
func Convert(cfg planner.RepoConfig, notes []planner.Problem) []byte {
	f := hclwrite.NewEmptyFile()
	w := writer{f.Body()}
	w.comment("Made of " + cfg.File + " by tidelock convert. It counts once it is on the base branch;")
	w.comment("then " + cfg.File + " is not read any more.")
	if len(notes) > 0 {
		w.line()
		w.comment("Not carried over:")
		for _, n := range notes {
			place := cfg.File
			if n.Line > 0 {
				place = fmt.Sprintf("line %d", n.Line)
			}
			w.comment("- " + place + ": " + n.Message)
		}
	}
	w.line()
	if len(cfg.Projects) > 0 {
		if cfg.Autodiscover {
			w.comment("The projects below, and those that are found by themselves.")
		} else {
			w.comment("The projects below, and no others.")
		}
		w.attribute("autodiscover", cty.BoolVal(cfg.Autodiscover))
	} else if !cfg.Autodiscover {
		w.attribute("autodiscover", cty.False)
	}
	w.list("ignore", cfg.Ignore, false)
	w.text("lock", cfg.Lock)
	if cfg.AutoMerge == nil || !*cfg.AutoMerge {
		w.line()
		w.comment("Atlantis applies before the merge. Without these two the server's settings hold.")
		w.comment("apply_before_merge = true")
		w.comment("apply_on_merge     = false")
		w.line()
	}
	w.flag("auto_merge", cfg.AutoMerge)
	w.flag("delete_branch", cfg.DeleteBranch)
	w.gate(gate.ActPlan, cfg.Gates.Plan)
	w.gate(gate.ActApply, cfg.Gates.Apply)
	if slices.ContainsFunc(cfg.Projects, func(p planner.ProjectConfig) bool { return len(p.Hooks) > 0 || len(p.Env) > 0 }) {
		w.line()
		w.comment("Hooks run, and variables of env reach a run, only where the server allows them.")
	}
	for _, p := range cfg.Projects {
		w.project(p)
	}
	text := bytes.TrimRight(blankLines.ReplaceAll(hclwrite.Format(f.Bytes()), []byte("\n\n")), "\n")
	return append(text, '\n')
}

// blankLines are several in a row: no text that is written here has any.
var blankLines = regexp.MustCompile(`\n{3,}`)

type writer struct{ body *hclwrite.Body }

func (w writer) line() { w.body.AppendNewline() }

func (w writer) comment(text string) {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	w.body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + text + "\n")}})
}

func (w writer) attribute(name string, v cty.Value) { w.body.SetAttributeValue(name, v) }

func (w writer) text(name string, v *string) {
	if v != nil {
		w.attribute(name, cty.StringVal(*v))
	}
}

func (w writer) flag(name string, v *bool) {
	if v != nil {
		w.attribute(name, cty.BoolVal(*v))
	}
}

// list writes a list: an empty one only where that says something else than
// none at all.
func (w writer) list(name string, items []string, empty bool) {
	if len(items) == 0 && !(empty && items != nil) {
		return
	}
	w.attribute(name, texts(items))
}

func texts(items []string) cty.Value {
	values := make([]cty.Value, len(items))
	for i, s := range items {
		values[i] = cty.StringVal(s)
	}
	if len(values) == 0 {
		return cty.EmptyTupleVal
	}
	return cty.TupleVal(values)
}

func (w writer) block(kind string, labels ...string) writer {
	w.line()
	return writer{w.body.AppendNewBlock(kind, labels).Body()}
}

// gate writes the gates that Read makes.
func (w writer) gate(act gate.Act, r gate.Rules) {
	if r.Approvals == 0 && !r.Mergeable && !r.UpToDate && len(r.Expressions) == 0 {
		return
	}
	g := w.block(gate.BlockType, string(act))
	if r.Approvals > 0 {
		g.attribute(gate.Approvals, cty.NumberIntVal(int64(r.Approvals)))
	}
	if r.Mergeable {
		g.attribute(gate.Mergeable, cty.True)
	}
	if r.UpToDate {
		g.attribute(gate.UpToDate, cty.True)
	}
	for i, e := range r.Expressions {
		if i == 0 && r.Approvals == 0 && !r.Mergeable && !r.UpToDate {
			g.comment("Only some projects ask for it.")
		} else {
			g.line()
		}
		b := writer{g.body.AppendNewBlock("rule", []string{e.Name}).Body()}
		b.attribute("when", cty.StringVal(e.Expr))
		if e.Message != "" {
			b.attribute("message", cty.StringVal(e.Message))
		}
	}
}

func (w writer) project(p planner.ProjectConfig) {
	b := w.block("project", p.Name)
	b.attribute("dir", cty.StringVal(p.Dir))
	if p.Workspace != planner.DefaultWorkspace {
		b.attribute("workspace", cty.StringVal(p.Workspace))
	}
	b.list("var_files", p.VarFiles, false)
	b.list("when_modified", p.WhenModified, true)
	if p.ByHand {
		b.attribute("auto_plan", cty.False)
	}
	b.list("depends_on", p.DependsOn, false)
	if p.Tool.Name != "" {
		b.attribute("tool", cty.StringVal(p.Tool.Name))
	}
	if p.Tool.Version != "" {
		b.attribute("tool_version", cty.StringVal(p.Tool.Version))
	}
	if p.Order != 0 {
		b.attribute("order", cty.NumberIntVal(int64(p.Order)))
	}
	b.list("flags", flagsOf(p.Options), false)
	if len(p.Env) > 0 {
		var items []hclwrite.ObjectAttrTokens
		for _, name := range slices.Sorted(maps.Keys(p.Env)) {
			items = append(items, hclwrite.ObjectAttrTokens{
				Name:  hclwrite.TokensForTraversal(hcl.Traversal{hcl.TraverseRoot{Name: name}}),
				Value: hclwrite.TokensForValue(cty.StringVal(p.Env[name])),
			})
		}
		b.body.SetAttributeRaw("env", hclwrite.TokensForObject(items))
	}
	for _, h := range p.Hooks {
		b.hook(h)
	}
}

func (w writer) hook(h planner.Hook) {
	b := w.block("hook", h.When)
	b.attribute("run", texts(h.Run))
	for _, a := range []struct{ name, value string }{{"phase", h.Phase}, {"env", h.Env}, {"multienv", h.MultiEnv}} {
		if a.value != "" {
			b.attribute(a.name, cty.StringVal(a.value))
		}
	}
	if h.Timeout > 0 {
		b.attribute("timeout", cty.StringVal(h.Timeout.String()))
	}
	if h.Sensitive {
		b.attribute("sensitive", cty.True)
	}
}

// flagsOf returns the options as flags, one an item.
func flagsOf(o planner.Options) []string {
	var out []string
	if o.NoRefresh {
		out = append(out, "-refresh=false")
	}
	for _, t := range o.Targets {
		out = append(out, "-target="+t)
	}
	for _, t := range o.Replace {
		out = append(out, "-replace="+t)
	}
	for _, v := range o.Vars {
		out = append(out, "-var="+v)
	}
	if o.Parallelism > 0 {
		out = append(out, fmt.Sprintf("-parallelism=%d", o.Parallelism))
	}
	return out
}
