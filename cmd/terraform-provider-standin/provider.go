package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	config "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// dirVariable is the environment's way to set standin_dir.
const dirVariable = "TIDELOCK_STANDIN_DIR"

// settings are what the provider block and the environment say, as resources
// need it.
type settings struct {
	vars  vars
	tags  map[string]string // the provider's default tags or labels
	store store
}

type standin struct {
	family *family
	env    func(string) string // os.Getenv, but for tests
}

func newProvider(f *family) provider.Provider { return &standin{family: f, env: os.Getenv} }

func (p *standin) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = p.family.name
}

// configFields are the provider block's, standin_dir included.
func (p *standin) configFields() fields {
	return append(fields{str("standin_dir")}, p.family.config...)
}

func (p *standin) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	attrs, blocks := configSchema(p.configFields())
	attrs["standin_dir"] = config.StringAttribute{
		Optional:    true,
		Description: "Folder that keeps the objects, one file each. Without it, nor " + dirVariable + " in the environment, Terraform's state is all there is of them.",
	}
	resp.Schema = config.Schema{Description: standsIn, Attributes: attrs, Blocks: blocks}
}

func (p *standin) ValidateConfig(_ context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	resp.Diagnostics.Append(check(p.configFields(), path.Empty(), req.Config.Raw)...)
}

func (p *standin) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	set, err := p.settings(req.Config.Raw)
	if err != nil {
		resp.Diagnostics.AddError("Invalid provider configuration", err.Error())
		return
	}
	// Said once in the log and in every description, not as a warning in each
	// plan: there it would drown what the plan has to say.
	tflog.Info(ctx, "This is Tidelock's stand-in provider: it touches no cloud", map[string]any{
		"provider": p.family.name, "objects": set.store.dir,
	})
	resp.ResourceData, resp.DataSourceData = set, set
}

func (p *standin) settings(conf tftypes.Value) (*settings, error) {
	attrs := attrsOf(conf)
	set := &settings{vars: vars{}, store: store{family: p.family.name}}
	for name, fallback := range p.family.vars {
		set.vars[name] = stringOf(attrs[name])
		for _, variable := range p.family.fromEnv[name] {
			if set.vars[name] == "" {
				set.vars[name] = p.env(variable)
			}
		}
		if set.vars[name] == "" {
			set.vars[name] = fallback
		}
	}
	for name, sentence := range p.family.needs {
		if v, ok := attrs[name]; set.vars[name] == "" && (!ok || v.IsKnown()) {
			return nil, fmt.Errorf("%s", sentence)
		}
	}
	if p.family.defaultTags != nil {
		set.tags = p.family.defaultTags(plainObject(conf))
	}
	if set.store.dir = stringOf(attrs["standin_dir"]); set.store.dir == "" {
		set.store.dir = p.env(dirVariable)
	}
	if dir := set.store.dir; dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		set.store.dir = abs
	}
	return set, nil
}

func (p *standin) Resources(context.Context) []func() resource.Resource {
	table := p.family.resources()
	out := make([]func() resource.Resource, len(table))
	for i, rt := range table {
		out[i] = func() resource.Resource { return &standinResource{rt: rt, family: p.family} }
	}
	return out
}

func (p *standin) DataSources(context.Context) []func() datasource.DataSource {
	table := p.family.data()
	out := make([]func() datasource.DataSource, len(table))
	for i, dt := range table {
		out[i] = func() datasource.DataSource { return &standinData{dt: dt} }
	}
	return out
}
