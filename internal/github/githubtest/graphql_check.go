package githubtest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// graph checks the data of an answer against the schema: what was selected is
// there and nothing else, and each value is of its field's type.
func (c *contract) graph(schema *ast.Schema, doc *ast.QueryDocument, op *ast.OperationDefinition, data any) {
	raw, err := json.Marshal(data) // as whoever asked sees it
	var seen any
	if err == nil {
		err = json.Unmarshal(raw, &seen)
	}
	if err != nil {
		c.report("GraphQL answer: " + err.Error())
		return
	}
	k := graphCheck{schema: schema, report: func(at, why string) { c.report("GraphQL answer: " + at + ": " + why) }}
	root := schema.Query
	if op.Operation == ast.Mutation {
		root = schema.Mutation
	}
	k.object("data", root, op.SelectionSet, seen)
}

type graphCheck struct {
	schema *ast.Schema
	report func(at, why string)
}

// expected is a field that an answer may have; must is false for one that
// hangs on the object's type.
type expected struct {
	field *ast.Field
	must  bool
}

// collect gathers the fields that a selection asks of an object. An object of
// an abstract type may or may not have what a fragment on another type asks.
func collect(into map[string]expected, def *ast.Definition, set ast.SelectionSet, must bool) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			into[sel.Alias] = expected{sel, must || into[sel.Alias].must}
		case *ast.InlineFragment:
			collect(into, def, sel.SelectionSet, must && (sel.TypeCondition == "" || sel.TypeCondition == def.Name))
		case *ast.FragmentSpread:
			collect(into, def, sel.Definition.SelectionSet, must && sel.Definition.TypeCondition == def.Name)
		}
	}
}

func (k graphCheck) object(at string, def *ast.Definition, set ast.SelectionSet, value any) {
	have, ok := value.(map[string]any)
	if !ok {
		k.report(at, fmt.Sprintf("is %T, not a %s", value, def.Name))
		return
	}
	want := map[string]expected{}
	collect(want, def, set, true)
	for name, e := range want {
		child, there := have[name]
		switch {
		case !there && e.must:
			k.report(at+"."+name, "was asked for and is missing")
		case !there:
		case e.field.Name == "__typename":
			if name, _ := child.(string); k.schema.Types[name] == nil {
				k.report(at+".__typename", fmt.Sprintf("%v is no type", child))
			}
		default:
			k.value(at+"."+name, e.field.Definition.Type, e.field.SelectionSet, child)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			k.report(at+"."+name, "was not asked for")
		}
	}
}

var (
	hexCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)
	absolute  = regexp.MustCompile(`^https?://[^/]+`)
)

func (k graphCheck) value(at string, typ *ast.Type, set ast.SelectionSet, value any) {
	if value == nil {
		if typ.NonNull {
			k.report(at, "is null, which "+typ.String()+" can't be")
		}
		return
	}
	if typ.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			k.report(at, "is no list")
			return
		}
		for i, v := range list {
			k.value(at+"["+strconv.Itoa(i)+"]", typ.Elem, set, v)
		}
		return
	}
	def := k.schema.Types[typ.NamedType]
	if def.IsCompositeType() {
		k.object(at, def, set, value)
		return
	}
	text, isText := value.(string)
	number, isNumber := value.(float64)
	fits := false
	switch {
	case def.Kind == ast.Enum:
		fits = isText && slices.ContainsFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return v.Name == text })
	case def.Name == "Boolean":
		_, fits = value.(bool)
	case def.Name == "Int":
		fits = isNumber && number == float64(int32(number))
	case def.Name == "BigInt": // a string of digits, since JSON's numbers lose the last ones
		_, err := strconv.ParseInt(text, 10, 64)
		fits = isText && err == nil
	case def.Name == "DateTime":
		_, err := time.Parse(time.RFC3339, text)
		fits = isText && err == nil
	case def.Name == "GitObjectID":
		fits = isText && hexCommit.MatchString(text)
	case def.Name == "URI":
		fits = isText && absolute.MatchString(text)
	case def.Name == "ID", def.Name == "String":
		fits = isText
	default:
		k.report(at, "the check does not know the scalar "+def.Name)
		return
	}
	if !fits {
		k.report(at, fmt.Sprintf("%v is no %s", value, def.Name))
	}
}
