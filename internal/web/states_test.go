package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// stateWorld gives acme a state of the name with two versions, which somebody
// holds, another with a restore that is asked for, and one elsewhere of which a
// plan tells; globex has one, too.
func stateWorld(w *world, name string) {
	w.t.Helper()
	ctx := w.t.Context()
	key, err := keyring.NewLocal(redact.NewSecret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
	if err != nil {
		w.t.Fatal(err)
	}
	ring, err := keyring.New(key)
	if err != nil {
		w.t.Fatal(err)
	}
	w.site.States = state.New(state.Options{DB: w.opts.DB, Blobs: w.opts.Blobs, Keys: ring, Trail: w.opts.Trail, Tokens: access.NewTokens(w.opts.DB, w.opts.Trail, w.opts.Now), Now: w.opts.Now})
	w.site.Inventory = explorer.New(w.opts.DB, w.site.States, nil, w.opts.Now)
	who := state.Who{Actor: ada}
	write := func(client, name string, serial int, text string) {
		w.t.Helper()
		body := fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":"3f1c0000-%s","outputs":{},"resources":[
			{"mode":"managed","type":"aws_instance","name":"web","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{"attributes":{"id":"i-0abc","arn":"arn:aws:ec2:eu-north-1:1:instance/i-0abc","instance_type":"m5.large","note":%s,"password":"canary-%d"}}]}]}`, serial, client, quoted(text), serial)
		if _, err := w.site.States.Write(ctx, state.Write{Client: client, Name: name, Who: who, Body: strings.NewReader(body)}); err != nil {
			w.t.Fatal(err)
		}
	}
	acme, globex := w.repo.ClientID, w.client("globex", 42, 8, "platform").ClientID
	write(acme, name, 1, "one")
	write(acme, name, 2, "two "+payload)
	write(globex, "hidden-away", 1, "another")
	lock := fmt.Sprintf(`{"ID":"0a1b2c3d","Operation":"OperationTypeApply","Who":%s}`, quoted("carol@laptop "+payload))
	if _, err := w.site.States.Lock(ctx, acme, name, who, []byte(lock)); err != nil {
		w.t.Fatal(err)
	}
	write(acme, "dns", 1, "one")
	write(acme, "dns", 2, "two")
	if _, err := w.site.States.AskRestore(ctx, acme, "dns", 1, who, "two lost the zone "+payload); err != nil {
		w.t.Fatal(err)
	}
	if err := w.site.States.Delete(ctx, globex, "hidden-away", who, ""); err != nil {
		w.t.Fatal(err)
	}
	write(globex, "hidden-away", 2, "another")
	plan, err := tfplan.ParsePlan(strings.NewReader(`{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[
		{"address":"aws_vpc.main","mode":"managed","type":"aws_vpc","name":"main","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["no-op"],"before":{"id":"vpc-1"},"after":{"id":"vpc-1"}}}],
		"configuration":{"root_module":{"module_calls":{"vpc":{"source":"terraform-aws-modules/vpc/aws","version_constraint":"~> 5.0","module":{}}}}}}`))
	if err != nil {
		w.t.Fatal(err)
	}
	planned := explorer.Planned{Client: acme, Repo: w.repo.ID, Dir: "live", Workspace: "default", Name: "live", Plan: plan, Pins: map[string]string{"registry.terraform.io/hashicorp/aws": "5.31.0"}}
	if err := w.site.Inventory.Planned(ctx, planned); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.site.Inventory.Refresh(ctx, ""); err != nil {
		w.t.Fatal(err)
	}
}

// quoted is a text as JSON.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always can be
	}
	return string(b)
}

