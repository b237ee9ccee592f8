package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestExpand(t *testing.T) {
	v := vars{"region": "eu-west-1", "id": "vol-1"}
	for template, want := range map[string]string{
		"":                           `^$`,
		"plain":                      `^plain$`,
		"{region}a,{region}b":        `^eu-west-1a,eu-west-1b$`,
		"i-{hex17}":                  `^i-[0-9a-f]{17}$`,
		"{uuid}":                     `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
		"{ip}":                       `^10(\.\d{1,3}){3}$`,
		"{public_ip}":                `^203\.0\.113\.\d{1,3}$`,
		"{digits}":                   `^\d{18}$`,
		"a{nobody knows this name}b": `^ab$`,
		"left {open":                 `^left \{open$`,
	} {
		if got := expand(template, v); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("expand(%q) = %q, want %s", template, got, want)
		}
	}
	twice := func(template string) (a, b string) { return expand(template, v), expand(template, v) }
	ip, again := twice("{ip}")
	random, other := twice("{hex17}")
	if ip != again || random == other {
		t.Error("an address belongs to its object; a random name to nobody")
	}
}

func TestCodecRoundTrip(t *testing.T) {
	rule := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"port": tftypes.Number, "cidrs": tftypes.List{ElementType: tftypes.String}}}
	typ := tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"name": tftypes.String, "on": tftypes.Bool, "size": tftypes.Number, "none": tftypes.String,
		"tags": tftypes.Map{ElementType: tftypes.String}, "rules": tftypes.Set{ElementType: rule},
	}}
	v := tftypes.NewValue(typ, map[string]tftypes.Value{
		"name": tftypes.NewValue(tftypes.String, "x"), "on": tftypes.NewValue(tftypes.Bool, true),
		"size": tftypes.NewValue(tftypes.Number, 0.25), "none": tftypes.NewValue(tftypes.String, nil),
		"tags": tftypes.NewValue(typ.AttributeTypes["tags"], map[string]tftypes.Value{"a": tftypes.NewValue(tftypes.String, "b")}),
		"rules": tftypes.NewValue(typ.AttributeTypes["rules"], []tftypes.Value{tftypes.NewValue(rule, map[string]tftypes.Value{
			"port":  tftypes.NewValue(tftypes.Number, 443),
			"cidrs": tftypes.NewValue(rule.AttributeTypes["cidrs"], []tftypes.Value{tftypes.NewValue(tftypes.String, "10.0.0.0/8")}),
		})}),
	})
	s := store{dir: t.TempDir(), family: "aws"}
	if err := s.create("aws_x", "x", plainObject(v)); err != nil {
		t.Fatal(err)
	}
	data, err := s.read("aws_x", "x")
	if err != nil {
		t.Fatal(err)
	}
	back, err := typed(data, typ)
	if err != nil {
		t.Fatal(err)
	}
	if !back.Equal(v) {
		t.Errorf("it came back as %v, was %v", back, v)
	}

	// A file of an older or newer table still reads; one of nonsense does not.
	delete(data, "on")
	data["later"] = "?"
	if older, err := typed(data, typ); err != nil || !attrsOf(older)["on"].IsNull() {
		t.Errorf("a file that lacks an attribute: %v, %v", older, err)
	}
	data["size"] = "large"
	if _, err := typed(data, typ); err == nil || !strings.Contains(err.Error(), "size") {
		t.Errorf("a number that is none: %v", err)
	}
}

func TestStore(t *testing.T) {
	s := store{dir: t.TempDir(), family: "azurerm"}
	long := "/subscriptions/0/" + strings.Repeat("resourceGroups/../", 30) + strings.Repeat("n", 300)
	for _, id := range []string{"plain", "a/b", "../../outside", "A", "a", long} {
		if err := s.create("t", id, map[string]any{"of": id}); err != nil {
			t.Fatalf("create %q: %v", id, err)
		}
		if err := s.create("t", id, nil); !errors.Is(err, errTaken) {
			t.Errorf("create %q again: %v", id, err)
		}
		if got, err := s.read("t", id); err != nil || got["of"] != id {
			t.Errorf("read %q: %v, %v", id, got, err)
		}
		if dir := filepath.Dir(s.path("t", id)); dir != filepath.Join(s.dir, "azurerm", "t") {
			t.Errorf("%q leaves the folder: %s", id, dir)
		}
	}
	if err := s.update("t", "plain", map[string]any{"of": "new"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.read("t", "plain"); got["of"] != "new" {
		t.Errorf("after the update: %v", got)
	}
	for range 2 { // gone is gone
		if err := s.remove("t", "plain"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.read("t", "plain"); !errors.Is(err, errGone) {
		t.Errorf("read of a removed object: %v", err)
	}
	if err := s.update("t", "plain", nil); !errors.Is(err, errGone) {
		t.Errorf("update of a removed object: %v", err)
	}
}

func TestPolicyDocument(t *testing.T) {
	got, err := policyDocument(map[string]any{
		"statement": []any{
			map[string]any{
				"sid": "A", "actions": []any{"s3:PutObject", "s3:GetObject"}, "resources": []any{"*"},
				"principals": []any{map[string]any{"type": "AWS", "identifiers": []any{"000000000000"}}},
				"condition":  []any{map[string]any{"test": "Bool", "variable": "aws:SecureTransport", "values": []any{"true"}}},
			},
			map[string]any{"effect": "Deny", "not_actions": []any{"iam:*"}, "principals": []any{map[string]any{"type": "*", "identifiers": []any{"*"}}}},
		},
		"override_policy_documents": []any{`{"Statement":[{"Sid":"B"}]}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	var doc, want any
	if err := json.Unmarshal([]byte(got["minified_json"]), &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*","Principal":{"AWS":"000000000000"},"Condition":{"Bool":{"aws:SecureTransport":"true"}}},
		{"Effect":"Deny","NotAction":"iam:*","Principal":"*"},
		{"Sid":"B"}]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, doc); diff != "" {
		t.Error(diff)
	}
	if _, err := policyDocument(map[string]any{"source_policy_documents": []any{"no JSON"}}); err == nil {
		t.Error("a document that is no JSON is taken")
	}
}

func TestDrill(t *testing.T) {
	object := func(name, tag string) tftypes.Value {
		tags := tftypes.Map{ElementType: tftypes.String}
		return tftypes.NewValue(tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String, "tags": tags}}, map[string]tftypes.Value{
			"name": tftypes.NewValue(tftypes.String, name),
			"tags": tftypes.NewValue(tags, map[string]tftypes.Value{"Name": tftypes.NewValue(tftypes.String, tag)}),
		})
	}
	ctx := context.Background()
	for _, c := range []struct {
		name, tag, operation string
		fails                string
	}{
		{"web", "web", "create", ""},
		{"fail-create", "", "create", "asked to fail"},
		{"", "fail-update-please", "update", "asked to fail"},
		{"fail-create", "", "update", ""},
		{"never-fail-create", "", "create", ""},
		{"slow-create-1ms", "", "create", ""},
		{"slow-create-soon", "", "create", "names no duration"},
	} {
		err := drill{c.operation, object(c.name, c.tag), ""}.before(ctx)
		if got := err != nil; got != (c.fails != "") || got && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%q %q, %s: %v, want %q", c.name, c.tag, c.operation, err, c.fails)
		}
	}

	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := (drill{"create", object("slow-create-1h", ""), ""}).before(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("a slow create that is stopped: %v", err)
	}
	held := drill{"delete", object("hold-delete-x", ""), t.TempDir()}
	if err := held.after(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("a held delete that is stopped: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(held.dir, "release"), 0o755); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- held.after(ctx) }()
	if err := os.WriteFile(filepath.Join(held.dir, "release", "hold-delete-x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a released delete still waits")
	}
	if err := (drill{"delete", object("hold-delete-x", ""), ""}).after(ctx); err == nil {
		t.Error("a hold without a folder would wait for ever, and is taken")
	}
}
