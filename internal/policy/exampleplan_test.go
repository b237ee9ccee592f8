package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// object is a JSON object in the making.
type object = map[string]any

// planOf makes the plan that Terraform would for an example: the changes of its
// resources, and its configuration with references as Terraform writes them.
//
// It knows the blocks terraform, provider, module, data, variable, locals,
// output, resource (with provisioners) and removed. What no literal tells,
// such as the ID of a resource that is yet to be made, is known after the apply.
func planOf(t *testing.T, x policy.Example) *tfplan.Plan {
	t.Helper()
	now := readExample(t, x.HCL)
	actions := map[string][]string{"": {"create"}, "create": {"create"}, "update": {"update"}, "replace": {"delete", "create"}, "delete": {"delete"}}
	if actions[x.Action] == nil {
		t.Fatalf("unknown action %q", x.Action)
	}
	changes := []object{}
	add := func(address string, acts []string, before, after *madeResource) {
		n := max(x.Count, 1)
		for i := range n {
			at := address
			if n > 1 {
				at = fmt.Sprintf("%s[%d]", address, i)
			}
			changes = append(changes, changeOf(at, acts, before, after))
		}
	}
	if x.Before == "" {
		for _, r := range now.resources {
			before, after := (*madeResource)(nil), r
			if x.Action != "" && x.Action != "create" {
				before = r
			}
			if x.Action == "delete" {
				after = nil
			}
			add(r.address, actions[x.Action], before, after)
		}
	} else {
		was := readExample(t, x.Before)
		for _, r := range now.resources {
			acts := []string{"update"}
			before := was.resource(r.address)
			if before == nil {
				acts = []string{"create"}
			}
			add(r.address, acts, before, r)
		}
		for _, r := range was.resources {
			switch {
			case now.forgotten[r.address]:
				add(r.address, []string{"forget"}, r, nil)
			case now.resource(r.address) == nil:
				add(r.address, []string{"delete"}, r, nil)
			}
		}
	}
	raw, err := json.Marshal(object{
		"format_version": "1.2", "terraform_version": "1.11.4",
		"variables": now.values, "resource_changes": changes, "output_changes": now.outputChanges,
		"configuration": object{"provider_config": now.providers, "root_module": now.module},
	})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(raw))
}

// madeResource is a resource as a plan shows it.
type madeResource struct {
	address, kind, name       string
	after, unknown, sensitive any
}

func changeOf(address string, actions []string, before, after *madeResource) object {
	c := object{"actions": actions, "before": nil, "after": nil, "after_unknown": object{}, "before_sensitive": false, "after_sensitive": false}
	r := before
	if before != nil {
		c["before"], c["before_sensitive"] = before.after, before.sensitive
	}
	if after != nil {
		r = after
		c["after"], c["after_unknown"], c["after_sensitive"] = after.after, after.unknown, after.sensitive
	}
	provider, _, _ := strings.Cut(r.kind, "_")
	return object{
		"address": address, "mode": "managed", "type": r.kind, "name": r.name,
		"provider_name": "registry.terraform.io/hashicorp/" + provider, "change": c,
	}
}

// configuration is an example's HCL as a plan's JSON holds it.
type configuration struct {
	t                         *testing.T
	resources                 []*madeResource
	forgotten                 map[string]bool
	providers, module, values object
	outputChanges             object
	blocks                    []*hclsyntax.Block
	required                  map[string]string // provider → version constraint
	sources                   map[string]string // provider → source
	known                     *hcl.EvalContext
}

func (c *configuration) resource(address string) *madeResource {
	for _, r := range c.resources {
		if r.address == address {
			return r
		}
	}
	return nil
}

