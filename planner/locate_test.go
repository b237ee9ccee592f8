package planner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/planner"
)

// located is a repository with a project in live/shop.
var located = map[string]string{
	"live/shop/main.tf": `# the shop
resource "aws_s3_bucket" "logs" {
  bucket = "logs"
}

data "aws_ami" "base" {
}

module "net" {
  source = "../../modules/net"
  count  = 2
}

module "far" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.0.0"
}

module "gone" {
  source = "../../modules/none"
}

resource "aws_instance" "one" { ami = "x" }

removed {
  from = aws_sqs_queue.old
  lifecycle {
    destroy = false
  }
}

removed {
  from = module.net.aws_sqs_queue.inner
}
`,
	"live/shop/logs_override.tf": `resource "aws_s3_bucket" "logs" {
  bucket = "other"
}
resource "aws_s3_bucket" "only_override" {}
`,
	"live/shop/override.tf":   `resource "aws_instance" "one" { ami = "y" }`,
	"live/shop/broken.tf":     "resource \"aws_s3_bucket\" \"before\" {\n}\nresource \"aws_s3_bucket\" {{{\n",
	"live/shop/queue.tf":      "resource \"aws_sqs_queue\" \"q\" {}\n",
	"live/shop/queue.tofu":    "\nresource \"aws_sqs_queue\" \"q\" {}\n",
	"live/shop/deep.tf":       "locals {\n x = " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n}\n",
	"live/shop/.hidden.tf":    `resource "aws_sqs_queue" "hidden" {}`,
	"live/shop/bad.tf.json":   `{"resource": {"aws_sqs_queue": {"bad": {}}`,
	"live/shop/extra.tf.json": "{\n  \"resource\": [\n    {\"aws_sns_topic\": {\n      \"t\": {\n        \"name\": \"a\"\n      }\n    }},\n    {\"aws_sns_topic\": {\"u\": {}}}\n  ],\n  \"data\": {\"aws_region\": {\"here\": {}}},\n  \"module\": {\n    \"json\": {\n      \"source\": \"../../modules/net\"\n    }\n  }\n}\n",
	"modules/net/net.tf": `resource "aws_vpc" "main" {
}
module "inner" {
  source = "./inner"
  for_each = toset(["a.b", "c]"])
}
`,
	"modules/net/inner/main.tf": `
resource "aws_subnet" "s" {
}
module "again" {
  source = "../../net"
}
`,
}

