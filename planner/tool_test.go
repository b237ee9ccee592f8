package planner

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-version"
)

func TestVersionFiles(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             []toolWish
	}{
		{"exact", ".terraform-version", "1.9.8\n", []toolWish{{name: "terraform", constraint: "= 1.9.8", from: "live/.terraform-version:1"}}},
		{"with a v", ".terraform-version", "v1.9.0", []toolWish{{name: "terraform", constraint: "= 1.9.0", from: "live/.terraform-version:1"}}},
		{"of Windows, with a mark", ".terraform-version", "\ufeff1.9.8\r\n", []toolWish{{name: "terraform", constraint: "= 1.9.8", from: "live/.terraform-version:1"}}},
		{"comments and empty lines", ".opentofu-version", "# ours\n\n1.8.0 # for now\n1.7.0\n", []toolWish{{name: "tofu", constraint: "= 1.8.0", from: "live/.opentofu-version:3"}}},
		{"pre-release", ".terraform-version", "1.13.0-rc1", []toolWish{{name: "terraform", constraint: "= 1.13.0-rc1", from: "live/.terraform-version:1"}}},
		{"of a minor", ".terraform-version", "1.9", []toolWish{{name: "terraform", constraint: "~> 1.9.0", from: "live/.terraform-version:1"}}},
		{"of a major", ".terraform-version", "1", []toolWish{{name: "terraform", constraint: "~> 1.0", from: "live/.terraform-version:1"}}},
		{"constraint", ".opentofu-version", ">= 1.6, < 1.9", []toolWish{{name: "tofu", constraint: ">= 1.6, < 1.9", from: "live/.opentofu-version:1"}}},
		{"pessimistic", ".opentofu-version", "~>1.6", []toolWish{{name: "tofu", constraint: "~>1.6", from: "live/.opentofu-version:1"}}},
		{"latest", ".terraform-version", "latest", []toolWish{{name: "terraform", pick: PickNewest, from: "live/.terraform-version:1"}}},
		{"latest of a pattern", ".terraform-version", "latest:^1.5", []toolWish{{name: "terraform", pick: PickNewest, match: "^1.5", from: "live/.terraform-version:1"}}},
		{"latest allowed", ".terraform-version", "latest-allowed", []toolWish{{name: "terraform", pick: PickNewest, from: "live/.terraform-version:1"}}},
		{"min-required", ".opentofu-version", "min-required", []toolWish{{name: "tofu", pick: PickOldest, from: "live/.opentofu-version:1"}}},
		{"asdf", ".tool-versions", "nodejs 20.1.0\nterraform 1.9.8 1.9.7\nopentofu latest:1.8\n", []toolWish{
			{name: "terraform", constraint: "= 1.9.8", from: "live/.tool-versions:2"},
			{name: "tofu", pick: PickNewest, match: `^1\.8`, from: "live/.tool-versions:3"},
		}},
		{"asdf, of the system", ".tool-versions", "terraform system", []toolWish{{name: "terraform", server: true, from: "live/.tool-versions:1"}}},
		{"asdf, of other tools", ".tool-versions", "nodejs 20.1.0\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readToolFile("live/"+c.file, c.text), cmp.AllowUnexported(toolWish{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVersionFilesThatSayNothingThatHolds(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{".terraform-version", "", "a/.terraform-version names no version"},
		{".terraform-version", "# later\n", "a/.terraform-version names no version"},
		{".terraform-version", "one.two", `a/.terraform-version:1: "one.two" is not a version`},
		{".terraform-version", "1.9.x", `a/.terraform-version:1: "1.9.x" is not a version`},
		{".terraform-version", "latest:[", "is no regular expression"},
		{".terraform-version", "latest:" + strings.Repeat("(a*)*", 50), "longer than"},
		{".terraform-version", "latest-pre", "Name the one that you want exactly"},
		{".terraform-version", strings.Repeat("1,", 400) + "1", "is not a version"},
		{".terraform-version", strings.Repeat("1.9.8\n", 20000), "too large"},
		{".tool-versions", "terraform ref:main", "a build of one's own"},
	} {
		got := readToolFile("a/"+c.file, c.text)
		if len(got) != 1 || !strings.Contains(got[0].problem, c.want) || got[0].name != "terraform" {
			t.Errorf("%.30q: %+v", c.text, got)
		}
	}
}