func readExample(t *testing.T, src string) *configuration {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(src), "example.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	c := &configuration{
		t: t, forgotten: map[string]bool{}, providers: object{}, values: object{}, outputChanges: object{},
		required: map[string]string{}, sources: map[string]string{},
		blocks: file.Body.(*hclsyntax.Body).Blocks,
	}
	c.evaluate()
	resources, calls, variables, outputs := []object{}, object{}, object{}, object{}
	for _, b := range c.blocks {
		switch b.Type {
		case "terraform":
			c.requirements(b.Body)
		case "resource", "data":
			resources = append(resources, c.resourceConfig(b))
			if b.Type == "resource" {
				c.resources = append(c.resources, c.made(b))
			}
		case "module":
			call := object{"source": c.text(b.Body, "source"), "expressions": c.expressions(b.Body, "source", "version", "providers"), "module": object{}}
			if v := c.text(b.Body, "version"); v != "" {
				call["version_constraint"] = v
			}
			calls[b.Labels[0]] = call
		case "variable":
			v := object{}
			if a := b.Body.Attributes["default"]; a != nil {
				value, _, _ := shown(c.value(a.Expr))
				v["default"], c.values[b.Labels[0]] = value, object{"value": value}
			} else {
				c.values[b.Labels[0]] = object{"value": nil}
			}
			if c.flag(b.Body, "sensitive") {
				v["sensitive"] = true
			}
			if d := c.text(b.Body, "description"); d != "" {
				v["description"] = d
			}
			variables[b.Labels[0]] = v
		case "output":
			a := b.Body.Attributes["value"]
			o := object{"expression": c.expression(a.Expr)}
			value, unknown, sensitive := shown(c.value(a.Expr))
			if c.flag(b.Body, "sensitive") {
				o["sensitive"], sensitive = true, true
			}
			outputs[b.Labels[0]] = o
			c.outputChanges[b.Labels[0]] = object{"actions": []string{"create"}, "before": nil, "after": value, "after_unknown": unknown, "before_sensitive": false, "after_sensitive": sensitive}
		case "removed":
			from, _ := hcl.AbsTraversalForExpr(b.Body.Attributes["from"].Expr)
			c.forgotten[dotted(from)] = true
		case "provider", "locals":
		default:
			t.Fatalf("the example has a %s block, which no plan is made of yet", b.Type)
		}
	}
	c.providerConfigs(resources)
	c.module = object{}
	for key, v := range map[string]any{"resources": resources, "module_calls": calls, "variables": variables, "outputs": outputs} {
		if list, ok := v.([]object); ok && len(list) > 0 {
			c.module[key] = v
		} else if o, ok := v.(object); ok && len(o) > 0 {
			c.module[key] = v
		}
	}
	if len(c.resources)+len(calls)+len(resources)+len(variables)+len(outputs)+len(c.providers) == 0 && len(c.forgotten) == 0 {
		t.Fatal("the example has nothing that a plan would show")
	}
	return c
}

func (c *configuration) requirements(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		if b.Type != "required_providers" {
			continue
		}
		for name, a := range b.Body.Attributes {
			v := c.value(a.Expr)
			c.required[name] = ""
			if v.Type().IsPrimitiveType() {
				c.required[name] = v.AsString()
				continue
			}
			if v.Type().HasAttribute("version") {
				c.required[name] = v.GetAttr("version").AsString()
			}
			if v.Type().HasAttribute("source") {
				c.sources[name] = v.GetAttr("source").AsString()
			}
		}
	}
}

// providerConfigs has an entry for each provider block, and for each provider
// that is only required or only implied by a resource.
func (c *configuration) providerConfigs(resources []object) {
	entry := func(name string) object {
		source := c.sources[name]
		switch strings.Count(source, "/") {
		case 0:
			source = "registry.terraform.io/hashicorp/" + name
		case 1:
			source = "registry.terraform.io/" + source
		}
		if name == "terraform" {
			source = "terraform.io/builtin/terraform"
		}
		e := object{"name": name, "full_name": source}
		if v := c.required[name]; v != "" {
			e["version_constraint"] = v
		}
		return e
	}
	for _, b := range c.blocks {
		if b.Type != "provider" {
			continue
		}
		key, e := b.Labels[0], entry(b.Labels[0])
		if alias := c.text(b.Body, "alias"); alias != "" {
			key, e["alias"] = key+"."+alias, alias
		}
		if x := c.expressions(b.Body, "alias", "version"); len(x) > 0 {
			e["expressions"] = x
		}
		c.providers[key] = e
	}
	used := slices.Collect(maps.Keys(c.required))
	for _, r := range resources {
		name, _, _ := strings.Cut(r["provider_config_key"].(string), ".")
		used = append(used, name)
	}
	for _, name := range used {
		if c.providers[name] == nil {
			c.providers[name] = entry(name)
		}
	}
}

