package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	gates "github.com/tidelock/tidelock/internal/gate" // gate is a name in the tests
)

// gatesDoc is what the reference says of gate blocks; docs/gates.md has the
// rest.
const gatesDoc = "What has to be so before a plan, an apply or a destroy, in a block each: `gate \"plan\"`, `gate \"apply\"`, `gate \"destroy\"`. " +
	"A repository's `tidelock.hcl` has the same blocks and can only tighten these. They stand in the file only, and have no variables. " +
	"`defaults.required_approvals` is the short form of `approvals` in `gate \"apply\"`; where both are set, the larger holds. " +
	"The policies are asked before every apply, with or without a gate. [Gates](gates.md) tells of each with an example."

// readGates reads the gate blocks. Their problems have their own places.
func (l *Reading) readGates(blocks hcl.Blocks) {
	set, problems := gates.DecodeBlocks(blocks, l.File)
	for _, p := range problems {
		where := fmt.Sprintf("%s:%d:%d", l.File, p.Line, p.Column)
		if p.Line == 0 {
			where = l.File
		}
		l.problem(gates.BlockType, where, "%s", lowerFirst(p.Message))
	}
	if len(problems) > 0 {
		l.broken[gates.BlockType] = true
		return
	}
	l.Config.Gates = set
	for _, b := range blocks {
		if b.Type == gates.BlockType {
			l.origins[gates.BlockType+"."+b.Labels[0]] = origin{rank: rankFile, where: place(b.DefRange)}
		}
	}
}

// writeGates prints the gates that the file has as a file could hold them.
func (l *Reading) writeGates(b *strings.Builder) {
	for _, act := range gates.Acts() {
		if o := l.originOf(gates.BlockType + "." + string(act)); o.rank != rankDefault {
			fmt.Fprintf(b, "\n# from %s\n%s", o.where, l.Config.Gates.HCL(act))
		}
	}
}

// gatesJSON adds the gates that the file has to what is shown as JSON.
func (l *Reading) gatesJSON(all map[string]Shown) {
	for act, rules := range map[gates.Act]gates.Rules{gates.ActPlan: l.Config.Gates.Plan, gates.ActApply: l.Config.Gates.Apply, gates.ActDestroy: l.Config.Gates.Destroy} {
		path := gates.BlockType + "." + string(act)
		if o := l.originOf(path); o.rank != rankDefault {
			all[path] = Shown{Value: rules, Source: o.where}
		}
	}
}

// gatesReference is the section of docs/configuration.md.
func gatesReference() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## `gate`\n\n%s\n\n| attribute | takes | what it asks for |\n|---|---|---|\n", gatesDoc)
	for _, a := range gates.Attributes() {
		fmt.Fprintf(&b, "| **`%s`** | %s | %s |\n", a.Name, a.Takes, strings.ReplaceAll(a.Doc, "|", "\\|"))
	}
	fmt.Fprintf(&b, "| **`rule %s { … }`** | a block | A condition in CEL: `when`, which is true where the gate is open, and `message`, which is shown where it is not. |\n", strconv.Quote("NAME"))
	return b.String()
}
