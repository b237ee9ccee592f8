package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// standinData serves any row of a table of data sources. The same question
// always gets the same answer: what a template calls {asked} is a hash of the
// configuration.
type standinData struct {
	dt  dataType
	set *settings
}

func (d *standinData) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.dt.name
}

func (d *standinData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attrs, blocks := dataSchema(d.dt.of)
	resp.Schema = schema.Schema{Description: standsIn, Attributes: attrs, Blocks: blocks}
}

func (d *standinData) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*settings); ok {
		d.set = s
	}
}

func (d *standinData) ValidateConfig(_ context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	resp.Diagnostics.Append(check(d.dt.of, path.Empty(), req.Config.Raw)...)
}

func (d *standinData) Read(_ context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	object, err := d.answer(req.Config.Raw)
	if err != nil {
		resp.Diagnostics.AddError("reading "+d.dt.name, err.Error())
		return
	}
	resp.State.Raw = object
}

func (d *standinData) answer(conf tftypes.Value) (tftypes.Value, error) {
	v := vars{}
	maps.Copy(v, d.set.vars)
	v.add(conf)
	asked := plainObject(conf)
	sum := sha256.Sum256([]byte(fmt.Sprint(asked)))
	v["asked"] = hex.EncodeToString(sum[:])[:17]
	own := map[string]string{}
	if d.dt.read != nil {
		var err error
		if own, err = d.dt.read(asked); err != nil {
			return tftypes.Value{}, err
		}
	}
	attrs := attrsOf(conf)
	for _, f := range d.dt.of {
		if !f.computed() || !attrs[f.name].IsNull() {
			continue
		}
		text, ok := own[f.name]
		if !ok {
			text = expand(f.fill+f.planned, v)
		}
		val, err := parseValue(f, attrs[f.name].Type(), text)
		if err != nil {
			return tftypes.Value{}, err
		}
		attrs[f.name], v[f.name] = val, text
	}
	return tftypes.NewValue(conf.Type(), attrs), nil
}