func (c *configuration) text(body *hclsyntax.Body, name string) string {
	a := body.Attributes[name]
	if a == nil {
		return ""
	}
	return c.value(a.Expr).AsString()
}

func (c *configuration) flag(body *hclsyntax.Body, name string) bool {
	a := body.Attributes[name]
	return a != nil && c.value(a.Expr).True()
}

// meta are what Terraform itself reads of a resource: no arguments of its type.
var meta = []string{"provider", "depends_on", "count", "for_each", "lifecycle", "provisioner", "connection"}

func (c *configuration) resourceConfig(b *hclsyntax.Block) object {
	provider, _, _ := strings.Cut(b.Labels[0], "_")
	if a := b.Body.Attributes["provider"]; a != nil {
		from, _ := hcl.AbsTraversalForExpr(a.Expr)
		provider = dotted(from)
	}
	r := object{
		"address": b.Labels[0] + "." + b.Labels[1], "mode": "managed", "type": b.Labels[0], "name": b.Labels[1],
		"provider_config_key": provider, "expressions": c.expressions(b.Body, meta...), "schema_version": 0,
	}
	if b.Type == "data" {
		r["address"], r["mode"] = "data."+b.Labels[0]+"."+b.Labels[1], "data"
	}
	for _, key := range []string{"count", "for_each"} {
		if a := b.Body.Attributes[key]; a != nil {
			r[key+"_expression"] = c.expression(a.Expr)
		}
	}
	if a := b.Body.Attributes["depends_on"]; a != nil {
		r["depends_on"] = references(a.Expr)
	}
	var provisioners []object
	for _, p := range b.Body.Blocks {
		if p.Type == "provisioner" {
			provisioners = append(provisioners, object{"type": p.Labels[0], "expressions": c.expressions(p.Body, "when", "on_failure", "connection")})
		}
	}
	if len(provisioners) > 0 {
		r["provisioners"] = provisioners
	}
	return r
}

// expressions are a body's arguments as the configuration part of a plan has
// them: each with its value or what it refers to.
func (c *configuration) expressions(body *hclsyntax.Body, without ...string) object {
	out := object{}
	for name, a := range body.Attributes {
		if !slices.Contains(without, name) {
			out[name] = c.expression(a.Expr)
		}
	}
	for _, b := range body.Blocks {
		if slices.Contains(without, b.Type) {
			continue
		}
		list, _ := out[b.Type].([]any)
		out[b.Type] = append(list, c.expressions(b.Body))
	}
	return out
}

func (c *configuration) expression(e hclsyntax.Expression) object {
	if refs := references(e); len(refs) > 0 {
		return object{"references": refs}
	}
	v, diags := e.Value(nil) // as Terraform does: the result of a function is no constant
	if diags.HasErrors() {
		return object{}
	}
	value, _, _ := shown(v)
	return object{"constant_value": value}
}

