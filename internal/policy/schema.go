package policy

import (
	_ "embed" // the schema
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

//go:embed input.schema.json
var inputSchema []byte

// InputSchema is the JSON Schema (draft 7) of what rules see as input. The
// attributes of resources are free in it: they are the providers' matter. Where
// it names the members of an object, a rule may ask for no other one: that is
// held against all Rego when it is loaded.
func InputSchema() []byte { return slices.Clone(inputSchema) }

// schemas gives the compiler the schema of the input.
func schemas() *ast.SchemaSet {
	var schema any
	if err := json.Unmarshal(inputSchema, &schema); err != nil {
		panic(err) // embedded, and read by every test
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, schema)
	return set
}

// misread says in words what is wrong with a reference to something that is
// not there, "" where the error is of another kind.
func misread(e *ast.Error) string {
	d, ok := e.Details.(*ast.RefErrInvalidDetail)
	if !ok || d.Pos < 1 || d.Pos >= len(d.Ref) || len(d.OneOf) == 0 {
		return ""
	}
	asked, ok := d.Ref[d.Pos].Value.(ast.String)
	if !ok {
		return ""
	}
	whole := d.Ref[:d.Pos].String()
	if d.Ref[0].Equal(ast.InputRootDocument) && d.Pos == 1 {
		switch asked {
		case "review", "parameters", "constraint":
			return fmt.Sprintf("input.%s is Gatekeeper's, of what Kubernetes admits: of a plan, rules read input.resource_changes, and what is chosen stands in a data.json beside the rules", string(asked))
		case "tfplan", "terraform", "tfrun", "run", "spacelift":
			return fmt.Sprintf("input.%s is another product's: here the plan is input.plan, or at the top as in input.resource_changes, and the run is input.pull, input.project and input.change", string(asked))
		case "resource", "module", "data", "provider", "locals", "variable", "output":
			return fmt.Sprintf("input.%s is of the code, as conftest reads .tf files: here the input is the plan, and what it does to resources is input.resource_changes", string(asked))
		}
	}
	names := make([]string, 0, len(d.OneOf))
	for _, v := range d.OneOf {
		if s, ok := v.(ast.String); ok {
			names = append(names, string(s))
		}
	}
	slices.Sort(names)
	text := fmt.Sprintf("%s has no %q", whole, string(asked))
	if near := nearest(string(asked), names); near != "" {
		text += fmt.Sprintf(", did you mean %q", near)
	}
	return text + fmt.Sprintf("? There is: %s", strings.Join(names, ", "))
}

// nearest finds the name that a person may have meant: at most a third of its
// letters are wrong.
func nearest(asked string, names []string) string {
	best, least := "", len(asked)/3+1
	for _, n := range names {
		if d := distance(asked, n); d < least || d == least && best == "" {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters that make a of b: Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
