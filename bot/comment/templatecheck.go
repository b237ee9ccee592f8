package comment

import (
	"fmt"
	"regexp"
	"strconv"
	"text/template"
	"text/template/parse"

	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// countsOf are a plan's counts for a template.
func countsOf(s tfplan.Summary) TemplateCounts {
	return TemplateCounts{Create: s.Create, Update: s.Update, Replace: s.Replace, Delete: s.Delete}
}

// parseTemplate parses a template and walks through it: whatever could make
// one that is short take long, or make much of little, is refused, and every
// round of a range is made to pay.
func parseTemplate(text string) (commentTemplate, error) {
	if len(text) > maxTemplate {
		return commentTemplate{}, errTemplate("it is longer than %d kB.", maxTemplate>>10)
	}
	none := budget(0)
	t, err := template.New(templateName).Funcs(none.funcs()).Parse(text)
	if err != nil {
		return commentTemplate{}, errTemplate("%s", templateMessage(err))
	}
	if len(t.Templates()) > 1 {
		return commentTemplate{}, errTemplate("define and block are not allowed.")
	}
	if t.Tree == nil || t.Tree.Root == nil {
		return commentTemplate{}, errTemplate("it is empty.")
	}
	c := &templateChecker{tree: t.Tree}
	if c.list(t.Tree.Root, 0); c.err != nil {
		return commentTemplate{}, c.err
	}
	return commentTemplate{t}, nil
}

// templateChecker walks a parse tree. It counts the nodes, which is what a
// round of a range costs.
type templateChecker struct {
	tree  *parse.Tree
	nodes int
	err   error
}

// refuse keeps the first thing that is wrong.
func (c *templateChecker) refuse(n parse.Node, format string, args ...any) {
	if c.err == nil {
		where, _ := c.tree.ErrorContext(n)
		c.err = errTemplate("%s: %s", templateLine(where), fmt.Sprintf(format, args...))
	}
}

// templateLine turns "comment:3:17" into "line 3".
func templateLine(where string) string {
	if m := templatePlace.FindStringSubmatch(where); m != nil {
		return "line " + m[1]
	}
	return where
}

var templatePlace = regexp.MustCompile(`^[^:]*:(\d+)`)

// maxRanges is how deep ranges may stand in each other.
const maxRanges = 2

func (c *templateChecker) list(l *parse.ListNode, ranges int) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n, ranges)
	}
}

func (c *templateChecker) node(n parse.Node, ranges int) {
	if c.err != nil {
		return
	}
	c.nodes++
	switch n := n.(type) {
	case *parse.TextNode, *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
	case *parse.ActionNode:
		c.pipe(n.Pipe)
	case *parse.IfNode:
		c.pipe(n.Pipe)
		c.list(n.List, ranges)
		c.list(n.ElseList, ranges)
	case *parse.WithNode:
		c.pipe(n.Pipe)
		c.list(n.List, ranges)
		c.list(n.ElseList, ranges)
	case *parse.RangeNode:
		c.ranging(n, ranges)
	case *parse.TemplateNode:
		c.refuse(n, "template is not allowed.")
	default:
		c.refuse(n, "this is not allowed: %s", markdown.Abridged(n.String(), 60))
	}
}

// ranging checks a range, and has every round of it pay for what is in it.
func (c *templateChecker) ranging(n *parse.RangeNode, ranges int) {
	if ranges++; ranges > maxRanges {
		c.refuse(n, "ranges can stand %d deep.", maxRanges)
		return
	}
	if !rangesProjects(n.Pipe) {
		c.refuse(n, "a range goes over .Projects and nothing else.")
		return
	}
	before := c.nodes
	c.list(n.List, ranges)
	cost := c.nodes - before + 1
	c.list(n.ElseList, ranges)
	if n.List != nil {
		n.List.Nodes = append([]parse.Node{toll(cost)}, n.List.Nodes...)
	}
}

// rangesProjects reports whether a range's pipe is .Projects, or the same of a
// variable: the only list that there is. A number, or what is one, would be
// counted up to.
func rangesProjects(p *parse.PipeNode) bool {
	if p == nil || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	var path []string
	switch n := p.Cmds[0].Args[0].(type) {
	case *parse.FieldNode:
		path = n.Ident
	case *parse.VariableNode:
		path = n.Ident
	}
	return len(path) > 0 && path[len(path)-1] == "Projects"
}

// toll is the action that spends a round's cost.
func toll(cost int) parse.Node {
	none := budget(0)
	t := template.Must(template.New("").Funcs(none.funcs()).Parse("{{" + work + " " + strconv.Itoa(cost) + "}}"))
	return t.Tree.Root.Nodes[0]
}

func (c *templateChecker) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, cmd := range p.Cmds {
		c.command(cmd)
	}
}

func (c *templateChecker) command(cmd *parse.CommandNode) {
	if len(cmd.Args) > 20 {
		c.refuse(cmd, "there are more than 20 arguments.")
	}
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok && id.Ident == "printf" {
		c.printf(cmd)
	}
	for _, a := range cmd.Args {
		c.argument(a)
	}
}

func (c *templateChecker) argument(a parse.Node) {
	if c.err != nil {
		return
	}
	c.nodes++
	switch a := a.(type) {
	case *parse.IdentifierNode:
		if !templateFuncs[a.Ident] {
			c.refuse(a, "the function %s is not allowed.", a.Ident)
		}
	case *parse.PipeNode:
		c.pipe(a)
	case *parse.ChainNode:
		c.argument(a.Node)
	case *parse.DotNode, *parse.NilNode, *parse.FieldNode, *parse.VariableNode, *parse.BoolNode, *parse.NumberNode, *parse.StringNode:
	default:
		c.refuse(a, "this is not allowed: %s", markdown.Abridged(a.String(), 60))
	}
}

// printf wants the format in so many letters, with bounded widths: a width is
// how a few letters make gigabytes.
func (c *templateChecker) printf(cmd *parse.CommandNode) {
	if len(cmd.Args) < 2 {
		c.refuse(cmd, "printf wants its format first, in quotes.")
		return
	}
	format, ok := cmd.Args[1].(*parse.StringNode)
	if !ok {
		c.refuse(cmd, "printf wants its format first, in quotes.")
		return
	}
	for _, verb := range printfVerb.FindAllStringSubmatch(format.Text, -1) {
		for _, digits := range verb[1:3] {
			if n, err := strconv.Atoi(digits); digits != "" && (err != nil || n > maxWidth) {
				c.refuse(cmd, "a width of printf is %d at most.", maxWidth)
			}
		}
		if verb[3] == "*" || verb[3] == "[" {
			c.refuse(cmd, "printf takes no * and no [ in its format.")
		}
	}
}

// printfVerb is a verb of printf: flags, width, precision, and what comes next.
var printfVerb = regexp.MustCompile(`%[ #+\-0]*(\d*)(?:\.(\d*))?(.?)`)