// references lists what an expression refers to, each with what it is part of.
func references(e hclsyntax.Expression) []string {
	out := []string{}
	for _, traversal := range e.Variables() {
		words := 2 // of the object: aws_s3_bucket.logs, module.vpc, var.name
		switch traversal.RootName() {
		case "data":
			words = 3
		case "self":
			words = 1
		}
		parts := []int{len(traversal), words}
		if len(traversal) > words {
			if _, ok := traversal[words].(hcl.TraverseIndex); ok {
				parts = []int{len(traversal), words + 1, words}
			}
		}
		for _, n := range parts {
			if name := dotted(traversal[:min(n, len(traversal))]); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func dotted(traversal hcl.Traversal) string {
	var s strings.Builder
	for _, step := range traversal {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			s.WriteString(step.Name)
		case hcl.TraverseAttr:
			s.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String {
				fmt.Fprintf(&s, "[%q]", step.Key.AsString())
			} else {
				n, _ := step.Key.AsBigFloat().Int64()
				fmt.Fprintf(&s, "[%d]", n)
			}
		}
	}
	return s.String()
}

// secret marks what a variable declares as sensitive.
const secret = "sensitive"

// evaluate works out what expressions refer to: arguments that are literals in
// the end are known, everything else of a resource, data source or module is
// not. Each pass can only make more known.
func (c *configuration) evaluate() {
	asked := map[string]map[string]bool{} // object → attributes that some expression asks for
	var walk func(body *hclsyntax.Body)
	walk = func(body *hclsyntax.Body) {
		for _, a := range body.Attributes {
			for _, traversal := range a.Expr.Variables() {
				words := 2
				if traversal.RootName() == "data" {
					words = 3
				}
				if len(traversal) <= words {
					continue
				}
				if attr, ok := traversal[words].(hcl.TraverseAttr); ok {
					name := dotted(traversal[:words])
					if asked[name] == nil {
						asked[name] = map[string]bool{}
					}
					asked[name][attr.Name] = true
				}
			}
		}
		for _, b := range body.Blocks {
			walk(b.Body)
		}
	}
	for _, b := range c.blocks {
		walk(b.Body)
	}
	c.known = &hcl.EvalContext{Functions: map[string]function.Function{
		"jsonencode": stdlib.JSONEncodeFunc, "format": stdlib.FormatFunc, "lower": stdlib.LowerFunc, "concat": stdlib.ConcatFunc,
		"nonsensitive": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowMarked: true, AllowUnknown: true, AllowNull: true}},
			Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				v, _ := args[0].UnmarkDeep()
				return v, nil
			},
		}),
	}}
	for range 4 { // references in a row; examples are short
		vars, locals, modules := map[string]cty.Value{}, map[string]cty.Value{}, map[string]cty.Value{}
		kinds, datas := map[string]map[string]cty.Value{}, map[string]map[string]cty.Value{}
		for _, b := range c.blocks {
			switch b.Type {
			case "variable":
				v := cty.NullVal(cty.DynamicPseudoType)
				if a := b.Body.Attributes["default"]; a != nil {
					v = c.value(a.Expr)
				}
				if c.flag(b.Body, "sensitive") {
					v = v.Mark(secret)
				}
				vars[b.Labels[0]] = v
			case "locals":
				for name, a := range b.Body.Attributes {
					locals[name] = c.value(a.Expr)
				}
			case "module":
				modules[b.Labels[0]] = c.exported(asked["module."+b.Labels[0]], nil)
			case "resource", "data":
				into, name := kinds, b.Labels[0]+"."+b.Labels[1]
				if b.Type == "data" {
					into, name = datas, "data."+name
				}
				if into[b.Labels[0]] == nil {
					into[b.Labels[0]] = map[string]cty.Value{}
				}
				into[b.Labels[0]][b.Labels[1]] = c.exported(asked[name], b.Body)
			}
		}
		all := map[string]cty.Value{
			"var": cty.ObjectVal(vars), "local": cty.ObjectVal(locals), "module": cty.ObjectVal(modules),
			"each": cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal("one"), "value": cty.StringVal("one")}),
			"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal("."), "root": cty.StringVal(".")}),
			"self": cty.DynamicVal,
		}
		data := map[string]cty.Value{}
		for kind, named := range datas {
			data[kind] = cty.ObjectVal(named)
		}
		all["data"] = cty.ObjectVal(data)
		for kind, named := range kinds {
			all[kind] = cty.ObjectVal(named)
		}
		c.known.Variables = all
	}
}

