package main

// This file is the language of the tables: what a resource type looks like.
// The tables themselves are aws_*.go, azurerm.go and google.go.

// kind is the type of a field.
type kind int

const (
	kindString kind = iota
	kindInt
	kindNumber
	kindBool
	kindStringList
	kindStringSet
	kindStringMap
	// kindObjects is an attribute that holds a set of objects and may be
	// written as blocks, as ingress of aws_security_group may.
	kindObjects
	// kindBlockList and kindBlockSet are nested blocks.
	kindBlockList
	kindBlockSet
)

func (k kind) isBlock() bool { return k == kindBlockList || k == kindBlockSet }

// field is one attribute or block of a type.
type field struct {
	name string
	kind kind
	of   fields // of objects and blocks

	required  bool // must be in the configuration
	readOnly  bool // must not be in the configuration
	sensitive bool
	replaces  bool // a change of it makes a new object
	min, max  int  // how many blocks; a max of 0 is no limit

	// fill is the template of the value that an object gets when it is made
	// and the configuration has none: unknown in the plan.
	fill    string
	hasFill bool
	// planned is the same, but known in the plan: it may speak of the
	// provider's configuration and of nothing else.
	planned    string
	hasPlanned bool

	values []string // what the configuration may say; empty is anything
}

// computed says whether the provider may choose the value.
func (f field) computed() bool { return f.readOnly || f.hasFill || f.hasPlanned }

type fields []field

func (fs fields) byName(name string) (field, bool) {
	for _, f := range fs {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// resourceType is one row of a table of resources.
type resourceType struct {
	name string
	id   string // template of the id; what it speaks of must be known by then
	of   fields
}

// dataType is one row of a table of data sources.
type dataType struct {
	name string
	of   fields
	// read computes values that no template can; what it returns goes before
	// the templates. May be nil.
	read func(config map[string]any) (map[string]string, error)
}

// option changes a field as it is written down.
type option func(*field)

func required(f *field)  { f.required = true }
func replaces(f *field)  { f.replaces = true }
func sensitive(f *field) { f.sensitive = true }

// fills is optional and, where the configuration says nothing, known after
// apply as the template says.
func fills(template string) option {
	return func(f *field) { f.fill, f.hasFill = template, true }
}

// defaults is optional and, where the configuration says nothing, known in the
// plan as the template says.
func defaults(template string) option {
	return func(f *field) { f.planned, f.hasPlanned = template, true }
}

// oneOf limits what the configuration may say.
func oneOf(values ...string) option {
	return func(f *field) { f.values = values }
}

func newField(name string, k kind, opts []option) field {
	f := field{name: name, kind: k}
	for _, o := range opts {
		o(&f)
	}
	return f
}

func str(name string, opts ...option) field     { return newField(name, kindString, opts) }
func integer(name string, opts ...option) field { return newField(name, kindInt, opts) }
func number(name string, opts ...option) field  { return newField(name, kindNumber, opts) }
func boolean(name string, opts ...option) field { return newField(name, kindBool, opts) }
func strList(name string, opts ...option) field { return newField(name, kindStringList, opts) }
func strSet(name string, opts ...option) field  { return newField(name, kindStringSet, opts) }
func strMap(name string, opts ...option) field  { return newField(name, kindStringMap, opts) }

// computed is a string that only the provider sets.
func computed(name, template string, opts ...option) field {
	f := newField(name, kindString, opts)
	f.fill, f.hasFill, f.readOnly = template, true, true
	return f
}

// computedAs is computed for the other kinds.
func computedAs(f field, template string) field {
	f.fill, f.hasFill, f.readOnly = template, true, true
	return f
}

// objects is an attribute that may be written as blocks.
func objects(name string, of fields, opts ...option) field {
	f := newField(name, kindObjects, opts)
	f.of = of
	return f
}

// block is a block that may stand once.
func block(name string, of fields, opts ...option) field {
	f := newField(name, kindBlockList, opts)
	f.of, f.max = of, 1
	if f.required {
		f.min, f.required = 1, false
	}
	return f
}

// blocks is a block that may stand any number of times, in order.
func blocks(name string, of fields, opts ...option) field {
	f := block(name, of, opts...)
	f.max = 0
	return f
}

// blockSet is a block that may stand any number of times, in no order. It
// holds no field with a fill or a default: which element a value belongs to
// could not be told from one plan to the next.
func blockSet(name string, of fields, opts ...option) field {
	f := blocks(name, of, opts...)
	f.kind = kindBlockSet
	return f
}

// family is one provider with all that it serves.
type family struct {
	name   string
	config fields // of the provider block, besides standin_dir
	// vars are what templates may use of the provider's configuration, with
	// what they are when the configuration says nothing. A var takes its value
	// from the provider's attribute of the same name.
	vars map[string]string
	// fromEnv are the environment variables that the real provider reads for
	// a var, first one wins.
	fromEnv map[string][]string
	// needs are the vars without which the provider refuses to work.
	needs map[string]string // var → what to say

	// tags is the attribute that people set, merged the attributes that show
	// it together with the provider's defaults.
	tags   string
	merged []string
	// defaultTags finds the provider's defaults in its configuration.
	defaultTags func(config map[string]any) map[string]string

	resources func() []resourceType
	data      func() []dataType
}

var families = []*family{&aws, &azurerm, &google}
