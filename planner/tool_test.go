package planner

import (
	"fmt"
	"maps"
	"strconv"
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
		{"exact", ".terraform-version", "1.9.8\n", []toolWish{{name: "terraform", constraint: "= 1.9.8", path: "live/.terraform-version", line: 1}}},
		{"with a v", ".terraform-version", "v1.9.0", []toolWish{{name: "terraform", constraint: "= 1.9.0", path: "live/.terraform-version", line: 1}}},
		{"of Windows, with a mark", ".terraform-version", "\ufeff1.9.8\r\n", []toolWish{{name: "terraform", constraint: "= 1.9.8", path: "live/.terraform-version", line: 1}}},
		{"comments and empty lines", ".opentofu-version", "# ours\n\n1.8.0 # for now\n1.7.0\n", []toolWish{{name: "tofu", constraint: "= 1.8.0", path: "live/.opentofu-version", line: 3}}},
		{"pre-release", ".terraform-version", "1.13.0-rc1", []toolWish{{name: "terraform", constraint: "= 1.13.0-rc1", path: "live/.terraform-version", line: 1}}},
		{"of a minor", ".terraform-version", "1.9", []toolWish{{name: "terraform", constraint: "~> 1.9.0", path: "live/.terraform-version", line: 1}}},
		{"of a major", ".terraform-version", "1", []toolWish{{name: "terraform", constraint: "~> 1.0", path: "live/.terraform-version", line: 1}}},
		{"constraint", ".opentofu-version", ">= 1.6, < 1.9", []toolWish{{name: "tofu", constraint: ">= 1.6, < 1.9", path: "live/.opentofu-version", line: 1}}},
		{"pessimistic", ".opentofu-version", "~>1.6", []toolWish{{name: "tofu", constraint: "~>1.6", path: "live/.opentofu-version", line: 1}}},
		{"latest", ".terraform-version", "latest", []toolWish{{name: "terraform", pick: PickNewest, path: "live/.terraform-version", line: 1}}},
		{"latest of a pattern", ".terraform-version", "latest:^1.5", []toolWish{{name: "terraform", pick: PickNewest, match: "^1.5", path: "live/.terraform-version", line: 1}}},
		{"latest allowed", ".terraform-version", "latest-allowed", []toolWish{{name: "terraform", pick: PickNewest, path: "live/.terraform-version", line: 1}}},
		{"min-required", ".opentofu-version", "min-required", []toolWish{{name: "tofu", pick: PickOldest, path: "live/.opentofu-version", line: 1}}},
		{"asdf", ".tool-versions", "nodejs 20.1.0\nterraform 1.9.8 1.9.7\nopentofu latest:1.8\n", []toolWish{
			{name: "terraform", constraint: "= 1.9.8", path: "live/.tool-versions", line: 2},
			{name: "tofu", pick: PickNewest, match: `^1\.8`, path: "live/.tool-versions", line: 3},
		}},
		{"asdf, of the system", ".tool-versions", "terraform system", []toolWish{{name: "terraform", server: true, path: "live/.tool-versions", line: 1}}},
		{"asdf, of other tools", ".tool-versions", "nodejs 20.1.0\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, readToolFile("live/"+c.file, c.text, false), cmp.AllowUnexported(toolWish{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVersionFilesThatSayNothingThatHolds(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{".terraform-version", "", "names no version"},
		{".terraform-version", "# later\n", "names no version"},
		{".terraform-version", "one.two", `"one.two" is not a version`},
		{".terraform-version", "1.9.x", `"1.9.x" is not a version`},
		{".terraform-version", "latest:[", "is no regular expression"},
		{".terraform-version", "latest:" + strings.Repeat("(a*)*", 50), "longer than"},
		{".terraform-version", "latest-pre", "Name the one that you want exactly"},
		{".terraform-version", strings.Repeat("1,", 400) + "1", "is not a version"},
		{".terraform-version", strings.Repeat("1.9.8\n", 20000), "too large"},
		{".tool-versions", "terraform ref:main", "a build of one's own"},
	} {
		got := readToolFile("a/"+c.file, c.text, len(c.text) > maxToolFile)
		if len(got) != 1 || !strings.Contains(got[0].problem, c.want) || got[0].name != "terraform" {
			t.Errorf("%.30q: %+v", c.text, got)
		}
	}
}