// exported is an object as others refer to it.
func (c *configuration) exported(asked map[string]bool, body *hclsyntax.Body) cty.Value {
	out := map[string]cty.Value{}
	for name := range asked {
		out[name] = cty.DynamicVal
		if body == nil {
			continue
		}
		if a := body.Attributes[name]; a != nil {
			out[name] = c.value(a.Expr)
		} else if slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == name }) {
			out[name] = cty.DynamicVal
		}
	}
	return cty.ObjectVal(out)
}

// value evaluates an expression. In the first passes what it refers to may not
// be there yet.
func (c *configuration) value(e hclsyntax.Expression) cty.Value {
	v, diags := e.Value(c.known)
	if diags.HasErrors() {
		if c.known.Variables == nil {
			return cty.DynamicVal
		}
		c.t.Fatal(diags)
	}
	return v
}

func (c *configuration) made(b *hclsyntax.Block) *madeResource {
	r := &madeResource{address: b.Labels[0] + "." + b.Labels[1], kind: b.Labels[0], name: b.Labels[1]}
	r.after, r.unknown, r.sensitive = c.body(b.Body, meta)
	return r
}

// body gives a block's values and the masks beside them. Nested blocks are
// lists, as nearly all are in providers' schemas.
func (c *configuration) body(body *hclsyntax.Body, without []string) (after, unknown, sensitive any) {
	a, u, s := object{}, object{}, object{}
	for name, attr := range body.Attributes {
		if slices.Contains(without, name) {
			continue
		}
		value, mask, hidden := shown(c.value(attr.Expr))
		if mask != true {
			a[name] = value
		}
		if mask != false {
			u[name] = mask
		}
		if hidden != false {
			s[name] = hidden
		}
	}
	blocks := map[string][3][]any{}
	for _, b := range body.Blocks {
		if slices.Contains(without, b.Type) {
			continue
		}
		value, mask, hidden := c.body(b.Body, nil)
		lists := blocks[b.Type]
		blocks[b.Type] = [3][]any{append(lists[0], value), append(lists[1], mask), append(lists[2], hidden)}
	}
	for name, lists := range blocks {
		a[name], u[name], s[name] = lists[0], lists[1], lists[2]
	}
	return a, u, s
}

// shown gives a value as a plan's JSON has it, with the masks of what is
// unknown and what is sensitive in it: unknown members of a list are null, those
// of an object are left out.
func shown(v cty.Value) (value, unknown, sensitive any) {
	if v.IsMarked() {
		v, _ = v.Unmark()
		value, unknown, _ = shown(v)
		return value, unknown, true
	}
	switch kind := v.Type(); {
	case !v.IsKnown():
		return nil, true, false
	case v.IsNull():
		return nil, false, false
	case kind.IsTupleType() || kind.IsListType() || kind.IsSetType():
		values, masks, hidden := []any{}, []any{}, []any{}
		for _, member := range v.AsValueSlice() {
			a, u, s := shown(member)
			values, masks, hidden = append(values, a), append(masks, u), append(hidden, s)
		}
		return values, anyTrue(masks), anyTrue(hidden)
	case kind.IsObjectType() || kind.IsMapType():
		values, masks, hidden := object{}, object{}, object{}
		for key, member := range v.AsValueMap() {
			a, u, s := shown(member)
			if u == true {
				masks[key] = u
				continue
			}
			values[key] = a
			if u != false {
				masks[key] = u
			}
			if s != false {
				hidden[key] = s
			}
		}
		return values, orFalse(masks), orFalse(hidden)
	}
	raw, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, false, false
	}
	return json.RawMessage(raw), false, false
}

// anyTrue is the mask, or false where it marks nothing.
func anyTrue(mask []any) any {
	if slices.ContainsFunc(mask, func(m any) bool { return m != false }) {
		return mask
	}
	return false
}

func orFalse(mask object) any {
	if len(mask) > 0 {
		return mask
	}
	return false
}
