package main

import (
	"context"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// Every row of every table must be one that the framework accepts and that
// can be made: this is what lets the rest of the code trust the tables.
func TestTables(t *testing.T) {
	ctx := context.Background()
	builtin := []string{"hex8", "hex12", "hex17", "hex32", "uuid", "digits", "ip", "public_ip", "short", "id"}
	for _, fam := range families {
		known := slices.Clone(builtin)
		for name := range fam.vars {
			known = append(known, name)
		}
		seen := map[string]bool{}
		for _, rt := range fam.resources() {
			if seen[rt.name] {
				t.Errorf("%s stands twice", rt.name)
			}
			seen[rt.name] = true
			if f, ok := rt.of.byName("id"); !ok || !f.readOnly {
				t.Errorf("%s has no computed id", rt.name)
			}
			for _, name := range templateNames(rt.id) {
				if f, ok := rt.of.byName(name); !ok && !slices.Contains(known, name) || ok && f.readOnly {
					t.Errorf("%s: the id speaks of %q, which is not known when it is made", rt.name, name)
				}
			}
			checkFields(t, fam, rt.name, rt.of, known, inResource)
			r := &standinResource{rt: rt, family: fam}
			var resp resource.SchemaResponse
			r.Schema(ctx, resource.SchemaRequest{}, &resp)
			if d := resp.Schema.ValidateImplementation(ctx); d.HasError() {
				t.Errorf("%s: %v", rt.name, d)
			}
		}
		for _, dt := range fam.data() {
			checkFields(t, fam, "data."+dt.name, dt.of, append(slices.Clone(known), "asked"), inData)
			d := &standinData{dt: dt}
			var resp datasource.SchemaResponse
			d.Schema(ctx, datasource.SchemaRequest{}, &resp)
			if d := resp.Schema.ValidateImplementation(ctx); d.HasError() {
				t.Errorf("data.%s: %v", dt.name, d)
			}
		}
		var resp provider.SchemaResponse
		newProvider(fam).Schema(ctx, provider.SchemaRequest{}, &resp)
		if d := resp.Schema.ValidateImplementation(ctx); d.HasError() {
			t.Errorf("provider %s: %v", fam.name, d)
		}
		t.Logf("%s: %d resource types, %d data sources", fam.name, len(fam.resources()), len(fam.data()))
	}
}

// place is where fields stand, which decides what they may be.
type place int

const (
	inResource place = iota
	inData
	inBlock
)

func checkFields(t *testing.T, fam *family, where string, fs fields, known []string, in place) {
	t.Helper()
	names := map[string]bool{}
	known = slices.Clone(known)
	for _, f := range fs {
		if names[f.name] {
			t.Errorf("%s.%s stands twice", where, f.name)
		}
		names[f.name] = true
		known = append(known, f.name)
	}
	for _, f := range fs {
		at := where + "." + f.name
		if f.required && f.computed() {
			t.Errorf("%s cannot be both required and computed", at)
		}
		if f.sensitive && in == inBlock {
			t.Errorf("%s is sensitive inside a block: the store only leaves out those at the top", at)
		}
		if f.kind.isBlock() && f.computed() {
			t.Errorf("%s: a block cannot be computed", at)
		}
		for _, name := range templateNames(f.fill) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: the template speaks of %q, which nobody knows", at, name)
			}
		}
		for _, name := range templateNames(f.planned) {
			if _, ok := fam.vars[name]; !ok && (in != inData || !slices.Contains(known, name)) {
				t.Errorf("%s: the default speaks of %q, which the provider's configuration does not know", at, name)
			}
		}
		if f.kind == kindBlockSet || f.kind == kindObjects {
			for _, g := range f.of {
				if g.computed() {
					t.Errorf("%s.%s: an element of a set cannot have computed parts", at, g.name)
				}
			}
		}
		if len(f.of) > 0 {
			inner := inBlock
			if in == inData {
				inner = inData
			}
			checkFields(t, fam, at, f.of, known, inner)
		}
	}
}

func TestFamilyOf(t *testing.T) {
	for path, want := range map[string]string{
		"/x/terraform-provider-aws_v6.14.1":         "aws",
		"terraform-provider-azurerm_v4.50.0_x5":     "azurerm",
		`terraform-provider-google_v7.10.0.exe`:     "google",
		"/usr/bin/terraform-provider-aws":           "aws",
		"/x/terraform-provider-standin":             "",
		"/x/terraform-provider-awscc_v1.0.0":        "",
		"/x/terraform-provider-aws_v1/something-el": "",
	} {
		f, err := familyOf(path)
		got := ""
		if err == nil {
			got = f.name
		}
		if got != want {
			t.Errorf("familyOf(%q) = %q, want %q", path, got, want)
		}
	}
}
