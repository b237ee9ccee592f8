package main

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// plain turns a value into what encoding/json can write. Unknown values become
// nil: nothing unknown is left once an object is made.
func plain(v tftypes.Value) any {
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	t := v.Type()
	switch {
	case t.Is(tftypes.String):
		var s string
		must(v.As(&s))
		return s
	case t.Is(tftypes.Bool):
		var b bool
		must(v.As(&b))
		return b
	case t.Is(tftypes.Number):
		n := new(big.Float)
		must(v.As(&n))
		return json.Number(n.Text('f', -1))
	case t.Is(tftypes.List{}), t.Is(tftypes.Set{}):
		var elems []tftypes.Value
		must(v.As(&elems))
		out := make([]any, len(elems))
		for i, e := range elems {
			out[i] = plain(e)
		}
		return out
	}
	return plainObject(v)
}

// plainObject is plain for an object or a map.
func plainObject(v tftypes.Value) map[string]any {
	out := map[string]any{}
	for name, e := range attrsOf(v) {
		out[name] = plain(e)
	}
	return out
}

// typed is the reverse of plain. What the data lacks is null, and what the
// type lacks is left out, so that a file of an older table still reads.
func typed(data any, typ tftypes.Type) (tftypes.Value, error) {
	if data == nil {
		return tftypes.NewValue(typ, nil), nil
	}
	var elem tftypes.Type
	switch t := typ.(type) {
	case tftypes.Object:
		m, ok := data.(map[string]any)
		if !ok {
			break
		}
		out := make(map[string]tftypes.Value, len(t.AttributeTypes))
		for name, at := range t.AttributeTypes {
			v, err := typed(m[name], at)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = v
		}
		return tftypes.NewValue(typ, out), nil
	case tftypes.Map:
		m, ok := data.(map[string]any)
		if !ok {
			break
		}
		out := make(map[string]tftypes.Value, len(m))
		for name, e := range m {
			v, err := typed(e, t.ElementType)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = v
		}
		return tftypes.NewValue(typ, out), nil
	case tftypes.List:
		elem = t.ElementType
	case tftypes.Set:
		elem = t.ElementType
	default:
		switch d := data.(type) {
		case string:
			if typ.Is(tftypes.String) {
				return tftypes.NewValue(typ, d), nil
			}
		case bool:
			if typ.Is(tftypes.Bool) {
				return tftypes.NewValue(typ, d), nil
			}
		case json.Number:
			if n, ok := new(big.Float).SetString(d.String()); ok && typ.Is(tftypes.Number) {
				return tftypes.NewValue(typ, n), nil
			}
		}
	}
	if list, ok := data.([]any); ok && elem != nil {
		out := make([]tftypes.Value, len(list))
		for i, e := range list {
			v, err := typed(e, elem)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = v
		}
		return tftypes.NewValue(typ, out), nil
	}
	return tftypes.Value{}, fmt.Errorf("%T is no %s", data, typ)
}

// attrsOf returns the attributes of an object or the elements of a map, none
// where it is null or unknown.
func attrsOf(v tftypes.Value) map[string]tftypes.Value {
	var m map[string]tftypes.Value
	if !v.IsNull() && v.IsKnown() {
		must(v.As(&m))
	}
	return m
}

// elemsOf returns the elements of a list or set, none where it is null or
// unknown.
func elemsOf(v tftypes.Value) []tftypes.Value {
	var l []tftypes.Value
	if !v.IsNull() && v.IsKnown() {
		must(v.As(&l))
	}
	return l
}

// stringOf returns a string's text, "" where it is null or unknown.
func stringOf(v tftypes.Value) string {
	var s string
	if !v.IsNull() && v.IsKnown() && v.Type().Is(tftypes.String) {
		must(v.As(&s))
	}
	return s
}

// must is for conversions whose type was just checked.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
