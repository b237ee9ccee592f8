package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// standinResource serves any row of a table. It works on Terraform's raw
// values, since what they hold differs from row to row.
type standinResource struct {
	rt     resourceType
	family *family
	set    *settings // nil until the provider is configured
}

func (r *standinResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.rt.name
}

func (r *standinResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attrs, blocks := resourceSchema(r.rt.of)
	resp.Schema = schema.Schema{Description: standsIn, Attributes: attrs, Blocks: blocks}
}

func (r *standinResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*settings); ok {
		r.set = s
	}
}

func (r *standinResource) ValidateConfig(_ context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	resp.Diagnostics.Append(check(r.rt.of, path.Empty(), req.Config.Raw)...)
}

func (r *standinResource) ModifyPlan(_ context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.set == nil {
		return // a delete needs no planning
	}
	plan, replace, err := planObject(r.rt, r.family, *r.set, req.Config.Raw, req.State.Raw, req.Plan.Raw)
	if err != nil {
		resp.Diagnostics.AddError("The stand-in cannot plan this", err.Error())
		return
	}
	resp.Plan.Raw, resp.RequiresReplace = plan, append(resp.RequiresReplace, replace...)
}

func (r *standinResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	fail := func(err error) { resp.Diagnostics.AddError("creating "+r.rt.name, err.Error()) }
	d := drill{"create", req.Plan.Raw, r.set.store.dir}
	if err := d.before(ctx); err != nil {
		fail(err)
		return
	}
	id, named, err := identify(r.rt, r.set.vars, req.Plan.Raw)
	if err != nil {
		fail(err)
		return
	}
	object, err := finish(r.rt, r.set.vars, id, named)
	if err != nil {
		fail(err)
		return
	}
	if r.set.store.kept() {
		err := r.set.store.create(r.rt.name, id, r.kept(object))
		if errors.Is(err, errTaken) {
			err = fmt.Errorf("an object with the ID %q already exists. To manage it with Terraform, import it", id)
		}
		if err != nil {
			fail(err)
			return
		}
	}
	resp.State.Raw = object
	if err := d.after(ctx); err != nil {
		fail(err)
	}
}

func (r *standinResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	fail := func(err error) { resp.Diagnostics.AddError("reading "+r.rt.name, err.Error()) }
	if err := (drill{"read", req.State.Raw, r.set.store.dir}).before(ctx); err != nil {
		fail(err)
		return
	}
	if !r.set.store.kept() {
		return // the state is all there is
	}
	attributes, err := r.set.store.read(r.rt.name, idOf(req.State.Raw))
	if errors.Is(err, errGone) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		fail(err)
		return
	}
	object, err := typed(attributes, req.State.Raw.Type())
	if err != nil {
		fail(err)
		return
	}
	// What the file does not hold, the state knows better.
	now, was := attrsOf(object), attrsOf(req.State.Raw)
	for _, f := range r.rt.of {
		if f.sensitive {
			now[f.name] = was[f.name]
		}
	}
	resp.State.Raw = tftypes.NewValue(object.Type(), now)
}

func (r *standinResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	fail := func(err error) { resp.Diagnostics.AddError("updating "+r.rt.name, err.Error()) }
	d := drill{"update", req.Plan.Raw, r.set.store.dir}
	if err := d.before(ctx); err != nil {
		fail(err)
		return
	}
	id := idOf(req.State.Raw)
	object, err := finish(r.rt, r.set.vars, id, req.Plan.Raw)
	if err != nil {
		fail(err)
		return
	}
	if r.set.store.kept() {
		err := r.set.store.update(r.rt.name, id, r.kept(object))
		if errors.Is(err, errGone) {
			err = fmt.Errorf("the object %q was deleted since the plan was made. Plan again", id)
		}
		if err != nil {
			fail(err)
			return
		}
	}
	resp.State.Raw = object
	if err := d.after(ctx); err != nil {
		fail(err)
	}
}

func (r *standinResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	d := drill{"delete", req.State.Raw, r.set.store.dir}
	err := d.before(ctx)
	if err == nil && r.set.store.kept() {
		err = r.set.store.remove(r.rt.name, idOf(req.State.Raw))
	}
	if err == nil {
		err = d.after(ctx)
	}
	if err != nil {
		resp.Diagnostics.AddError("deleting "+r.rt.name, err.Error())
	}
}

// ImportState takes an object in by its id. Terraform then reads it; one that
// is not in the folder is reported there as one that does not exist.
func (r *standinResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

// kept is what goes into an object's file.
func (r *standinResource) kept(object tftypes.Value) map[string]any {
	m := plainObject(object)
	for _, f := range r.rt.of {
		if f.sensitive {
			delete(m, f.name)
		}
	}
	return m
}

func idOf(object tftypes.Value) string { return stringOf(attrsOf(object)["id"]) }
