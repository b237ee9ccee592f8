package planner

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

func TestInitInputs(t *testing.T) {
	base := map[string]string{
		"live/main.tf": `terraform {
  required_version = ">= 1.5"
  backend "s3" {
    bucket = "b"
  }
}
provider "aws" {
  region = "eu-west-1"
}
module "net" {
  source = "../modules/net"
  cidr   = "10.0.0.0/16"
}
resource "aws_sqs_queue" "q" {
  name = "q"
}
`,
		"modules/net/main.tf": "variable \"cidr\" {}\nresource \"aws_vpc\" \"v\" {\n  cidr_block = var.cidr\n}\n",
		"modules/other/a.tf":  "resource \"google_x\" \"y\" {}\n",
	}
	digest := func(edit func(files map[string]string)) (string, bool) {
		m, files := fstest.MapFS{}, maps.Clone(base)
		edit(files)
		for k, v := range files {
			m[k] = &fstest.MapFile{Data: []byte(v), Mode: 0o644}
		}
		return InitInputs(m, "live")
	}
	first, ok := digest(func(map[string]string) {})
	if !ok || first == "" {
		t.Fatal(first, ok)
	}
	replace := func(name, from, to string) func(map[string]string) {
		return func(files map[string]string) {
			if !strings.Contains(files[name], from) {
				t.Fatalf("%q is not in %s", from, name)
			}
			files[name] = strings.Replace(files[name], from, to, 1)
		}
	}
	for name, c := range map[string]struct {
		edit    func(map[string]string)
		same    bool
		unknown bool
	}{
		"nothing":                         {edit: func(map[string]string) {}, same: true},
		"an attribute of a resource":      {edit: replace("live/main.tf", `name = "q"`, `name = "r"`), same: true},
		"what a module is given":          {edit: replace("live/main.tf", "10.0", "10.1"), same: true},
		"a provider's settings":           {edit: replace("live/main.tf", "eu-west-1", "eu-west-2"), same: true},
		"one more resource of the kind":   {edit: replace("modules/net/main.tf", "variable", "resource \"aws_vpc\" \"w\" {}\nvariable"), same: true},
		"a module that nothing calls":     {edit: replace("modules/other/a.tf", "google", "azurerm"), same: true},
		"another backend":                 {edit: replace("live/main.tf", `bucket = "b"`, `bucket = "c"`)},
		"another source":                  {edit: replace("live/main.tf", "../modules/net", "../modules/other")},
		"a version of a module":           {edit: replace("live/main.tf", "cidr   =", "version = \"1\"\n  cidr =")},
		"a type of another provider":      {edit: replace("modules/net/main.tf", "aws_vpc", "google_vpc")},
		"a resource of another provider":  {edit: replace("live/main.tf", `name = "q"`, "provider = google\nname = \"q\"")},
		"required_providers in a module":  {edit: replace("modules/net/main.tf", "variable", "terraform {\n  required_providers {\n    x = { source = \"a/x\" }\n  }\n}\nvariable")},
		"a source that is computed":       {edit: replace("live/main.tf", `"../modules/net"`, "var.source"), unknown: true},
		"a source with a variable in it":  {edit: replace("live/main.tf", `"../modules/net"`, `"../modules/${var.net}"`), unknown: true},
		"a backend that is computed":      {edit: replace("live/main.tf", `bucket = "b"`, `bucket = var.bucket`), unknown: true},
		"code that is broken":             {edit: replace("live/main.tf", "resource", "resource {"), unknown: true},
		"a module outside the repository": {edit: replace("live/main.tf", "../modules/net", "../../x"), unknown: true},
		"a module that is not there":      {edit: replace("live/main.tf", "../modules/net", "../modules/no"), unknown: true},
		"JSON with a module":              {edit: func(f map[string]string) { f["live/x.tf.json"] = `{"module":{"a":{"source":"./x"}}}` }, unknown: true},
		"JSON":                            {edit: func(f map[string]string) { f["live/x.tf.json"] = `{"locals":{"a":1}}` }},
		"modules in a circle":             {edit: replace("modules/net/main.tf", "variable", "module \"m\" {\n  source = \"../net\"\n}\nvariable")},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := digest(c.edit)
			if ok == c.unknown {
				t.Fatalf("known: %v", ok)
			}
			if ok && (got == first) != c.same {
				t.Errorf("the same: %v, want %v", got == first, c.same)
			}
		})
	}
}