func tree(t *testing.T, files map[string]string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestLocate(t *testing.T) {
	l := planner.NewLocator(tree(t, located), planner.Project{Dir: "live/shop"})
	for address, want := range map[string]string{
		`aws_s3_bucket.logs`:              "live/shop/main.tf:2-4",
		`data.aws_ami.base`:               "live/shop/main.tf:6-7",
		`aws_instance.one[0]`:             "live/shop/main.tf:23-23",
		`aws_instance.one["a.b[\"]"]`:     "live/shop/main.tf:23-23",
		`aws_s3_bucket.only_override`:     "live/shop/logs_override.tf:4-4",
		`aws_s3_bucket.before`:            "live/shop/broken.tf:1-2",
		`aws_sns_topic.t`:                 "live/shop/extra.tf.json:4-6",
		`aws_sns_topic.u`:                 "live/shop/extra.tf.json:8-8",
		`data.aws_region.here`:            "live/shop/extra.tf.json:10-10",
		`aws_sqs_queue.old`:               "live/shop/main.tf:25-30",
		`module.net.aws_sqs_queue.inner`:  "live/shop/main.tf:32-34",
		`module.net[1].aws_vpc.main`:      "modules/net/net.tf:1-2",
		`module.json.aws_vpc.main`:        "modules/net/net.tf:1-2",
		`module.far.aws_vpc.this[0]`:      "live/shop/main.tf:14-17",
		`module.far["x"].module.y.a_b.c`:  "live/shop/main.tf:14-17",
		`module.gone.aws_vpc.main`:        "live/shop/main.tf:19-21",
		`aws_sqs_queue.q`:                 "live/shop/queue.tofu:2-2", // OpenTofu takes it for queue.tf
		`aws_sqs_queue.hidden`:            "",
		`aws_sqs_queue.bad`:               "",
		`aws_s3_bucket.deleted`:           "",
		`module.unknown.aws_vpc.main`:     "",
		`module.net[0].aws_vpc.other`:     "",
		`provider["registry/x/y"]`:        "",
		`output.a`:                        "",
		`var.a`:                           "",
		``:                                "",
		`aws_vpc`:                         "",
		`a..b`:                            "",
		`aws_vpc.main["never closed`:      "",
		`module.net.module.inner["c]"].x`: "",
		`module.net[0].module.inner["a.b"].aws_subnet.s`:                           "modules/net/inner/main.tf:2-3",
		`module.net[0].module.inner["c]"].module.again.aws_vpc.main`:               "modules/net/net.tf:1-2",
		strings.Repeat("module.net.module.inner.", 20) + "aws_subnet.s":            "",
		"module.net." + strings.Repeat("module.inner.module.again.", 80) + "a_b.c": "",
		"aws_vpc." + strings.Repeat("x", 1<<20):                                    "",
	} {
		got := ""
		if p := l.Find(address); p != (planner.Place{}) {
			got = fmt.Sprintf("%s:%d-%d", p.File, p.Line, p.EndLine)
		}
		if len(address) > 80 {
			address = address[:80]
		}
		if got != want {
			t.Errorf("%s is at %q, want %q", address, got, want)
		}
	}
	terraform := planner.NewLocator(tree(t, located), planner.Project{Dir: "live/shop", Tool: planner.Tool{Name: planner.ToolTerraform}})
	if p := terraform.Find("aws_sqs_queue.q"); p != (planner.Place{File: "live/shop/queue.tf", Line: 1, EndLine: 1}) {
		t.Errorf("Terraform reads no .tofu file: %v", p)
	}
}

func TestLocateTheResourceOfALine(t *testing.T) {
	l := planner.NewLocator(tree(t, located), planner.Project{Dir: "live/shop"})
	for at, want := range map[string]string{
		"live/shop/main.tf:3":         "aws_s3_bucket.logs",
		"live/shop/main.tf:5":         "",
		"live/shop/main.tf:7":         "data.aws_ami.base",
		"live/shop/main.tf:10":        "", // a call is no resource
		"modules/net/net.tf:2":        "module.json.aws_vpc.main",
		"modules/net/inner/main.tf:2": "module.json.module.inner.aws_subnet.s",
		"live/shop/extra.tf.json:5":   "aws_sns_topic.t",
		"elsewhere.tf:1":              "",
	} {
		file, line, _ := strings.Cut(at, ":")
		var n int
		fmt.Sscan(line, &n)
		if got := l.Resource(file, n); got != want {
			t.Errorf("%s is %q, want %q", at, got, want)
		}
	}
}

func TestLocateATerragruntUnit(t *testing.T) {
	files := tree(t, map[string]string{
		"live/net/terragrunt.hcl": "\nterraform {\n  source = \"../../modules/net\"\n}\n",
		"live/far/terragrunt.hcl": "\nterraform {\n  source = \"git::https://example.com/x.git\"\n}\n",
		"live/far/own.tf":         "resource \"a_b\" \"own\" {}\n",
		"modules/net/net.tf":      "resource \"aws_vpc\" \"main\" {\n}\n",
	})
	for _, c := range []struct {
		dir, address string
		want         planner.Place
	}{
		{"live/net", "aws_vpc.main", planner.Place{File: "modules/net/net.tf", Line: 1, EndLine: 2}},
		{"live/far", "aws_vpc.main", planner.Place{File: "live/far/terragrunt.hcl", Line: 2, EndLine: 4}},
		{"live/far", "a_b.own", planner.Place{File: "live/far/own.tf", Line: 1, EndLine: 1}},
	} {
		l := planner.NewLocator(files, planner.Project{Dir: c.dir, Kind: planner.KindTerragrunt})
		if got := l.Find(c.address); got != c.want {
			t.Errorf("%s of %s is at %v, want %v", c.address, c.dir, got, c.want)
		}
	}
}

// What stands in a submodule is in another repository: the call is in this one.
func TestLocateStaysOutOfSubmodules(t *testing.T) {
	l := planner.NewLocator(tree(t, map[string]string{
		".gitmodules":             "[submodule \"mods\"]\n\tpath = vendor/mods\n\turl = https://example.com/mods.git\n",
		"live/main.tf":            "module \"m\" {\n  source = \"../vendor/mods/net\"\n}\n",
		"vendor/mods/net/main.tf": "resource \"aws_vpc\" \"v\" {}\n",
	}), planner.Project{Dir: "live"})
	if got, want := l.Find("module.m.aws_vpc.v"), (planner.Place{File: "live/main.tf", Line: 1, EndLine: 3}); got != want {
		t.Errorf("it is at %v, want %v", got, want)
	}
	if !l.Elsewhere("vendor/mods/net/main.tf") || l.Elsewhere("vendor/modsx/a.tf") || l.Elsewhere("") {
		t.Error("what is elsewhere is not told apart")
	}
}

// A link is followed within the tree, to where people find the file; never out
// of it.
func TestThreat_LocateFollowsNoLinkOut(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	write := func(base, name, text string) {
		file := filepath.Join(base, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "secret.tf", `resource "a_b" "secret" {}`)
	write(dir, "shared/common.tf", `resource "a_b" "common" {}`)
	write(dir, "live/main.tf", "module \"m\" {\n  source = \"../linked\"\n}\nmodule \"o\" {\n  source = \"../out\"\n}\nmodule \"p\" {\n  source = \"../../..\"\n}\n")
	for name, target := range map[string]string{
		"live/common.tf": "../shared/common.tf", "live/secret.tf": filepath.Join(outside, "secret.tf"),
		"live/up.tf": "../../" + filepath.Base(outside) + "/secret.tf", "linked": "shared", "out": outside, "live/loop.tf": "loop.tf",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	l := planner.NewLocator(os.DirFS(dir), planner.Project{Dir: "live"})
	for address, want := range map[string]planner.Place{
		"a_b.common":          {File: "shared/common.tf", Line: 1, EndLine: 1},
		"module.m.a_b.common": {File: "shared/common.tf", Line: 1, EndLine: 1},
		"a_b.secret":          {},
		"module.o.a_b.secret": {File: "live/main.tf", Line: 4, EndLine: 6},
		"module.p.a_b.secret": {File: "live/main.tf", Line: 7, EndLine: 9},
	} {
		if got := l.Find(address); got != want {
			t.Errorf("%s is at %v, want %v", address, got, want)
		}
	}
}

// Modules that call each other in a circle, each twice, end.
func TestThreat_LocateEndsInACircle(t *testing.T) {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("m%d/main.tf", i)] = fmt.Sprintf("module \"a\" {\n source = \"../m%d\"\n}\nmodule \"b\" {\n source = \"../m%d\"\n}\nresource \"a_b\" \"r%d\" {}\n", (i+1)%30, (i+7)%30, i)
	}
	l := planner.NewLocator(tree(t, files), planner.Project{Dir: "m0"})
	if got := l.Resource("m1/main.tf", 7); got != "module.a.a_b.r1" {
		t.Errorf("the resource is %q", got)
	}
	if p := l.Find(strings.Repeat("module.a.", 30) + "a_b.r0"); p.File != "m0/main.tf" {
		t.Errorf("the circle's resource is at %v", p)
	}
}

// FuzzLocate: whatever the code and the address are, it ends, and names a file
// that is there.
func FuzzLocate(f *testing.F) {
	for address := range map[string]bool{`module.net["a.b"].aws_vpc.main[0]`: true, "data.a.b": true, "a.b[": true, "module.m.module.m.x": true} {
		f.Add(address, located["live/shop/main.tf"], located["live/shop/extra.tf.json"])
	}
	f.Fuzz(func(t *testing.T, address, native, jsonText string) {
		files := tree(t, map[string]string{"live/shop/main.tf": native, "live/shop/x.tf.json": jsonText, "modules/net/net.tf": native})
		l := planner.NewLocator(files, planner.Project{Dir: "live/shop"})
		if p := l.Find(address); p != (planner.Place{}) {
			lines := strings.Count(string(files[p.File].Data), "\n") + 1
			if p.Line < 1 || p.EndLine < p.Line || p.EndLine > lines {
				t.Fatalf("%q is at %v of %d lines", address, p, lines)
			}
		}
		l.Resource("live/shop/main.tf", 2)
	})
}
