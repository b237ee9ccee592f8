package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/planner"
)

const repositoryReferenceHead = `# Configuration of a repository

<!-- Made from planner.ConfigOptions by: go test ./cmd/tidelock -run TestRepositoryReference -update -->

A repository needs no file: Tidelock finds its projects by itself, as [What is a project](repository.md#what-is-a-project)
has it. ` + "`tidelock.hcl`" + ` in the repository's root says what can't be found out. It is read **from the base branch**: what a
pull request changes in it counts once it is merged, so that no pull request relaxes the rules that judge it.

` + "`tidelock validate`" + ` in a clone tells everything that is wrong in the file, with line numbers, and lists the projects
in the order in which they are planned. So does the pull request's comment.

` + "```hcl" + `
commands = ["plan", "apply", "unlock", "help"]
lock     = "plan"

gate "apply" {
  approvals = 1
}

project "network" {
  dir = "live/network"
}

project "shop" {
  dir        = "live/shop"
  workspaces = ["staging", "production"]
  var_files  = ["${workspace}.tfvars"]
  depends_on = ["network"]

  hook "before_plan" {
    run = ["./generate.sh", workspace]
  }
}
` + "```" + `

Paths have slashes and stay inside the repository. Patterns are those of [doublestar](https://github.com/bmatcuk/doublestar#patterns):
` + "`*` stands for anything within a name, `**` for any depth" + `.
`

const repositoryReferenceTail = `
## atlantis.yaml

Where there is no ` + "`tidelock.hcl`" + `, an ` + "`atlantis.yaml`" + ` in the root is read as it is, version 2 and 3. Where there are both,
` + "`tidelock.hcl`" + ` wins. As with every configuration here, the base branch's is read, and not, as Atlantis does it, the pull
request's.

` + "```yaml" + `
version: 3
projects:
- name: network
  dir: live/network
  autoplan:
    when_modified: ["*.tf", "../../modules/network/**"]
- name: shop
  dir: live/shop
  workspace: production
  depends_on: [network]
  apply_requirements: [approved]
  workflow: shop
workflows:
  shop:
    plan:
      steps:
      - run: ./generate.sh
      - init
      - plan:
          extra_args: [-var-file=production.tfvars]
` + "```" + `

` + "`tidelock convert`" + ` writes the ` + "`tidelock.hcl`" + ` that says the same, and lists what can't be carried over, with the line, the
reason and what to do instead. ` + "`tidelock convert --check --strict`" + ` only asks whether there is any such thing.

| in atlantis.yaml | here |
|---|---|
| ` + "`projects`: `name`, `dir`, `workspace`, `depends_on`, `execution_order_group`" + ` | the same; a project without a name gets that of its directory and workspace |
| ` + "`autoplan`" + ` | ` + "`auto_plan`, `when_modified`" + ` with the patterns made relative to the root. Without patterns Tidelock looks at the code and the local modules that it calls, which is more than Atlantis does |
| ` + "`apply_requirements`, `plan_requirements`" + ` | gates: before the applies of those projects, and before all plans where one project asks for it: ` + "`approved`, `mergeable`, `undiverged`" + ` |
| ` + "`automerge`, `delete_source_branch_on_merge`, `repo_locks`, `autodiscover`" + ` | ` + "`auto_merge`, `delete_branch`, `lock`, `autodiscover` with `ignore`" + ` |
| ` + "`extra_args` of `plan`" + ` | ` + "`var_files`" + ` and ` + "`flags`" + `; ` + "`$WORKSPACE`" + ` and the like are put in |
| ` + "`run`" + ` before and after ` + "`plan`" + ` or ` + "`apply`" + ` | hooks with the same line for ` + "`sh -c`" + `, where the server allows hooks; what they print stands in the run's log |
| ` + "`env`" + ` with a ` + "`value`" + ` | ` + "`env`" + `, as far as the server allows the names; the same for plans and applies |
| ` + "`env/WORKSPACE.tfvars`" + ` in a project, which Atlantis takes without being told | taken too |
| ` + "`env` with a `command`, `multienv`" + ` | hooks whose output is environment: see [Workflows](workflows.md#environment-from-a-hook) |
| commands that run Terraform themselves or wrap it | not carried over; [Terragrunt](workflows.md#terragrunt) is run by Tidelock itself |
| ` + "`terraform_version`, `terraform_distribution`" + ` | ` + "`tool_version`, `tool`" + ` |
| ` + "`-backend-config`" + `, ` + "`branch`" + `, policies, what a server's repos.yaml says | not carried over |

Atlantis applies before the merge, on the command ` + "`apply`" + `. Here the server's settings decide, or these two:

` + "```hcl" + `
apply_before_merge = true
apply_on_merge     = false
` + "```" + `
`

