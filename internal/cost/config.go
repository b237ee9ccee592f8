package cost

import (
	"encoding/json"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// config is what pricing needs of a plan's configuration: how providers are
// set up, and which resource refers to which.
type config struct {
	variables map[string]any // of the root module, with values
	providers map[string]providerConfig
	root      *module
	amis      map[string]string // operating system by image ID, of the images that the plan looked up
}

type providerConfig struct {
	Name        string                     `json:"name"`
	Alias       string                     `json:"alias"`
	Module      string                     `json:"module_address"`
	Expressions map[string]json.RawMessage `json:"expressions"`
}

type module struct {
	Resources []configResource       `json:"resources"`
	Calls     map[string]*moduleCall `json:"module_calls"`
	Variables map[string]struct {
		Default any `json:"default"`
	} `json:"variables"`
	Outputs map[string]struct {
		Expression json.RawMessage `json:"expression"`
	} `json:"outputs"`

	parent *module
	call   *moduleCall // by which parent calls it
	byName map[string]*configResource
}

type moduleCall struct {
	Expressions map[string]json.RawMessage `json:"expressions"`
	Module      *module                    `json:"module"`
}

type configResource struct {
	Type        string                     `json:"type"`
	Name        string                     `json:"name"`
	Mode        string                     `json:"mode"`
	Provider    string                     `json:"provider_config_key"`
	Expressions map[string]json.RawMessage `json:"expressions"`
}

// expression is an expression as Terraform's JSON tells it: a constant, or
// what it refers to. What it does with that is not told.
type expression struct {
	Constant   any      `json:"constant_value"`
	References []string `json:"references"`
}

// stateModule is a module of the prior state, as far as images are concerned.
type stateModule struct {
	Resources []struct {
		Type   string `json:"type"`
		Mode   string `json:"mode"`
		Values struct {
			ID       any `json:"id"`
			Platform any `json:"platform"`
		} `json:"values"`
	} `json:"resources"`
	Children []stateModule `json:"child_modules"`
}

// readConfig reads the configuration out of a plan's JSON. No JSON at all is
// an empty configuration: everything still works that the values tell.
func readConfig(raw []byte) (*config, error) {
	c := &config{root: &module{}, amis: map[string]string{}}
	if len(raw) == 0 {
		return c, nil
	}
	var w struct {
		Variables map[string]struct {
			Value any `json:"value"`
		} `json:"variables"`
		Configuration struct {
			Providers map[string]providerConfig `json:"provider_config"`
			Root      *module                   `json:"root_module"`
		} `json:"configuration"`
		Prior struct {
			Values struct {
				Root stateModule `json:"root_module"`
			} `json:"values"`
		} `json:"prior_state"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The plan's JSON can't be read for its costs.")
	}
	c.providers = w.Configuration.Providers
	if w.Configuration.Root != nil {
		c.root = w.Configuration.Root
	}
	c.variables = make(map[string]any, len(w.Variables))
	for name, v := range w.Variables {
		c.variables[name] = v.Value
	}
	c.root.link()
	c.readImages(w.Prior.Values.Root)
	return c, nil
}

func (m *module) link() {
	m.byName = make(map[string]*configResource, len(m.Resources))
	for i := range m.Resources {
		r := &m.Resources[i]
		if r.Mode != "data" {
			m.byName[r.Type+"."+r.Name] = r
		}
	}
	for _, call := range m.Calls {
		if call.Module != nil {
			call.Module.parent, call.Module.call = m, call
			call.Module.link()
		}
	}
}

func (c *config) readImages(m stateModule) {
	for _, r := range m.Resources {
		if r.Mode != "data" || r.Type != "aws_ami" {
			continue
		}
		if id, ok := r.Values.ID.(string); ok && id != "" {
			c.amis[id] = "linux"
			if p, _ := r.Values.Platform.(string); strings.EqualFold(p, "windows") {
				c.amis[id] = "windows"
			}
		}
	}
	for _, child := range m.Children {
		c.readImages(child)
	}
}

// module finds the configuration of a module by its address, with or without
// instance keys; nil where it is no longer configured.
func (c *config) module(address string) *module {
	m := c.root
	for _, step := range steps(address) {
		if step.name == "module" {
			continue
		}
		call := m.Calls[step.name]
		if call == nil || call.Module == nil {
			return nil
		}
		m = call.Module
	}
	return m
}

type step struct{ name, key string }

// steps splits an address at its dots, outside of instance keys:
// module.a["x.y"].module.b[0] is module, a ["x.y"], module, b [0].
func steps(address string) []step {
	var out []step
	for address != "" {
		i := strings.IndexAny(address, ".[")
		switch {
		case i < 0:
			return append(out, step{name: address})
		case address[i] == '.':
			out = append(out, step{name: address[:i]})
			address = address[i+1:]
		default:
			end := keyEnd(address, i)
			out = append(out, step{address[:i], address[i:end]})
			address = strings.TrimPrefix(address[end:], ".")
		}
	}
	return out
}

// keyEnd returns where the instance key that opens at i ends.
func keyEnd(address string, i int) int {
	quoted := false
	for ; i < len(address); i++ {
		switch {
		case quoted && address[i] == '\\':
			i++
		case address[i] == '"':
			quoted = !quoted
		case address[i] == ']' && !quoted:
			return i + 1
		}
	}
	return len(address)
}

// resource finds the configuration of a resource; nil where it is no longer
// configured.
func (c *config) resource(ch *tfplan.Change) (*configResource, *module) {
	m := c.module(ch.ModuleAddress)
	if m == nil {
		return nil, nil
	}
	return m.byName[ch.Type+"."+ch.Name], m
}

// resolve returns the value of an expression where the plan's JSON tells it: a
// constant, or one variable as it is. What a function or a template makes of
// its references is not told, so an expression that refers to more than one
// thing has no value here.
func (c *config) resolve(raw json.RawMessage, m *module, depth int) (any, bool) {
	var e expression
	if depth > 16 || len(raw) == 0 || json.Unmarshal(raw, &e) != nil {
		return nil, false
	}
	if e.Constant != nil {
		return e.Constant, true
	}
	ref, ok := single(e.References)
	if !ok || !strings.HasPrefix(ref, "var.") {
		return nil, false
	}
	path := strings.Split(ref, ".")[1:]
	v, ok := c.variable(path[0], m, depth)
	for _, attr := range path[1:] {
		o, isObject := v.(map[string]any)
		if !ok || !isObject {
			return nil, false
		}
		v, ok = o[attr]
	}
	return v, ok && v != nil
}

func (c *config) variable(name string, m *module, depth int) (any, bool) {
	if m.parent == nil {
		if v, ok := c.variables[name]; ok && v != nil {
			return v, true
		}
	} else if raw, ok := m.call.Expressions[name]; ok {
		return c.resolve(raw, m.parent, depth+1)
	}
	v := m.Variables[name].Default
	return v, v != nil
}

// single returns the one thing that references speak of. Terraform lists the
// whole traversal first and then its beginnings.
func single(refs []string) (string, bool) {
	if len(refs) == 0 {
		return "", false
	}
	for _, r := range refs[1:] {
		if !strings.HasPrefix(refs[0], r+".") && !strings.HasPrefix(refs[0], r+"[") {
			return "", false
		}
	}
	return refs[0], true
}

// references returns what the expressions under a path of block and argument
// names refer to, in the first of each kind of block.
func references(r *configResource, path ...string) []string {
	var e expression
	if raw := expressionAt(r, path); len(raw) == 0 || json.Unmarshal(raw, &e) != nil {
		return nil
	}
	return e.References
}

// changeIndex finds changes by the module instance, type and name.
type changeIndex struct {
	by      map[string][]*tfplan.Change
	byType  map[string][]*tfplan.Change
	byValue map[valueKey]map[string]*tfplan.Change // made when first asked for
}

// valueKey names an attribute of a type, on one side.
type valueKey struct {
	typ, attribute string
	after          bool
}

// holding returns the first resource of a type whose attribute has a value.
// Without an index over them, a plan of thousands that refer to thousands
// would be compared a million times.
func (x *changeIndex) holding(typ, attribute, value string, after bool) *tfplan.Change {
	k := valueKey{typ, attribute, after}
	m, ok := x.byValue[k]
	if !ok {
		m = map[string]*tfplan.Change{}
		for _, c := range x.byType[typ] {
			if got, ok := sideView(c, after).value[attribute].(string); ok && m[got] == nil {
				m[got] = c
			}
		}
		x.byValue[k] = m
	}
	return m[value]
}

func indexKey(module, typ, name string) string { return module + " " + typ + "." + name }

func indexChanges(changes []tfplan.Change, want func(*tfplan.Change) bool) *changeIndex {
	x := &changeIndex{by: map[string][]*tfplan.Change{}, byType: map[string][]*tfplan.Change{}, byValue: map[valueKey]map[string]*tfplan.Change{}}
	for i := range changes {
		c := &changes[i]
		if c.Mode != "managed" || c.Deposed != "" || !want(c) {
			continue
		}
		k := indexKey(c.ModuleAddress, c.Type, c.Name)
		x.by[k] = append(x.by[k], c)
		x.byType[c.Type] = append(x.byType[c.Type], c)
	}
	return x
}

// joinable are the types that other types' prices depend on.
var joinable = map[string]bool{
	"aws_launch_template": true, "aws_launch_configuration": true, "aws_rds_cluster": true,
	"aws_ecs_task_definition": true, "aws_ebs_volume": true,
	"aws_appautoscaling_target": true, "aws_ecs_service": true, "aws_db_instance": true,
	"azurerm_kubernetes_cluster": true, "azurerm_service_plan": true, "azurerm_mssql_server": true, "azurerm_cosmosdb_account": true,
	"azurerm_storage_account": true, "azurerm_synapse_workspace": true, "azurerm_key_vault": true,
	"google_compute_autoscaler": true, "google_compute_region_autoscaler": true, "google_bigquery_dataset": true,
	"google_compute_instance_group_manager": true, "google_compute_region_instance_group_manager": true,
	"google_compute_instance_template": true, "google_compute_region_instance_template": true, "google_container_cluster": true,
	"google_container_node_pool": true,
}

// join finds the resource that an attribute names: by the reference in the
// configuration, or by the value where it is known. path leads through blocks
// to the argument; ids are the target's attributes that may hold the value.
// The view is of the same side as s; false means that it was not found.
func (s *side) join(value string, ids []string, types []string, path ...string) (view, *tfplan.Change, bool) {
	target := func(c *tfplan.Change) (view, *tfplan.Change, bool) {
		v := sideView(c, s.after)
		if v.value == nil {
			return view{}, nil, false
		}
		v.side = s
		s.bill.joined, s.bill.from = append(s.bill.joined, v.value), append(s.bill.from, c)
		return v, c, true
	}
	if value != "" {
		for _, t := range types {
			for _, id := range ids {
				if c := s.x.index.holding(t, id, value, s.after); c != nil {
					return target(c)
				}
			}
		}
	}
	r, m := s.x.cfg.resource(s.ch)
	if r == nil {
		return view{}, nil, false
	}
	if c := s.x.follow(references(r, path...), m, s.ch.ModuleAddress, s.ch, types, 0); c != nil {
		return target(c)
	}
	return view{}, nil, false
}

// follow finds the change that references speak of: a resource of the same
// module, a variable that the calling module fills with one, or the output of
// a called module. Of several instances it takes the one with the same key.
func (x *estimation) follow(refs []string, m *module, at string, ch *tfplan.Change, types []string, depth int) *tfplan.Change {
	if depth > 16 || m == nil {
		return nil
	}
	for _, ref := range refs {
		st := steps(ref)
		switch {
		case len(st) >= 2 && st[0].name == "var" && m.parent != nil:
			var e expression
			if json.Unmarshal(m.call.Expressions[st[1].name], &e) == nil {
				if c := x.follow(e.References, m.parent, parentAddress(at), ch, types, depth+1); c != nil {
					return c
				}
			}
		case len(st) >= 3 && st[0].name == "module":
			call := m.Calls[st[1].name]
			if call == nil || call.Module == nil {
				continue
			}
			var e expression
			if json.Unmarshal(call.Module.Outputs[st[2].name].Expression, &e) != nil {
				continue
			}
			inner := "module." + st[1].name + st[1].key
			if at != "" {
				inner = at + "." + inner
			}
			if c := x.follow(e.References, call.Module, inner, ch, types, depth+1); c != nil {
				return c
			}
		case len(st) >= 2:
			for _, t := range types {
				if st[0].name == t {
					if c := pick(x.index.by[indexKey(at, t, st[1].name)], st[1].key, ch); c != nil {
						return c
					}
				}
			}
		}
	}
	return nil
}

// pick chooses among the instances of a resource: the one that the reference
// names, the only one, or the one with the referrer's key.
func pick(cs []*tfplan.Change, key string, ch *tfplan.Change) *tfplan.Change {
	if len(cs) == 1 {
		return cs[0]
	}
	for _, c := range cs {
		if key != "" && strings.HasSuffix(c.Address, key) || key == "" && sameKey(c.Index, ch.Index) {
			return c
		}
	}
	return nil
}

// sameKey compares instance keys, which are texts or numbers.
func sameKey(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case json.Number:
		b, ok := b.(json.Number)
		return ok && a == b
	}
	return false
}

// parentAddress cuts the last module off a module's address.
func parentAddress(at string) string {
	st := steps(at)
	if len(st) <= 2 {
		return ""
	}
	var parts []string
	for _, s := range st[:len(st)-2] {
		parts = append(parts, s.name+s.key)
	}
	return strings.Join(parts, ".")
}
