package planner

import (
	"slices"
	"strings"
	"testing"
)

// estate is a repository of Terragrunt's as people lay it out.
var estate = map[string]string{
	"root.hcl": `locals {
  env = read_terragrunt_config(find_in_parent_folders("env.hcl"))
}
remote_state {
  backend = "s3"
  config = { key = "${path_relative_to_include()}/terraform.tfstate" }
}
inputs = { common = "c" }
`,
	"live/prod/env.hcl":   "locals {\n  tags = yamldecode(file(\"${get_repo_root()}/tags.yaml\"))\n}\n",
	"live/prod/users.txt": "x",
	"_envcommon/app.hcl": `locals {
  base = "${dirname(find_in_parent_folders("root.hcl"))}/modules"
}
terraform {
  source = "${local.base}//app?ref=x"
}
dependency "net" {
  config_path = "../net"
}
dependency "data" {
  config_path = "${get_terragrunt_dir()}/../data/terragrunt.hcl"
}
`,
	"tags.yaml": "a: b\n",
	"live/prod/net/terragrunt.hcl": `include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform {
  source = "../../../modules/net"
  extra_arguments "x" {
    commands           = ["plan"]
    required_var_files = ["${get_terragrunt_dir()}/../shared.tfvars"]
  }
}
`,
	"live/prod/data/terragrunt.hcl": "include {\n  path = find_in_parent_folders(\"root.hcl\")\n}\ndependencies {\n  paths = [\"../net\"]\n}\n",
	"live/prod/data/main.tf":        "resource \"terraform_data\" \"d\" {\n  input = file(\"${path.module}/../users.txt\")\n}\n",
	"live/prod/app/terragrunt.hcl": `include "root" {
  path = find_in_parent_folders("root.hcl")
}
include "common" {
  path   = "${get_path_to_repo_root()}/_envcommon/app.hcl"
  expose = true
}
inputs = { name = "app" }
`,
	"modules/app/main.tf": "module \"n\" {\n  source = \"../names\"\n}\nprovider \"aws\" {}\n", "modules/names/main.tf": resource, "modules/net/main.tf": resource,
	"plain/main.tf": resource,
}

