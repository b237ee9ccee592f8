package planner

import (
	"reflect"
	"testing"
)

func TestWhereTheCodeSaysThatTheStateIs(t *testing.T) {
	const cloud = `terraform {
  required_version = ">= 1.1"

  cloud {
    hostname     = "tidelock.example.com"
    organization = "acme"
    workspaces {
      name = "net:prod"
    }
  }
}
`
	for name, c := range map[string]struct {
		files map[string]string
		typ   string
		want  *StatePlace
	}{
		"cloud":           {map[string]string{"a/main.tf": cloud}, "cloud", &StatePlace{File: "a/main.tf", Line: 4, Host: "tidelock.example.com", Organization: "acme", Workspace: "net:prod"}},
		"remote":          {map[string]string{"a/main.tf": "terraform {\n  backend \"remote\" {\n    hostname = \"h\"\n    workspaces {\n      prefix = \"net:\"\n    }\n  }\n}\n"}, "remote", &StatePlace{File: "a/main.tf", Line: 2, Host: "h", Prefix: "net:"}},
		"http":            {map[string]string{"a/main.tf": "terraform {\n  backend \"http\" {\n    address = \"https://h/state/acme/x\"\n    username = \"u\"\n  }\n}\n"}, "http", &StatePlace{File: "a/main.tf", Line: 2, Address: "https://h/state/acme/x"}},
		"nothing written": {map[string]string{"a/main.tf": "terraform {\n  backend \"http\" {}\n}\n"}, "http", &StatePlace{File: "a/main.tf", Line: 2}},
		"JSON":            {map[string]string{"a/main.tf.json": `{"terraform": [{"cloud": {"hostname": "h", "organization": "o", "workspaces": [{"name": "w"}]}}]}`}, "cloud", &StatePlace{File: "a/main.tf.json", Host: "h", Organization: "o", Workspace: "w"}},
		"JSON, http":      {map[string]string{"a/main.tf.json": `{"terraform": {"backend": {"http": {"address": "https://h/x"}}}}`}, "http", &StatePlace{File: "a/main.tf.json", Address: "https://h/x"}},
		// Nothing of a stranger's is evaluated.
		"computed":       {map[string]string{"a/main.tf": "terraform {\n  cloud {\n    hostname = var.host\n    organization = \"${local.o}\"\n    workspaces {\n      name = join(\":\", [\"a\"])\n    }\n  }\n}\n"}, "cloud", &StatePlace{File: "a/main.tf", Line: 2}},
		"computed, JSON": {map[string]string{"a/main.tf.json": `{"terraform": {"cloud": {"hostname": "${var.h}", "organization": 7, "workspaces": {"name": "%{ if true }x%{ endif }"}}}}`}, "cloud", &StatePlace{File: "a/main.tf.json"}},
		"elsewhere":      {map[string]string{"a/main.tf": "terraform {\n  backend \"s3\" {\n    address = \"https://h/x\"\n  }\n}\n"}, "s3", nil},
		"none":           {map[string]string{"a/main.tf": resource}, "", nil},
		// What overrides has the last word, whatever its name.
		"an override to elsewhere": {map[string]string{"a/main.tf": cloud, "a/a_override.tf": "terraform {\n  backend \"s3\" {}\n}\n"}, "s3", nil},
		"an override to there":     {map[string]string{"a/z.tf": "terraform {\n  backend \"s3\" {}\n}\n", "a/override.tf": cloud}, "cloud", &StatePlace{File: "a/override.tf", Line: 4, Host: "tidelock.example.com", Organization: "acme", Workspace: "net:prod"}},
		"both in one file":         {map[string]string{"a/main.tf": cloud + "terraform {\n  backend \"s3\" {}\n}\n"}, "s3", nil},
	} {
		projects, _ := discovered(t, c.files, RepoConfig{Autodiscover: true})
		if len(projects) != 1 {
			t.Fatalf("%s: %d projects", name, len(projects))
		}
		if got := projects[0]; got.Backend != c.typ || !reflect.DeepEqual(got.StatePlace, c.want) {
			t.Errorf("%s: %s, %+v, not %s, %+v", name, got.Backend, got.StatePlace, c.typ, c.want)
		}
	}
	// A module's says nothing, and Terragrunt makes its own of what the code says.
	projects, _ := discovered(t, map[string]string{"a/main.tf": "module \"m\" {\n  source = \"../modules/m\"\n}\n", "modules/m/main.tf": resource, "u/terragrunt.hcl": "terraform {\n  source = \"../b\"\n}\n", "u/main.tf": cloud}, RepoConfig{Autodiscover: true})
	for _, p := range projects {
		if p.StatePlace != nil {
			t.Errorf("%s: %+v", p.Key(), p.StatePlace)
		}
	}
}