func TestToolPrecedence(t *testing.T) {
	none := toolWish{}
	terraform := func(v, from string) toolWish { return toolWish{name: ToolTerraform, constraint: v, from: from} }
	tofu := func(v, from string) toolWish { return toolWish{name: ToolOpenTofu, constraint: v, from: from} }
	pins := func(list ...toolWish) []toolWish { return list }
	need := func(list ...string) (out []ToolNeed) {
		for i := 0; i < len(list); i += 2 {
			out = append(out, ToolNeed{list[i], list[i+1]})
		}
		return out
	}
	for _, c := range []struct {
		name          string
		project, file toolWish
		code          string
		pins          []toolWish // the nearest first
		required      []ToolNeed
		want          Tool
	}{
		{name: "nothing", want: Tool{}},
		{name: "only the code", required: need(">= 1.5", "a/versions.tf:2"), want: Tool{Needs: need(">= 1.5", "a/versions.tf:2")}},
		{name: "a version file", pins: pins(tofu("= 1.8.0", ".opentofu-version:1")), required: need(">= 1.5", "a/versions.tf:2"),
			want: Tool{Name: "tofu", From: ".opentofu-version:1", Needs: need("= 1.8.0", ".opentofu-version:1", ">= 1.5", "a/versions.tf:2")}},
		{name: "the project over the file over version files", project: terraform("= 1.9.8", "tidelock.hcl:7"), file: tofu("= 1.8.0", "tidelock.hcl:1"),
			pins: pins(tofu("= 1.7.0", "a/.opentofu-version:1")), want: Tool{Name: "terraform", From: "tidelock.hcl:7", Needs: need("= 1.9.8", "tidelock.hcl:7")}},
		{name: "the file over version files", project: none, file: tofu("= 1.8.0", "tidelock.hcl:1"), pins: pins(terraform("= 1.9.0", ".terraform-version:1")),
			want: Tool{Name: "tofu", From: "tidelock.hcl:1", Needs: need("= 1.8.0", "tidelock.hcl:1")}},
		{name: "another tool does not take the file's version", project: terraform("", "tidelock.hcl:7"), file: tofu("= 1.8.0", "tidelock.hcl:1"),
			pins: pins(terraform("= 1.9.0", ".terraform-version:1")), want: Tool{Name: "terraform", From: "tidelock.hcl:7", Needs: need("= 1.9.0", ".terraform-version:1")}},
		{name: "the same tool takes it", project: tofu("", "tidelock.hcl:7"), file: tofu("= 1.8.0", "tidelock.hcl:1"),
			want: Tool{Name: "tofu", From: "tidelock.hcl:7", Needs: need("= 1.8.0", "tidelock.hcl:1")}},
		{name: "a project's version for the file's tool", project: toolWish{constraint: "= 1.8.1", from: "tidelock.hcl:7"}, file: tofu("= 1.8.0", "tidelock.hcl:1"),
			want: Tool{Name: "tofu", From: "tidelock.hcl:1", Needs: need("= 1.8.1", "tidelock.hcl:7")}},
		{name: "a tool of the configuration's takes its own version file", project: terraform("", "tidelock.hcl:7"),
			pins: pins(tofu("= 1.8.0", "a/.opentofu-version:1"), terraform("= 1.9.0", ".terraform-version:1")),
			want: Tool{Name: "terraform", From: "tidelock.hcl:7", Needs: need("= 1.9.0", ".terraform-version:1")}},
		{name: "code of OpenTofu's is planned by OpenTofu", code: "a/main.tofu", pins: pins(terraform("= 1.9.0", ".terraform-version:1")),
			want: Tool{Name: "tofu", From: "a/main.tofu"}},
		{name: "but the configuration knows better", code: "a/main.tofu", file: terraform("", "tidelock.hcl:1"), want: Tool{Name: "terraform", From: "tidelock.hcl:1"}},
		{name: "latest within what the code allows", pins: pins(toolWish{name: ToolTerraform, pick: PickNewest, match: "^1.5", from: ".terraform-version:1"}), required: need("< 1.5.5", "a/main.tf:1"),
			want: Tool{Name: "terraform", From: ".terraform-version:1", Pick: PickNewest, Match: "^1.5", Needs: need("< 1.5.5", "a/main.tf:1")}},
		{name: "a contradiction", pins: pins(terraform("= 1.8.0", "live/.terraform-version:1")), required: need(">= 1.5", "m/versions.tf:1", ">= 1.9", "live/a/versions.tf:3"),
			want: Tool{Name: "terraform", From: "live/.terraform-version:1", Needs: need("= 1.8.0", "live/.terraform-version:1", ">= 1.5", "m/versions.tf:1", ">= 1.9", "live/a/versions.tf:3"),
				Problem: "live/.terraform-version:1 asks for Terraform 1.8.0, but live/a/versions.tf:3 requires >= 1.9. Change one of them."}},
		{name: "a release candidate meets what its release does", pins: pins(terraform("= 1.13.0-rc1", ".terraform-version:1")), required: need(">= 1.13", "a/main.tf:1"),
			want: Tool{Name: "terraform", From: ".terraform-version:1", Needs: need("= 1.13.0-rc1", ".terraform-version:1", ">= 1.13", "a/main.tf:1")}},
		{name: "the server's own", pins: pins(toolWish{name: ToolTerraform, server: true, from: ".tool-versions:1"}), want: Tool{Name: "terraform", From: ".tool-versions:1"}},
		{name: "a file that can't be read", pins: pins(toolWish{name: ToolTerraform, problem: "so", from: ".terraform-version:1"}),
			want: Tool{Name: "terraform", From: ".terraform-version:1", Problem: "so"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := wantTool(toolSources{
				project: c.project, file: c.file, tofuCode: c.code,
				pin: func(tool string) (toolWish, bool) {
					for _, p := range c.pins {
						if tool == "" || p.name == tool {
							return p, true
						}
					}
					return toolWish{}, false
				},
				required: func(string) []ToolNeed { return c.required },
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestToolRule(t *testing.T) {
	for _, c := range []struct {
		needs   []string
		yes, no string
	}{
		{nil, "1.5.0 2.0.0", "1.6.0-beta1"},
		{[]string{">= 1.5, < 1.6"}, "1.5.0 1.5.7", "1.4.9 1.6.0 1.6.0-rc1 1.5.9-rc1"},
		{[]string{"~> 1.9.0", "!= 1.9.1"}, "1.9.0 1.9.8", "1.9.1 1.10.0"},
		{[]string{"= 1.13.0-rc1", ">= 1.13"}, "1.13.0-rc1", "1.13.0 1.13.0-rc2"},
		{[]string{">= 1.13.0-rc1"}, "1.13.0", "1.13.0-rc1 1.13.0-rc2"},
		{[]string{"1.9.8"}, "1.9.8", "1.9.7"},
	} {
		var tool Tool
		for _, n := range c.needs {
			tool.Needs = append(tool.Needs, ToolNeed{n, "x:1"})
		}
		rule, err := tool.Rule()
		if err != nil {
			t.Fatal(err)
		}
		for want, list := range map[bool]string{true: c.yes, false: c.no} {
			for _, v := range strings.Fields(list) {
				if rule(version.Must(version.NewVersion(v))) != want {
					t.Errorf("%v: %s is %v", c.needs, v, !want)
				}
			}
		}
	}
	if _, err := (Tool{Needs: []ToolNeed{{"about 1", "a.tf:1"}}}).Rule(); err == nil || !strings.Contains(err.Error(), "a.tf:1") {
		t.Errorf("%v", err)
	}
}