// repositoryReference renders docs/repository-configuration.md.
func repositoryReference() string {
	var b strings.Builder
	b.WriteString(repositoryReferenceHead)
	for _, block := range planner.ConfigBlocks() {
		title := block.Title
		if block.Name != "" {
			title = "`" + strings.TrimSpace(block.Name+" "+quotedLabel(block.Label)) + "`"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", title, block.Doc)
		if block.In != "" {
			fmt.Fprintf(&b, "It stands in a `%s` block.\n", block.In)
		}
		if block.Name == "gate" {
			b.WriteString("\n```hcl\ngate \"apply\" {\n  approvals   = 1\n  code_owners = true\n  checks      = [\"ci/*\"]\n}\n```\n")
			continue
		}
		b.WriteString("\n| option | type | default |\n|---|---|---|\n")
		for _, o := range planner.ConfigOptions() {
			if o.Block == block.Name {
				fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", o.Name, anchor(o), o.Type, o.Default)
			}
		}
		for _, o := range planner.ConfigOptions() {
			if o.Block == block.Name {
				fmt.Fprintf(&b, "\n### %s\n\n%s\n\n```hcl\n%s```\n", heading(o), o.Doc, planner.ExampleIn(o))
			}
		}
	}
	b.WriteString(repositoryReferenceTail)
	return b.String()
}

func quotedLabel(label string) string {
	if label == "" {
		return ""
	}
	return `"` + label + `"`
}

// heading names the option; one of the same name in two blocks says which.
func heading(o planner.ConfigOption) string {
	if o.Block == "" {
		return o.Name
	}
	return o.Block + " " + o.Name
}

func anchor(o planner.ConfigOption) string { return strings.ReplaceAll(heading(o), " ", "-") }

// TestRepositoryReference keeps docs/repository-configuration.md from going
// stale.
func TestRepositoryReference(t *testing.T) {
	golden(t, filepath.Join("..", "..", "docs", "repository-configuration.md"), repositoryReference())
}

// TestRepositoryExamples reads every example of the documentation about a
// repository's configuration as Tidelock would.
func TestRepositoryExamples(t *testing.T) {
	fence := regexp.MustCompile("(?s)```(hcl|yaml)\n(.*?)```")
	for name, least := range map[string]int{"repository-configuration.md": len(planner.ConfigOptions()) + 3, "repository.md": 1, "pull-requests.md": 1} {
		text := read(t, filepath.Join("..", "..", "docs", name))
		examples := fence.FindAllStringSubmatch(text, -1)
		if len(examples) < least {
			t.Errorf("%s has %d examples", name, len(examples))
		}
		for _, e := range examples {
			if e[1] == "yaml" {
				cfg, notes, err := atlantis.Read([]byte(e[2]), atlantis.File)
				if err != nil || len(notes) > 0 || len(cfg.Projects) != 2 {
					t.Errorf("%s: %v %v\n%s", name, err, notes, e[2])
				}
				continue
			}
			cfg, err := planner.ParseConfig([]byte(e[2]), planner.ConfigFile)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, e[2])
			}
			if cfg.Template != "" {
				if err := comment.CheckTemplate(cfg.Template); err != nil {
					t.Errorf("%s: %v\n%s", name, err, e[2])
				}
			}
		}
		// What is linked to is there.
		for _, m := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(text, "# "+strings.ReplaceAll(m[1], "-", " ")+"\n") && !strings.Contains(text, "# "+m[1]+"\n") {
				t.Errorf("%s links to #%s, and has no such heading", name, m[1])
			}
		}
	}
}
