package web

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// usesWorld has plans of several projects tell of a module with a constraint.
func usesWorld(w *world, n int) {
	w.t.Helper()
	stateWorld(w, "net/prod")
	for i := range n {
		plan, err := tfplan.ParsePlan(strings.NewReader(`{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[],
			"configuration":{"root_module":{"module_calls":{"vpc":{"source":"terraform-aws-modules/vpc/aws","version_constraint":"~> 4.0","module":{}}}}}}`))
		if err != nil {
			w.t.Fatal(err)
		}
		name := fmt.Sprintf("=many-%03d", i)
		if err := w.site.Inventory.Planned(w.t.Context(), explorer.Planned{Client: w.repo.ClientID, Repo: w.repo.ID, Dir: name, Workspace: "default", Name: name, Plan: plan, Pins: map[string]string{"registry.terraform.io/hashicorp/aws": "5.31.0"}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestUsesArePagedAndExported(t *testing.T) {
	w := local(t)
	const many = usesShown + 20
	usesWorld(w, many)
	type page struct {
		Uses []struct{ Client, Project, Version string }
		Next string
		More string `json:"more_uses"`
	}
	// By a range, which the code's own range meets.
	all, after := 0, ""
	for {
		var p page
		w.json("/api/v1/inventory/uses?client=acme&module=vpc/aws@%3C+5.0&limit=100&after="+url.QueryEscape(after), &p)
		if all += len(p.Uses); p.Next == "" {
			break
		}
		after = p.Next
	}
	if all != many {
		t.Errorf("%d uses of a range, not %d", all, many)
	}
	var first page
	w.json("/api/v1/inventory?client=acme&module=vpc/aws@%3C+5.0&limit=1", &first)
	if len(first.Uses) != usesShown || !strings.HasPrefix(first.More, "/inventory/uses?") {
		t.Fatalf("%d uses, more at %q", len(first.Uses), first.More)
	}
	if text := content(w.page(first.More)); strings.Count(text, "~> 4.0") != 20 || !strings.Contains(text, "Used by: vpc/aws@< 5.0") {
		t.Errorf("the rest: %s", text)
	}
	if text := content(w.page("/inventory/uses?provider=aws@5.31.0&limit=5")); strings.Count(text, "5.31.0") < 5 || !strings.Contains(text, "More") || !strings.Contains(text, "CSV") {
		t.Errorf("the page: %s", text)
	}
	if text := content(w.page("/inventory/uses?module=nothing")); !strings.Contains(text, "Nobody uses that") {
		t.Errorf("the page: %s", text)
	}
	// Whole, as CSV that no spreadsheet takes for formulas.
	res := w.ask("GET", "/api/v1/inventory/export?what=uses&format=csv&client=acme&module=vpc/aws@%3C+5.0")
	lines, err := csv.NewReader(res.Body).ReadAll()
	if err != nil || len(lines) != many+1 || strings.Join(lines[0], ",") != strings.Join(explorer.UseColumns, ",") || lines[1][1] != "'=many-000" || lines[1][7] != "~> 4.0" {
		t.Errorf("%d lines, %v: %.300v", len(lines), err, lines)
	}
	if h := res.Header; !strings.Contains(h.Get("Content-Type"), "text/csv") || h.Get("Content-Disposition") != `attachment; filename="tidelock-uses.csv"` {
		t.Errorf("%v", h)
	}
	for path, status := range map[string]int{
		"/inventory/uses?module=a&provider=b": 400, "/inventory/uses?module=@1": 400, "/inventory/uses?after=x": 400, "/inventory/uses?client=nobody": 404, "/inventory/uses?module=" + strings.Repeat("x", 300): 400,
		"/api/v1/inventory/export?format=xml": 400, "/api/v1/inventory/export?format=csv&what=x": 400, "/api/v1/inventory/export?format=csv&attribute=x": 400,
		"/api/v1/inventory/export?format=csv&client=nobody": 404,
	} {
		if res := w.ask("GET", path); res.StatusCode != status {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestInventoryIsExported(t *testing.T) {
	w := local(t)
	stateWorld(w, "net/prod")
	var got struct {
		Resources []struct {
			Client, Project, Address string
			Attributes               []struct{ Path, Value string }
		}
	}
	w.json("/api/v1/inventory/export?format=json&client=acme&full=1&limit=1", &got) // the whole, whatever the page's size
	if len(got.Resources) != 3 || got.Resources[0].Client != "acme" || strings.Contains(fmt.Sprint(got), "canary") || strings.Contains(fmt.Sprint(got), "hidden-away") || !strings.Contains(fmt.Sprint(got), "m5.large") {
		t.Errorf("%+v", got)
	}
	w.json("/api/v1/inventory/export?format=json&type=nothing", &got)
	if len(got.Resources) != 0 {
		t.Errorf("%+v", got)
	}
	res := w.ask("GET", "/api/v1/inventory/export?format=csv&provider=aws")
	body, err := io.ReadAll(res.Body)
	if err != nil || strings.Count(string(body), "\n") != 5 || !strings.HasPrefix(string(body), strings.Join(explorer.ResourceColumns, ",")) || strings.Contains(string(body), "canary") {
		t.Errorf("%v\n%s", err, body)
	}
	w.site.Inventory = nil
	for _, path := range []string{"/inventory/uses", "/api/v1/inventory/export?format=csv"} {
		if res := w.ask("GET", path); res.StatusCode != 404 {
			t.Errorf("%s without an inventory: %s", path, res.Status)
		}
	}
}