func TestToolPrecedence(t *testing.T) {
	none := toolWish{}
	at := func(w toolWish, from string) toolWish {
		var line string
		w.path, line, _ = strings.Cut(from, ":")
		w.line, _ = strconv.Atoi(line)
		return w
	}
	terraform := func(v, from string) toolWish { return at(toolWish{name: ToolTerraform, constraint: v}, from) }
	tofu := func(v, from string) toolWish { return at(toolWish{name: ToolOpenTofu, constraint: v}, from) }
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
		{name: "a project's version for the file's tool", project: toolWish{constraint: "= 1.8.1", path: "tidelock.hcl", line: 7}, file: tofu("= 1.8.0", "tidelock.hcl:1"),
			want: Tool{Name: "tofu", From: "tidelock.hcl:1", Needs: need("= 1.8.1", "tidelock.hcl:7")}},
		{name: "a tool of the configuration's takes its own version file", project: terraform("", "tidelock.hcl:7"),
			pins: pins(tofu("= 1.8.0", "a/.opentofu-version:1"), terraform("= 1.9.0", ".terraform-version:1")),
			want: Tool{Name: "terraform", From: "tidelock.hcl:7", Needs: need("= 1.9.0", ".terraform-version:1")}},
		{name: "code of OpenTofu's is planned by OpenTofu", code: "a/main.tofu", pins: pins(terraform("= 1.9.0", ".terraform-version:1")),
			want: Tool{Name: "tofu", From: "a/main.tofu"}},
		{name: "but the configuration knows better", code: "a/main.tofu", file: terraform("", "tidelock.hcl:1"), want: Tool{Name: "terraform", From: "tidelock.hcl:1"}},
		{name: "latest within what the code allows", pins: pins(toolWish{name: ToolTerraform, pick: PickNewest, match: "^1.5", path: ".terraform-version", line: 1}), required: need("< 1.5.5", "a/main.tf:1"),
			want: Tool{Name: "terraform", From: ".terraform-version:1", Pick: PickNewest, Match: "^1.5", Needs: need("< 1.5.5", "a/main.tf:1")}},
		{name: "a contradiction", pins: pins(terraform("= 1.8.0", "live/.terraform-version:1")), required: need(">= 1.5", "m/versions.tf:1", ">= 1.9", "live/a/versions.tf:3"),
			want: Tool{Name: "terraform", From: "live/.terraform-version:1", Needs: need("= 1.8.0", "live/.terraform-version:1", ">= 1.5", "m/versions.tf:1", ">= 1.9", "live/a/versions.tf:3"),
				Problem: Problem{Path: "live/.terraform-version", Line: 1, Message: "This asks for Terraform 1.8.0, but live/a/versions.tf:3 requires >= 1.9. Change one of them."}}},
		{name: "a release candidate meets what its release does", pins: pins(terraform("= 1.13.0-rc1", ".terraform-version:1")), required: need(">= 1.13", "a/main.tf:1"),
			want: Tool{Name: "terraform", From: ".terraform-version:1", Needs: need("= 1.13.0-rc1", ".terraform-version:1", ">= 1.13", "a/main.tf:1")}},
		{name: "the server's own", pins: pins(toolWish{name: ToolTerraform, server: true, path: ".tool-versions", line: 1}), want: Tool{Name: "terraform", From: ".tool-versions:1"}},
		{name: "a file that can't be read", pins: pins(toolWish{name: ToolTerraform, problem: "so", path: ".terraform-version", line: 1}),
			want: Tool{Name: "terraform", From: ".terraform-version:1", Problem: Problem{Path: ".terraform-version", Line: 1, Message: "so"}}},
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
			got.File, got.Fixed = "", false // see TestVersionFileThatChangesIsAReasonToPlan
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// toolOf returns the tool of the project in a directory of a tree.
func toolOf(t *testing.T, files map[string]string, config, dir string) Tool {
	t.Helper()
	cfg, err := ParseConfig([]byte(config), ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	projects, _ := discovered(t, files, cfg)
	for _, p := range projects {
		if p.Dir == dir {
			return p.Tool
		}
	}
	t.Fatalf("no project in %s", dir)
	return Tool{}
}

func TestDiscoverFindsTheTool(t *testing.T) {
	const code = "resource \"terraform_data\" \"x\" {}\n"
	requires := func(v string) string { return "terraform {\n  required_version = \"" + v + "\"\n}\n" }
	for _, c := range []struct {
		name   string
		files  map[string]string
		config string
		want   string
	}{
		{"nothing", map[string]string{"live/a/main.tf": code}, "", "Terraform or OpenTofu"},
		{"required_version", map[string]string{"live/a/main.tf": code, "live/a/versions.tf": "\n" + requires(">= 1.5")}, "", "Terraform or OpenTofu >= 1.5 (live/a/versions.tf:3)"},
		{"in JSON", map[string]string{"live/a/main.tf": code, "live/a/versions.tf.json": `{"terraform": {"required_version": "~> 1.5"}}`}, "", "Terraform or OpenTofu ~> 1.5 (live/a/versions.tf.json)"},
		{"of its modules, at any depth", map[string]string{
			"live/a/main.tf":   code + "module \"m\" {\n  source = \"../../m\"\n}\n" + requires(">= 1.5"),
			"m/main.tf":        code + "module \"n\" {\n  source = \"./n\"\n}\n" + requires("< 2.0.0"),
			"m/n/main.tf":      requires("!= 1.9.0"),
			"elsewhere/all.tf": requires("= 0.12.0"),
		}, "", "Terraform or OpenTofu >= 1.5 (live/a/main.tf:6) and < 2.0.0 (m/main.tf:6) and != 1.9.0 (m/n/main.tf:2)"},
		{"an override", map[string]string{"live/a/main.tf": code + requires(">= 1.5"), "live/a/main_override.tf": requires(">= 1.6")}, "", "Terraform or OpenTofu >= 1.6 (live/a/main_override.tf:2)"},
		{"the nearest version file", map[string]string{"live/a/main.tf": code, "live/.terraform-version": "1.9.8\n", ".opentofu-version": "1.8.0\n"}, "", "Terraform = 1.9.8 (live/.terraform-version:1)"},
		{"its own before those above", map[string]string{"live/a/main.tf": code, "live/a/.opentofu-version": "1.8.0\n", "live/.terraform-version": "1.9.8\n"}, "", "OpenTofu = 1.8.0 (live/a/.opentofu-version:1)"},
		{"both in one place", map[string]string{"live/a/main.tf": code, ".terraform-version": "1.9.8\n", ".opentofu-version": "1.8.0\n"}, "", "OpenTofu = 1.8.0 (.opentofu-version:1)"},
		{"both, and the configuration says which", map[string]string{"live/a/main.tf": code, ".terraform-version": "1.9.8\n", ".opentofu-version": "1.8.0\n"}, "tool = \"terraform\"\n", "Terraform = 1.9.8 (.terraform-version:1)"},
		{"asdf", map[string]string{"live/a/main.tf": code, ".tool-versions": "nodejs 20.0.0\nterraform 1.9.8\n"}, "", "Terraform = 1.9.8 (.tool-versions:2)"},
		{"asdf of nothing that matters goes on above", map[string]string{"live/a/main.tf": code, "live/.tool-versions": "nodejs 20.0.0\n", ".terraform-version": "1.9.8\n"}, "", "Terraform = 1.9.8 (.terraform-version:1)"},
		{"a sibling's is not asked", map[string]string{"live/a/main.tf": code, "live/b/.terraform-version": "1.9.8\n"}, "", "Terraform or OpenTofu"},
		{"a file of OpenTofu's", map[string]string{"live/a/main.tf": code, "live/a/more.tofu": code, ".terraform-version": "1.9.8\n"}, "", "OpenTofu (live/a/more.tofu)"},
		{"a module's file of OpenTofu's", map[string]string{"live/a/main.tf": "module \"m\" {\n  source = \"../../m\"\n}\n", "m/main.tofu": code, ".opentofu-version": "1.8\n"}, "", "OpenTofu ~> 1.8.0 (.opentofu-version:1)"},
		{"what OpenTofu does not read", map[string]string{"live/a/main.tf": code + requires("= 1.9.8"), "live/a/main.tofu": code + requires(">= 1.8")}, "", "OpenTofu >= 1.8 (live/a/main.tofu:3)"},
		{"what Terraform does not read", map[string]string{"live/a/main.tf": code + requires("= 1.9.8"), "live/a/main.tofu": code + requires(">= 1.8")}, "tool = \"terraform\"\n", "Terraform = 1.9.8 (live/a/main.tf:3)"},
		{"what is no constraint is Terraform's to tell", map[string]string{"live/a/main.tf": code + requires("about one")}, "", "Terraform or OpenTofu"},
		{"latest", map[string]string{"live/a/main.tf": code, ".terraform-version": "latest:^1\\.9\n"}, "", `Terraform, the newest that matches "^1\\.9" (.terraform-version:1)`},
		{"the oldest that is allowed", map[string]string{"live/a/main.tf": code + requires(">= 1.5"), ".terraform-version": "min-required\n"}, "", "Terraform, the oldest >= 1.5 (live/a/main.tf:3)"},
		{"the configuration", map[string]string{"live/a/main.tf": code, "live/a/.terraform-version": "1.9.8\n"}, "tool = \"opentofu\"\ntool_version = \"1.8\"\n", "OpenTofu ~> 1.8.0 (tidelock.hcl:2)"},
		{"of the project", map[string]string{"live/a/main.tf": code}, "tool = \"tofu\"\nproject \"a\" {\n  dir = \"live/a\"\n  tool = \"terraform\"\n  tool_version = \"1.9.8\"\n}\n", "Terraform = 1.9.8 (tidelock.hcl:5)"},
		{"of another project", map[string]string{"live/a/main.tf": code, "live/b/main.tf": code}, "project \"b\" {\n  dir = \"live/b\"\n  tool = \"terraform\"\n}\n", "Terraform or OpenTofu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := toolOf(t, c.files, c.config, "live/a").String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestToolThatContradictsTheCodeIsAProblem(t *testing.T) {
	_, problems := discovered(t, map[string]string{
		"live/a/main.tf":     "resource \"terraform_data\" \"x\" {}\nterraform {\n  required_version = \">= 1.9\"\n}\n",
		".terraform-version": "1.8.0\n",
	}, DefaultRepoConfig())
	want := Problem{".terraform-version", 1, "This asks for Terraform 1.8.0, but live/a/main.tf:3 requires >= 1.9. Change one of them."}
	if len(problems) != 1 || problems[0] != want {
		t.Errorf("%v", problems)
	}
}

func TestConfigurationThatNamesNoTool(t *testing.T) {
	for src, want := range map[string]string{
		"\ntool = \"teraform\"\n":                                     `tidelock.hcl:2: tool is "teraform"; it can be "terraform" or "tofu". Did you mean "terraform"?`,
		"tool_version = \"one\"\n":                                    `tidelock.hcl:1: tool_version: "one" is not a version.`,
		"project \"a\" {\n  dir = \"a\"\n  tool_version = \"[\"\n}\n": `tidelock.hcl:3: tool_version: "[" is not a version.`,
	} {
		if _, err := ParseConfig([]byte(src), ConfigFile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", src, err)
		}
	}
}

func TestVersionFileThatChangesIsAReasonToPlan(t *testing.T) {
	const code = "resource \"terraform_data\" \"x\" {}\n"
	for _, c := range []struct {
		name    string
		files   map[string]string
		config  string
		changed string
		want    bool
	}{
		{"the one that is asked", map[string]string{".terraform-version": "1.9.8"}, "", ".terraform-version", true},
		{"one that is gone", nil, "", "live/.opentofu-version", true},
		{"one that is gone, nearer than what is asked now", map[string]string{".terraform-version": "1.9.8"}, "", "live/a/.opentofu-version", true},
		{"one farther away than what is asked", map[string]string{"live/.terraform-version": "1.9.8"}, "", ".terraform-version", false},
		{"another beside it", map[string]string{"live/.terraform-version": "1.9.8"}, "", "live/.opentofu-version", true},
		{"one elsewhere", nil, "", "other/.terraform-version", false},
		{"one below", nil, "", "live/a/sub/.terraform-version", false},
		{"the configuration chose the version", nil, "tool_version = \"1.9.8\"\n", ".terraform-version", false},
		{"the configuration chose the other tool", nil, "tool = \"tofu\"\n", ".terraform-version", false},
		{"the configuration chose the tool", nil, "tool = \"tofu\"\n", ".opentofu-version", true},
		{"asdf's", nil, "", ".tool-versions", true},
		{"its own, and the configuration chose the version", map[string]string{"live/a/.terraform-version": "1.9.7"}, "tool_version = \"1.9.8\"\n", "live/a/.terraform-version", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := ParseConfig([]byte(c.config), ConfigFile)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{"live/a/main.tf": code}
			maps.Copy(files, c.files)
			projects, _ := discovered(t, files, cfg)
			if got := len(Affected(projects, []string{c.changed})) == 1; got != c.want {
				t.Errorf("%v, tool %+v", got, projects[0].Tool)
			}
		})
	}
}

func TestInputsDigestCoversTheTool(t *testing.T) {
	const code = "resource \"terraform_data\" \"x\" {}\n"
	digest := func(files map[string]string) string {
		t.Helper()
		fsys := tree(files)
		projects, _, err := Discover(fsys, DefaultRepoConfig())
		if err != nil || len(projects) != 1 {
			t.Fatal(projects, err)
		}
		d, err := InputsDigest(fsys, projects[0])
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := map[string]string{}
	for _, files := range []map[string]string{
		{"a/main.tf": code}, {"a/main.tf": code, ".terraform-version": "1.9.8"}, {"a/main.tf": code, ".terraform-version": "1.9.7"},
		{"a/main.tf": code, ".opentofu-version": "1.9.8"}, {"a/main.tf": code, ".terraform-version": "latest"}, {"a/main.tf": code, ".terraform-version": "latest:1.9"},
	} {
		d := digest(files)
		if seen[d] != "" {
			t.Errorf("%v has the digest of %s", files, seen[d])
		}
		seen[d] = fmt.Sprint(files)
	}
	// The same by another way is the same.
	if digest(map[string]string{"a/main.tf": code, ".terraform-version": "1.9.8"}) != digest(map[string]string{"a/main.tf": code, ".tool-versions": "python 3\nterraform 1.9.8\n"}) {
		t.Error("the place of a version shapes no plan")
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

// TestVersionFileThatIsALink: people keep one version in one place, and link to
// it from their projects.
func TestVersionFileThatIsALink(t *testing.T) {
	fsys := withLinks(tree(map[string]string{"live/a/main.tf": "resource \"terraform_data\" \"x\" {}\n", "versions/terraform": "1.9.8\n"}),
		map[string]string{"live/a/.terraform-version": "../../versions/terraform"})
	projects, _, err := Discover(fsys, DefaultRepoConfig())
	if err != nil || len(projects) != 1 || projects[0].Tool.String() != "Terraform = 1.9.8 (live/a/.terraform-version:1)" {
		t.Fatalf("%+v, %v", projects, err)
	}
	for _, changed := range []string{"versions/terraform", "live/a/.terraform-version"} {
		if len(Affected(projects, []string{changed})) != 1 {
			t.Errorf("a change of %s concerns nobody", changed)
		}
	}
}
