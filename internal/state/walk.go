package state

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Instance is one instance of a resource or data source as a state has it.
type Instance struct {
	Address  string // module.a["x"].aws_instance.b[0]
	Module   string // module.a["x"], "" for the root module
	Mode     string // managed | data
	Type     string
	Name     string
	Provider string // provider["registry.terraform.io/hashicorp/aws"], as the state has it
	Deposed  string // key of a deposed object, "" for the current one
	// Attributes are the leaves of what the state knows, by path: tags.Name,
	// ingress.0.from_port.
	Attributes map[string]Attribute
}

// Attribute is one value of an instance.
type Attribute struct {
	JSON string
	// Sensitive says that the state marks it, or that its name is like a
	// secret's. Whoever shows or keeps attributes leaves these out.
	Sensitive bool
	Marked    bool // by the state
}

// Flatten returns the leaves of an object's attributes by path. Marked tells
// what is sensitive beside what has a name like a secret's; nil is nothing.
func Flatten(resource string, attributes map[string]any, marked func(path []string) bool) map[string]Attribute {
	v := values{}
	hidden := func(path []string) bool { return secretPath(resource, path) || marked != nil && marked(path) }
	for name, value := range attributes {
		flatten(v, []string{name}, value, hidden)
	}
	out := make(map[string]Attribute, len(v))
	for path, l := range v {
		out[path] = Attribute{l.text, l.sensitive, l.sensitive && marked != nil && marked(l.path)}
	}
	return out
}

// instance is an instance in a state of format 4.
type instance struct {
	IndexKey   any `json:"index_key"`
	Deposed    string
	Attributes map[string]any
	Flat       map[string]any    `json:"attributes_flat"`
	Sensitive  []json.RawMessage `json:"sensitive_attributes"`
}

// resource is what a state of format 4 says of a resource before its instances.
type resource struct{ module, mode, typ, name, provider string }

// Walk reads a version of a state and calls each for every instance, and
// output for every output that is sensitive. It holds one instance at a time. The error
// is errs.Conflict where nobody here can look into the version.
func (s *Store) Walk(ctx context.Context, client, name string, seq int64, each func(Instance) error, output func(value any) error) error {
	v, content, err := s.ReadVersion(ctx, client, name, seq)
	if err != nil {
		return err
	}
	defer content.Close()
	if v.Encrypted {
		return errs.New(errs.Conflict, "Version %d was encrypted by OpenTofu before it came here; nobody here can look into it.", seq)
	}
	err = walk(content, each, output)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.Is(err, errShape) || errors.As(err, &syntax) || errors.As(err, &kind) {
		err = errs.Wrap(errs.Conflict, err, "Version %d is not as Terraform and OpenTofu write states: it can't be looked into.", seq)
	}
	if err != nil {
		return fmt.Errorf("walk version %d of state %s: %w", seq, name, err)
	}
	return nil
}

// errFormat says that a state is not of the format that is read here.
var errFormat = errs.New(errs.Conflict, "Only states of format 4 can be looked into.")

// errShape says that something of a state is of another kind than it should be.
var errShape = errors.New("something of an unexpected kind")

func walk(r io.Reader, each func(Instance) error, output func(any) error) error {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 64<<10))
	dec.UseNumber()
	version := 0
	err := members(dec, func(key string) error {
		switch key {
		case "version":
			return dec.Decode(&version)
		case "outputs":
			return members(dec, func(name string) error {
				var o struct {
					Value     any
					Sensitive bool
				}
				if err := dec.Decode(&o); err != nil {
					return err
				}
				if o.Sensitive || secretName(name) {
					return output(o.Value)
				}
				return nil
			})
		case "resources":
			return elements(dec, func() error { return walkResource(dec, each) })
		}
		return SkipValue(dec)
	})
	if err != nil {
		return err
	}
	if version != 4 {
		return errFormat
	}
	_, err = io.Copy(io.Discard, r) // the true end of what is stored
	return err
}

func walkResource(dec *json.Decoder, each func(Instance) error) error {
	var r resource
	var early []instance // of a writer who puts them before the resource's name
	one := func() error {
		var in instance
		if err := dec.Decode(&in); err != nil {
			return err
		}
		if r.typ == "" || r.name == "" {
			early = append(early, in)
			return nil
		}
		return each(r.instance(in))
	}
	err := members(dec, func(key string) error {
		switch key {
		case "module":
			return dec.Decode(&r.module)
		case "mode":
			return dec.Decode(&r.mode)
		case "type":
			return dec.Decode(&r.typ)
		case "name":
			return dec.Decode(&r.name)
		case "provider":
			return dec.Decode(&r.provider)
		case "instances":
			return elements(dec, one)
		}
		return SkipValue(dec)
	})
	for _, in := range early {
		if err == nil {
			err = each(r.instance(in))
		}
	}
	return err
}

func (r resource) instance(in instance) Instance {
	out := Instance{Address: addressOf(r.module, r.mode, r.typ, r.name, in.IndexKey, in.Deposed), Module: r.module, Mode: r.mode, Type: r.typ, Name: r.name, Provider: r.provider, Deposed: in.Deposed}
	marked := sensitivePaths(r.typ, in.Sensitive)
	hidden := func(path []string) bool { return underAny(path, marked) }
	out.Attributes = Flatten(r.typ, in.Attributes, hidden)
	for path, a := range Flatten(r.typ, in.Flat, hidden) {
		out.Attributes[path] = a
	}
	return out
}

// addressOf is an instance's address as Terraform writes it.
func addressOf(module, mode, typ, name string, key any, deposed string) string {
	address := typ + "." + name
	if mode == "data" {
		address = "data." + address
	}
	if module != "" {
		address = module + "." + address
	}
	switch k := key.(type) {
	case string:
		address += "[" + strconv.Quote(k) + "]"
	case json.Number:
		address += "[" + k.String() + "]"
	}
	if deposed != "" {
		address += " (deposed " + deposed + ")"
	}
	return address
}

// members calls f for each key of an object, when the decoder stands before
// the value. null is an object without any.
func members(dec *json.Decoder, f func(key string) error) error {
	return inside(dec, '{', func() error {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		return f(strings.ToLower(key))
	})
}

// elements calls f for each element of an array.
func elements(dec *json.Decoder, f func() error) error { return inside(dec, '[', f) }

func inside(dec *json.Decoder, open json.Delim, f func() error) error {
	t, err := dec.Token()
	if err != nil || t == nil {
		return err
	}
	if t != open {
		return fmt.Errorf("%w: %v", errShape, t)
	}
	for dec.More() {
		if err := f(); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// SkipValue reads past a value without holding it.
func SkipValue(dec *json.Decoder) error {
	for depth := 0; ; {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