func TestTerragruntUnitsAreFound(t *testing.T) {
	projects, problems := discovered(t, estate, DefaultRepoConfig())
	if got := dirs(projects); got != "live/prod/app:default live/prod/data:default live/prod/net:default plain:default" || len(problems) != 0 {
		t.Fatalf("%s %v", got, problems)
	}
	app, data, net, plain := projects[0], projects[1], projects[2], projects[3]
	for _, p := range []Project{app, data, net} {
		if p.Kind != KindTerragrunt || p.Backend != "s3" || p.WholeTree || p.Missing {
			t.Errorf("%+v", p)
		}
		for _, file := range []string{"root.hcl", "live/prod/env.hcl", "tags.yaml"} {
			if file != "tags.yaml" && !slices.Contains(p.Files, file) {
				t.Errorf("%s does not know that it reads %s: %q", p.Dir, file, p.Files)
			}
		}
	}
	if plain.Kind != "" || plain.Backend != "" {
		t.Errorf("%+v", plain)
	}
	if !slices.Equal(app.Modules, []string{"modules/app", "modules/names"}) || !slices.Equal(net.Modules, []string{"modules/net"}) || len(data.Modules) != 0 {
		t.Errorf("modules %q %q %q", app.Modules, net.Modules, data.Modules)
	}
	if !slices.Equal(app.DependsOn, []string{"live/prod/net", "live/prod/data"}) || !slices.Equal(data.DependsOn, []string{"live/prod/net"}) || len(net.DependsOn) != 0 {
		t.Errorf("depends on %q %q %q", app.DependsOn, data.DependsOn, net.DependsOn)
	}
	layers, err := Layers(projects)
	if err != nil || layers[net.Key()] != 0 || layers[data.Key()] != 1 || layers[app.Key()] != 2 || layers[plain.Key()] != 0 {
		t.Errorf("%v %v", layers, err)
	}
	for file, want := range map[string]string{
		"root.hcl": "live/prod/app live/prod/data live/prod/net", "live/prod/env.hcl": "live/prod/app live/prod/data live/prod/net",
		"_envcommon/app.hcl": "live/prod/app", "modules/names/main.tf": "live/prod/app", "modules/net/main.tf": "live/prod/net",
		"live/prod/shared.tfvars": "live/prod/net", "live/prod/users.txt": "live/prod/data", "live/prod/app/terragrunt.hcl": "live/prod/app",
		"tags.yaml": "live/prod/app live/prod/data live/prod/net", "plain/main.tf": "plain", "other.hcl": "",
	} {
		var got []string
		for _, touched := range Affected(projects, []string{file}) {
			got = append(got, touched.Project.Dir)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s touches %q, want %q", file, got, want)
		}
	}
	// What a unit reads shapes its inputs' digest, and what others read does not.
	digest := func(files map[string]string, dir string) string {
		t.Helper()
		list, _ := discovered(t, files, DefaultRepoConfig())
		for _, p := range list {
			if p.Dir == dir {
				d, err := InputsDigest(tree(files), p)
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
		}
		t.Fatalf("no %s", dir)
		return ""
	}
	for file, concerned := range map[string]bool{"root.hcl": true, "tags.yaml": true, "modules/net/main.tf": true, "_envcommon/app.hcl": false, "live/prod/app/terragrunt.hcl": false} {
		changed := map[string]string{}
		for name, text := range estate {
			changed[name] = text
		}
		changed[file] += "\n# more\n"
		if got := digest(estate, "live/prod/net") != digest(changed, "live/prod/net"); got != concerned {
			t.Errorf("%s changes the digest: %v", file, got)
		}
	}
}

func TestTerragruntUnitsThatAreNone(t *testing.T) {
	find := func(files map[string]string, cfg RepoConfig) (string, []Problem) {
		t.Helper()
		projects, problems := discovered(t, files, cfg)
		var out []string
		for _, p := range projects {
			kind := p.Kind
			if p.Missing {
				kind = "missing"
			}
			out = append(out, p.Dir+"="+kind)
		}
		return strings.Join(out, " "), problems
	}
	parent := "remote_state {\n  backend = \"local\"\n}\ninputs = { a = 1 }\n"
	child := "include {\n  path = find_in_parent_folders()\n}\n"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a parent with inputs", map[string]string{"terragrunt.hcl": parent, "a/terragrunt.hcl": child, "a/main.tf": resource}, "a=terragrunt"},
		{"a parent two levels up", map[string]string{"live/terragrunt.hcl": parent, "live/x/a/terragrunt.hcl": child}, "live/x/a=terragrunt"},
		{"nothing of its own", map[string]string{"terragrunt.hcl": "locals {}\n"}, ""},
		{"beside code", map[string]string{"a/terragrunt.hcl": "", "a/main.tf": resource}, "a=terragrunt"},
		{"ignored", map[string]string{"examples/a/terragrunt.hcl": child}, ""},
		{"hidden", map[string]string{".terragrunt-cache/a/terragrunt.hcl": child, ".x/terragrunt.hcl": child}, ""},
		{"the root", map[string]string{"terragrunt.hcl": "terraform {\n  source = \"./m\"\n}\n", "m/main.tf": resource + "provider \"aws\" {}\n"}, ".=terragrunt"},
		{"broken", map[string]string{"a/terragrunt.hcl": "include {\n  path = \"../root.hcl\"\n", "root.hcl": ""}, "a=terragrunt"},
	} {
		if got, _ := find(tc.files, RepoConfig{Autodiscover: true, Ignore: []string{"examples/**"}}); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	files := map[string]string{"terragrunt.hcl": parent, "a/terragrunt.hcl": child, "a/main.tf": resource, "b/main.tf": resource}
	for text, want := range map[string]string{
		"project \"a\" {\n dir = \"a\"\n}\n":                                    "a=terragrunt b=",
		"project \"a\" {\n dir = \"a\"\n kind = \"terraform\"\n}\n":             "a= b=",
		"project \"a\" {\n dir = \"a\"\n workspace = \"w\"\n}\n":                "a= b=",
		"project \"b\" {\n dir = \"b\"\n kind = \"terragrunt\"\n}\n":            "a=terragrunt b=missing",
		"project \"root\" {\n dir = \".\"\n kind = \"terragrunt\"\n}\n":         ".=missing a=terragrunt b=",
		"autodiscover = false\nproject \"a\" {\n dir = \"a\"\n}\n":              "a=terragrunt",
		"project \"a\" {\n dir = \"a\"\n depends_on = [\"b\"]\n order = 1\n}\n": "a=terragrunt b=",
	} {
		cfg, err := ParseConfig([]byte(text), ConfigFile)
		if err != nil {
			t.Fatal(err)
		}
		if got, problems := find(files, cfg); got != want || strings.Contains(want, "missing") != (len(problems) > 0) {
			t.Errorf("%s%q, want %q; %v", text, got, want, problems)
		}
	}
}

func TestTerragruntWhatCantBeTold(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		whole bool
		lost  string // in a problem
	}{
		"a program":            {"inputs = { a = run_cmd(\"date\") }\n", true, ""},
		"a source that is one": {"terraform {\n  source = get_env(\"SOURCE\")\n}\n", true, ""},
		"a path of a value":    {"inputs = { a = file(local.x.y) }\n", true, ""},
		"out of the tree":      {"include {\n  path = \"../../../x.hcl\"\n}\n", true, ""},
		"locals in a circle":   {"locals {\n  a = local.b\n  b = local.a\n}\nterraform {\n  source = local.a\n}\n", true, ""},
		"files in a circle":    {"inputs = { a = read_terragrunt_config(\"terragrunt.hcl\") }\n", false, ""},
		"another repository":   {"terraform {\n  source = \"git::https://example.com/x.git//m?ref=v1\"\n}\n", false, ""},
		"the registry":         {"terraform {\n  source = \"tfr:///terraform-aws-modules/vpc/aws?version=3.5.0\"\n}\n", false, ""},
		"no such unit":         {"dependency \"x\" {\n  config_path = \"../gone\"\n}\n", false, "live/a depends on live/gone, and there is no Terragrunt unit in that directory."},
		"no such module":       {"terraform {\n  source = \"../gone//m\"\n}\n", false, "live/gone/m holds no Terraform code"},
		"deep nesting":         {"inputs = " + strings.Repeat("[", 5000), true, ""},
	} {
		projects, problems := discovered(t, map[string]string{"live/a/terragrunt.hcl": tc.text + "\n", "live/a/main.tf": resource}, DefaultRepoConfig())
		if len(projects) != 1 || projects[0].WholeTree != tc.whole || projects[0].Backend != KindTerragrunt {
			t.Errorf("%s: %+v", name, projects)
		}
		if got := len(problems) > 0; got != (tc.lost != "") || got && !strings.Contains(problems[0].Message, tc.lost) {
			t.Errorf("%s: %v", name, problems)
		}
	}
	// Units that need each other are told as any circle.
	circle := map[string]string{"a/terragrunt.hcl": "dependencies {\n  paths = [\"../b\"]\n}\n", "b/terragrunt.hcl": "dependencies {\n  paths = [\"../a\"]\n}\n"}
	projects, _ := discovered(t, circle, DefaultRepoConfig())
	if _, err := Layers(projects); err == nil || !strings.Contains(err.Error(), "in a circle: a → b → a") {
		t.Error(err)
	}
	if got := EmptiedDirs(tree(map[string]string{"b/terragrunt.hcl": ""}), []string{"a/terragrunt.hcl", "b/terragrunt.hcl"}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("emptied: %q", got)
	}
}
