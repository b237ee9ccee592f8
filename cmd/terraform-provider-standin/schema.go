package main

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	config "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// standsIn begins every description that a person can look up.
const standsIn = "Tidelock's stand-in. It touches no cloud. "

// attrType is the framework's type of a field that is no block.
func (f field) attrType() attr.Type {
	switch f.kind {
	case kindString:
		return types.StringType
	case kindInt:
		return types.Int64Type
	case kindNumber:
		return types.Float64Type
	case kindBool:
		return types.BoolType
	case kindStringList:
		return types.ListType{ElemType: types.StringType}
	case kindStringSet:
		return types.SetType{ElemType: types.StringType}
	case kindStringMap:
		return types.MapType{ElemType: types.StringType}
	case kindObjects:
		inner := make(map[string]attr.Type, len(f.of))
		for _, g := range f.of {
			inner[g.name] = g.attrType()
		}
		return types.SetType{ElemType: types.ObjectType{AttrTypes: inner}}
	}
	panic(fmt.Sprintf("%s is a block", f.name))
}

// flags are the four answers that every schema asks of an attribute.
func (f field) flags() (required, optional, computed, sensitive bool) {
	return f.required, !f.required && !f.readOnly, f.computed(), f.sensitive
}

func resourceSchema(fs fields) (map[string]schema.Attribute, map[string]schema.Block) {
	attrs, nested := make(map[string]schema.Attribute, len(fs)), map[string]schema.Block{}
	for _, f := range fs {
		if f.kind.isBlock() {
			a, b := resourceSchema(f.of)
			object := schema.NestedBlockObject{Attributes: a, Blocks: b}
			if f.kind == kindBlockSet {
				nested[f.name] = schema.SetNestedBlock{NestedObject: object}
			} else {
				nested[f.name] = schema.ListNestedBlock{NestedObject: object}
			}
			continue
		}
		req, opt, comp, sens := f.flags()
		switch t := f.attrType().(type) {
		case types.ListType:
			attrs[f.name] = schema.ListAttribute{ElementType: t.ElemType, Required: req, Optional: opt, Computed: comp, Sensitive: sens}
		case types.SetType:
			attrs[f.name] = schema.SetAttribute{ElementType: t.ElemType, Required: req, Optional: opt, Computed: comp, Sensitive: sens}
		case types.MapType:
			attrs[f.name] = schema.MapAttribute{ElementType: t.ElemType, Required: req, Optional: opt, Computed: comp, Sensitive: sens}
		default:
			switch f.kind {
			case kindInt:
				attrs[f.name] = schema.Int64Attribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			case kindNumber:
				attrs[f.name] = schema.Float64Attribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			case kindBool:
				attrs[f.name] = schema.BoolAttribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			default:
				attrs[f.name] = schema.StringAttribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			}
		}
	}
	return attrs, nested
}

func dataSchema(fs fields) (map[string]data.Attribute, map[string]data.Block) {
	attrs, nested := make(map[string]data.Attribute, len(fs)), map[string]data.Block{}
	for _, f := range fs {
		if f.kind.isBlock() {
			a, b := dataSchema(f.of)
			object := data.NestedBlockObject{Attributes: a, Blocks: b}
			if f.kind == kindBlockSet {
				nested[f.name] = data.SetNestedBlock{NestedObject: object}
			} else {
				nested[f.name] = data.ListNestedBlock{NestedObject: object}
			}
			continue
		}
		req, opt, comp, sens := f.flags()
		switch t := f.attrType().(type) {
		case types.ListType:
			attrs[f.name] = data.ListAttribute{ElementType: t.ElemType, Required: req, Optional: opt, Computed: comp, Sensitive: sens}
		case types.SetType:
			attrs[f.name] = data.SetAttribute{ElementType: t.ElemType, Required: req, Optional: opt, Computed: comp, Sensitive: sens}
		case types.MapType:
			attrs[f.name] = data.MapAttribute{ElementType: t.ElemType, Required: req, Optional: opt, Computed: comp, Sensitive: sens}
		default:
			switch f.kind {
			case kindInt:
				attrs[f.name] = data.Int64Attribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			case kindNumber:
				attrs[f.name] = data.Float64Attribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			case kindBool:
				attrs[f.name] = data.BoolAttribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			default:
				attrs[f.name] = data.StringAttribute{Required: req, Optional: opt, Computed: comp, Sensitive: sens}
			}
		}
	}
	return attrs, nested
}

// configSchema is the provider block. Nothing in it is required here: what
// must be there may also come from the environment.
func configSchema(fs fields) (map[string]config.Attribute, map[string]config.Block) {
	attrs, nested := make(map[string]config.Attribute, len(fs)), map[string]config.Block{}
	for _, f := range fs {
		switch {
		case f.kind.isBlock():
			a, b := configSchema(f.of)
			nested[f.name] = config.ListNestedBlock{NestedObject: config.NestedBlockObject{Attributes: a, Blocks: b}}
		case f.kind == kindBool:
			attrs[f.name] = config.BoolAttribute{Optional: true}
		case f.kind == kindInt:
			attrs[f.name] = config.Int64Attribute{Optional: true}
		case f.kind == kindStringList:
			attrs[f.name] = config.ListAttribute{ElementType: types.StringType, Optional: true}
		case f.kind == kindStringSet:
			attrs[f.name] = config.SetAttribute{ElementType: types.StringType, Optional: true}
		case f.kind == kindStringMap:
			attrs[f.name] = config.MapAttribute{ElementType: types.StringType, Optional: true}
		default:
			attrs[f.name] = config.StringAttribute{Optional: true, Sensitive: f.sensitive}
		}
	}
	return attrs, nested
}