func TestStatesPages(t *testing.T) {
	w := local(t)
	stateWorld(w, "net/prod")
	doc := w.page("/states?client=acme")
	got := strings.Join(cells(doc), "\n")
	if !strings.Contains(got, "acme/net/prod | 2 | 1 | 701 B") || !strings.Contains(got, "by ada") || !strings.Contains(got, "carol@laptop") || !strings.Contains(got, "OperationTypeApply") || strings.Contains(got, "globex") {
		t.Errorf("the states:\n%s", got)
	}
	if text := content(doc); !strings.Contains(text, "ada asks to restore version 1") || !strings.Contains(text, "two lost the zone") || !strings.Contains(text, "tidelock state approve-restore ") {
		t.Errorf("the page says %s", text)
	}
	doc = w.page("/states/acme/net/prod")
	if text := content(doc); !strings.Contains(text, "Locked by carol@laptop") || !strings.Contains(text, "0a1b2c3d") || strings.Contains(text, "asks to restore") {
		t.Errorf("the page says %s", text)
	}
	if got := cells(doc); len(got) != 2 || !strings.HasPrefix(got[0], "2 | 2 | ") || !strings.Contains(got[0], "Counts") || !strings.Contains(outer(doc), "/states/acme/net/prod?from=1&amp;to=2#diff") {
		t.Errorf("the versions: %v", got)
	}
	doc = w.page("/states/acme/net/prod?from=1&to=2")
	if text := content(doc); !strings.Contains(text, "aws_instance.web") || !strings.Contains(text, `"one"`) || !strings.Contains(text, "sensitive, differs") || strings.Contains(text, "canary") {
		t.Errorf("the comparison says %s", text)
	}
	if text := content(w.page("/states/acme/net/prod?from=2&to=2")); !strings.Contains(text, "They have the same resources and outputs.") {
		t.Errorf("the comparison says %s", text)
	}
	for path, status := range map[string]int{
		"/states/acme/nothing": 404, "/states/globex/net/prod": 404, "/states/nobody/net/prod": 404, "/states/acme/.x": 404, "/states/acme/net/prod?from=x&to=1": 400, "/states/acme/net/prod?from=1&to=9": 404,
		"/states/acme/net/prod?from=1": 400, "/states?client=nobody": 404, "/api/v1/states/globex/net/prod": 404,
	} {
		if res := w.ask("GET", path); res.StatusCode != status {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	for _, path := range []string{"/api/v1/states", "/api/v1/states/acme/net/prod?from=1&to=2"} {
		if text := w.text(path); strings.Contains(text, "canary") || strings.Contains(text, "0001-01-01") || strings.Contains(text, "null") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestInventoryPage(t *testing.T) {
	w := local(t)
	stateWorld(w, "net/prod")
	doc := w.page("/inventory?client=acme&provider=aws")
	text := content(doc)
	for _, want := range []string{"aws_instance.web", "acme/net/prod", "acme/dns", "aws_vpc.main", "by its last plan", "hashicorp/aws 5.31.0", "i-0abc", "eu-north-1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %s: %s", want, text)
		}
	}
	if strings.Contains(text, "hidden-away") || strings.Contains(text, "canary") {
		t.Errorf("the page says %s", text)
	}
	if text := content(w.page("/inventory?type=aws_instanse&client=acme")); !strings.Contains(text, `Did you mean "aws_instance"?`) {
		t.Errorf("the page says %s", text)
	}
	if text := content(w.page("/inventory?module=vpc/aws&client=acme")); !strings.Contains(text, "Used by") || !strings.Contains(text, "acme/live") || !strings.Contains(text, "~> 5.0") {
		t.Errorf("the page says %s", text)
	}
	var found struct {
		Resources []struct {
			Address, Project string
			Attributes       []struct{ Path, Value string }
		}
		Next string
	}
	w.json("/api/v1/inventory?attribute=instance_type=m5.large&full=1&limit=1&client=acme", &found)
	if len(found.Resources) != 1 || found.Next == "" || fmt.Sprint(found.Resources[0].Attributes) == "[]" || strings.Contains(fmt.Sprint(found), "canary") {
		t.Errorf("%+v", found)
	}
	for path, status := range map[string]int{
		"/inventory?attribute=x": 400, "/inventory?provider=@1": 400, "/inventory?q=" + strings.Repeat("x", 201): 400, "/inventory?after=x": 400, "/inventory?client=nobody": 404, "/inventory?limit=0": 400,
		"/inventory?attribute=instance_type=m5.large&limit=1": 200,
	} {
		if res := w.ask("GET", path); res.StatusCode != status {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	w.site.States, w.site.Inventory = nil, nil
	for _, path := range []string{"/states", "/states/acme/net/prod", "/inventory"} {
		if res := w.ask("GET", path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s without a store: %s", path, res.Status)
		}
	}
}

// What strangers chose is text on these pages, too.
func TestThreat_StatePagesShowTextOnly(t *testing.T) {
	w := local(t)
	stateWorld(w, "net/prod")
	for _, path := range []string{"/states", "/states/acme/net/prod?from=1&to=2", "/states/acme/dns", "/inventory?q=%3Cscript%3Ewindow.hacked=1%3C/script%3E&type=%22%3E%3Cimg+src=x%3E"} {
		doc := w.page(path)
		if strings.Contains(outer(doc), "<script>window") || len(find(doc, "img", "")) != 1 {
			t.Errorf("%s: %s", path, outer(doc))
		}
	}
}
