package planner

import "strings"

// ConfigOption is one thing that a ConfigFile can say: a row of the table that
// docs/repository-configuration.md is made from.
type ConfigOption struct {
	Block   string // that it stands in: "" for the file itself, "project", "hook", …
	Name    string
	Type    string // for people: "bool", "list of patterns"
	Default string // Markdown; "the server's" where its settings decide
	Doc     string // a sentence or more, Markdown
	Example string // the line or lines that say it, as they stand in the file
}

// ConfigBlock is a block of the file, with the sentences that introduce it.
type ConfigBlock struct {
	Name  string // "" for the file itself
	Label string // what stands behind the name: "NAME", "" for none
	In    string // the block that it stands in
	Title string
	Doc   string
}

// ConfigBlocks returns the blocks of a ConfigFile in the order in which they
// are explained. Those of gates are explained by internal/gate.
func ConfigBlocks() []ConfigBlock {
	return []ConfigBlock{
		{Title: "The file itself", Doc: "What holds for the whole repository. What is left out, the server's settings decide."},
		{Name: "project", Label: "NAME", Title: "project", Doc: "A project that can't be found, or that needs more than is found out by itself. Its name is what comments show and what `-p` takes: letters, digits and `. _ / - :`. " +
			"In `var_files`, `env` and all else of the block but `workspaces`, `${workspace}` is the workspace."},
		{Name: "hook", Label: "WHEN", In: "project", Title: "hook", Doc: "A program that runs before or after Terraform does, in the project's directory. WHEN is `before_plan`, `before_apply`, `before_init`, `after_init`, `after_plan` or `after_apply`; " +
			"hooks of one moment run in the order of the file, and the first that fails ends the run. They run only where the server's `terraform.allow_hooks` says so. " +
			"A plan comes to `before_plan`, `before_init`, `terraform init`, `after_init`, `terraform plan`, `after_plan`; an apply to `before_apply`, `before_init`, init, `after_init`, apply, `after_apply`. " +
			"A hook's environment is the run's, with `TIDELOCK_DIR` and `TIDELOCK_WORKSPACE`, and once there is a plan `PLANFILE` and `SHOWFILE`: the saved plan, and the same as JSON. [Workflows](workflows.md) has more of it."},
		{Name: "gate", Label: "ACT", Title: "gate", Doc: "What must be so before an act: ACT is `plan`, `apply` or `destroy`. The repository's gates stand beside the server's and can only tighten them. " +
			"What a gate can ask for, rules in CEL among it, stands in [Gates](gates.md)."},
		{Name: "drift", Title: "drift", Doc: "When projects are compared with what is really there, and what becomes of a difference; see [Drift](drift.md). The block stands in the file itself, for all projects, or in a `project` block, for that one. It is read from the tip of the default branch."},
		{Name: "policy", Title: "policy", Doc: "How the repository tightens what the server judges its plans by; see [Policies](policies.md#a-repositorys-own). It is read from the base branch, the rules in `packs` too: a pull request that changes them is judged by those that are there already. What would loosen the server's has no effect, and the comment says so."},
		{Name: "template", Title: "template", Doc: "The words of Tidelock's comment, in [Go's text/template](https://pkg.go.dev/text/template)."},
	}
}

// ConfigOptions returns what a ConfigFile can say, block by block.
func ConfigOptions() []ConfigOption {
	const server = "the server's"
	return []ConfigOption{
		{Name: "autodiscover", Type: "bool", Default: "`true`", Example: `autodiscover = false`,
			Doc: "Whether projects are found that no `project` block lists."},
		{Name: "ignore", Type: "list of patterns", Default: "none", Example: `ignore = ["examples/**", "test/**"]`,
			Doc: "Directories in which no project is found; `**` stands for any depth, and what lies below a directory that matches is left out too."},
		{Name: "submodules", Type: "bool", Default: "`false`", Example: `submodules = true`,
			Doc: "Whether the repository's Git submodules are fetched, where the server's `checkout.submodules` allows it; see [Submodules](repository.md#submodules)."},
		{Name: "auto_plan", Type: "bool", Default: server, Example: `auto_plan = false`,
			Doc: "Whether a pull request is planned when it is opened and at each push. Otherwise only the command `plan` plans."},
		{Name: "plan_drafts", Type: "bool", Default: server, Example: `plan_drafts = true`,
			Doc: "Whether drafts are planned too."},
		{Name: "lock", Type: "string", Default: server, Example: `lock = "apply"`,
			Doc: "When a pull request takes a project's lock: with its `\"plan\"`, only while it applies (`\"apply\"`), or never (`\"off\"`; even then two applies of one project never run at once)."},
		{Name: "apply_before_merge", Type: "bool", Default: server, Example: `apply_before_merge = true`,
			Doc: "Whether the command `apply` works on an open pull request."},
		{Name: "apply_on_merge", Type: "bool", Default: server, Example: `apply_on_merge = false`,
			Doc: "Whether merging applies what was planned and reviewed."},
		{Name: "auto_merge", Type: "bool", Default: server, Example: `auto_merge = true`,
			Doc: "Whether the pull request is merged once everything of it is applied. Brings `apply_before_merge` with it; the App then needs *Contents* write."},
		{Name: "merge_method", Type: "string", Default: server, Example: `merge_method = "squash"`,
			Doc: "How `auto_merge` merges: `\"merge\"`, `\"squash\"` or `\"rebase\"`."},
		{Name: "delete_branch", Type: "bool", Default: server, Example: `delete_branch = true`,
			Doc: "Whether the pull request's branch is deleted after `auto_merge` has merged it."},
		{Name: "commands", Type: "list of strings", Default: "all that the server allows", Example: `commands = ["plan", "apply", "unlock", "help"]`,
			Doc: "The commands that are taken in comments; the others are refused with a sentence. There are `plan`, `apply`, `destroy`, `unlock`, `cancel`, `approve-policies`, `revoke-policies`, `approve-cost`, `revoke-cost`, `import`, `state rm`, `state mv`, `drift`, `cost`, `version`, `help`, `retry` and `rollback`."},
		{Name: "quiet_unchanged", Type: "bool", Default: server, Example: `quiet_unchanged = true`,
			Doc: "Whether a pull request whose plans change nothing gets checks only, and no comment."},
		{Name: "comment_per_commit", Type: "bool", Default: server, Example: `comment_per_commit = true`,
			Doc: "Whether each head commit gets a comment of its own, and the older ones are folded away. Otherwise one comment is kept up to date."},
		{Name: "split_comments", Type: "bool", Default: server, Example: `split_comments = true`,
			Doc: "Whether what is too long for one comment goes on in further ones. Otherwise it is cut, with a link to the whole."},
		{Name: "project_checks", Type: "bool", Default: server, Example: `project_checks = true`,
			Doc: "Whether each project has a check of its own beside the two for all."},

		{Name: "tool", Type: "string", Default: "version files, else the server's", Example: `tool = "tofu"`,
			Doc: "What runs the projects: `\"terraform\"` or `\"tofu\"`. It goes before the version files of tfenv, tofuenv, tenv and asdf; see [Versions](repository.md#versions-of-terraform-and-opentofu)."},
		{Name: "tool_version", Type: "string", Default: "version files, else the server's", Example: `tool_version = "1.9.8"`,
			Doc: "Its version: `\"1.9.8\"`, `\"1.9\"` for the newest of 1.9, a constraint such as `\">= 1.9, < 2.0\"`, `\"latest\"`, `\"latest:REGEX\"`, `\"min-required\"`, or `\"system\"` for the server's own. The code's `required_version` holds too."},

		{Block: "project", Name: "dir", Type: "string", Default: "required", Example: `dir = "live/shop"`,
			Doc: "The project's directory, relative to the repository's root; `\".\"` is the root itself. Two projects must not have the same directory and workspace: they would share one state."},
		{Block: "project", Name: "workspace", Type: "string", Default: "`\"default\"`", Example: `workspace = "staging"`,
			Doc: "The Terraform workspace."},
		{Block: "project", Name: "workspaces", Type: "list of strings", Default: "none", Example: `workspaces = ["staging", "production"]`,
			Doc: "Several workspaces of the same directory, instead of `workspace`: a project for each, named after the block and the workspace, such as `shop:staging`."},
		{Block: "project", Name: "var_files", Type: "list of strings", Default: "none", Example: `var_files = ["../common.tfvars", "${workspace}.tfvars"]`,
			Doc: "Variable files in the order in which Terraform gets them, relative to `dir`, inside the repository."},
		{Block: "project", Name: "usage_file", Type: "string", Default: "`infracost-usage.yml`, where it is there", Example: `usage_file = "usage/${workspace}.yml"`,
			Doc: "What the project's resources are used, in Infracost's format, relative to `dir`. It goes over an `infracost-usage.yml` in the repository's root, and that over what the server says; see [Prices](prices.md#usage)."},
		{Block: "project", Name: "watch", Type: "list of patterns", Default: "none", Example: `watch = ["templates/**", "versions.json"]`,
			Doc: "More files, relative to the root, whose change means a new plan."},
		{Block: "project", Name: "when_modified", Type: "list of patterns", Default: "what the code tells", Example: `when_modified = ["live/shop/**", "modules/**/*.tf", "!**/*.md"]`,
			Doc: "The files, relative to the root, whose change means a new plan, **instead of** those that Tidelock finds by itself (code, local modules, files that the code reads, variable files). " +
				"A pattern with `!` takes out again what earlier ones named, and the last one that matches decides. A pattern that matches a directory speaks of all below it. Not beside `watch`."},
		{Block: "project", Name: "auto_plan", Type: "bool", Default: "`true`", Example: `auto_plan = false`,
			Doc: "Whether a push plans the project. Otherwise only `plan -p NAME` and the like do."},
		{Block: "project", Name: "depends_on", Type: "list of strings", Default: "none", Example: `depends_on = ["network"]`,
			Doc: "Names of projects that are applied before this one is planned; of a discovered one it is its directory. The name of a block with `workspaces` stands for all of them. A circle is refused."},
		{Block: "project", Name: "reads_state", Type: "list of strings", Default: "none", Example: `reads_state = ["network", "live/dns"]`,
			Doc: "Projects of this repository whose outputs the project's code may read by `data \"terraform_remote_state\"`, where Tidelock keeps their states: by name, by the name of a block for all of its workspaces, or by directory. It counts where the default branch says it too. It opens the outputs of those states, the sensitive ones too, to whoever can change the project's code, and it orders nothing: that is for `depends_on`, which opens nothing. See [States](state.md#one-project-reads-another)."},
		{Block: "project", Name: "order", Type: "number", Default: "`0`", Example: `order = 2`,
			Doc: "Projects of a lower order are applied first, those of one order at the same time. When one fails, later ones don't begin."},
		{Block: "project", Name: "weight", Type: "number", Default: "`1`", Example: `weight = 3`,
			Doc: "How many ordinary runs one of the project's plans or applies is worth on the machine that runs it, from 1 to 64: a heavy one leaves room for fewer beside it. One that is worth more than the server does at once (`terraform.parallel`) runs alone. The memory that it needs is measured, and need not be told."},
		{Block: "project", Name: "flags", Type: "list of strings", Default: "none", Example: `flags = ["-parallelism=20", "-var=region=eu-west-1"]`,
			Doc: "Flags of each of the project's plans: `-target=ADDR`, `-replace=ADDR`, `-var=NAME=VALUE`, `-refresh=false` and `-parallelism=N`. They are recorded and shown, as those of a command are."},
		{Block: "project", Name: "env", Type: "map of strings", Default: "none", Example: "env = {\n  AWS_PROFILE = \"acme-${workspace}\"\n}",
			Doc: "Environment variables of the project's runs. Only names in the server's `terraform.project_env` reach them; those that steer Terraform (`TF_…`) are never taken. Never put a secret here."},

		{Block: "project", Name: "tool", Type: "string", Default: "the file's `tool`", Example: `tool = "terraform"`,
			Doc: "What runs this project. One that differs from the file's leaves the file's `tool_version` out."},
		{Block: "project", Name: "tool_version", Type: "string", Default: "the file's `tool_version`", Example: `tool_version = "~> 1.9.0"`,
			Doc: "Its version, in the words of the file's."},

		{Block: "project", Name: "secrets", Type: "map of strings", Default: "none", Example: "secrets = {\n  TF_VAR_db_password = \"prod-db\"\n}",
			Doc: "Environment variables of the project's plans and applies whose values are secrets of the server: the name of the variable, and the name that the server's configuration has for the secret. The server says which repositories may have which; see [Workflows](workflows.md#secrets)."},
		{Block: "project", Name: "plan_secrets", Type: "map of strings", Default: "none", Example: "plan_secrets = {\n  VAULT_TOKEN = \"vault-read\"\n}",
			Doc: "As `secrets`, for plans only. Plans run code that nobody has reviewed yet."},
		{Block: "project", Name: "apply_secrets", Type: "map of strings", Default: "none", Example: "apply_secrets = {\n  VAULT_TOKEN = \"vault-write\"\n}",
			Doc: "As `secrets`, for applies only."},
		{Block: "project", Name: "kind", Type: "string", Default: "found out", Example: `kind = "terragrunt"`,
			Doc: "What runs the project: `\"terraform\"` (or OpenTofu) itself, or `\"terragrunt\"` for a directory with a `terragrunt.hcl`. Units that Tidelock finds by itself are of that kind already; see [Workflows](workflows.md#terragrunt)."},
		{Block: "project", Name: "source_dir", Type: "string", Default: "none", Example: "source_dir = \"cdk/shop\"\nhook \"before_init\" {\n  run = [\"./synth.sh\"]\n}",
			Doc: "The directory, relative to the root, of the code that hooks make the project's `dir` from: hooks run there, its files count as the project's, and `dir` need not be in the repository. Runs with the same `source_dir` go one after the other. For [CDKTF and the like](workflows.md#code-that-is-made)."},

		{Block: "hook", Name: "run", Type: "list of strings", Default: "required", Example: `run = ["./generate.sh", "--quick"]`,
			Doc: "The program and its arguments: each is given as it is, and no shell reads them."},
		{Block: "hook", Name: "timeout", Type: "duration", Default: "as long as the run", Example: `timeout = "5m"`,
			Doc: "How long it may take. Then it is interrupted, and the run fails with a sentence that says so."},
		{Block: "hook", Name: "phase", Type: "string", Default: "both", Example: `phase = "plan"`,
			Doc: "Of `before_init` and `after_init`: whether it runs in plans only (`\"plan\"`) or in applies only (`\"apply\"`)."},
		{Block: "hook", Name: "env", Type: "string", Default: "none", Example: `env = "TF_VAR_release"`,
			Doc: "The environment variable that what the hook prints to standard output, without the space around it, becomes the value of, for all that runs after it. It is not logged. `TF_VAR_…` can always be set; other names stand in the server's `terraform.project_env`."},
		{Block: "hook", Name: "multienv", Type: "string", Default: "none", Example: `multienv = "lines"`,
			Doc: "Several such variables: `\"lines\"` for `NAME=value` one a line, `\"commas\"` for `NAME=value,NAME=value` as for Atlantis. A JSON object of strings is taken in either."},
		{Block: "hook", Name: "sensitive", Type: "bool", Default: "`false`", Example: "env       = \"TF_VAR_token\"\nsensitive = true",
			Doc: "Whether the values that `env` or `multienv` give are masked in the log, in comments and in the stored plan. They need at least 6 characters."},
		{Block: "hook", Name: "sarif", Type: "string", Default: "none", Example: `sarif = "trivy.sarif"`,
			Doc: "The file, in the project's directory, that the hook writes its results to as SARIF, or `\"-\"` for what it prints. They are shown and gated as the policies' findings are, under the rule `TOOL.RULE`; see [Scanners](workflows.md#scanners). " +
				"Such a hook runs in plans alone. A file that is there before is taken away first; one that is missing, broken or larger than 16 MB afterwards leaves the plan unjudged, and it is not applied."},
		{Block: "hook", Name: "levels", Type: "map of strings", Default: "`error` mandatory, `warning` advisory, `note` off", Example: "sarif = \"trivy.sarif\"\nlevels = {\n  warning = \"mandatory\"\n  note    = \"advisory\"\n}",
			Doc: "What results of SARIF's levels `error`, `warning` and `note` count as: `\"off\"`, `\"advisory\"`, `\"mandatory\"` or `\"hard\"`."},
		{Block: "hook", Name: "findings_exit", Type: "list of numbers", Default: "none", Example: "sarif         = \"-\"\nfindings_exit = [2]",
			Doc: "The exit codes with which the scanner says that it found something: they do not fail the plan."},

		{Block: "drift", Name: "schedule", Type: "string", Default: server, Example: `schedule = "0 6 * * 1-5"`,
			Doc: "When to look, in cron's five fields: minute, hour, day of the month, month, day of the week. `@hourly`, `@daily`, `@weekly` and `@monthly` are understood too. A check begins up to ten minutes after its time, so that those of all repositories do not begin at once. `\"off\"` is never."},
		{Block: "drift", Name: "timezone", Type: "string", Default: server, Example: `timezone = "Europe/Vienna"`,
			Doc: "The place by whose clock the schedule goes, as IANA names it."},
		{Block: "drift", Name: "remediate", Type: "string", Default: server, Example: `remediate = "pull"`,
			Doc: "What becomes of drift: `\"issue\"` tells it in the repository's one drift issue, `\"pull\"` opens a pull request as well whose apply takes the drift back, `\"off\"` shows it on the server only. `\"pull\"` needs the App's *Contents* write."},

		{Block: "policy", Name: "packs", Type: "list of folders", Default: "none", Example: `packs = ["policy"]`,
			Doc: "Folders of the repository whose Rego judges its plans beside the server's. Their packages must not be the server's."},
		{Block: "policy", Name: "levels", Type: "map of strings", Default: "the server's", Example: `levels = { "security.aws" = "hard" }`,
			Doc: "Levels of rules, or of all rules whose names begin so up to a dot: `\"advisory\"`, `\"mandatory\"` or `\"hard\"`, each stricter than the one before. They can be raised; of the repository's own rules they can be anything."},
		{Block: "policy", Name: "settings", Type: "map of values", Default: "the server's", Example: `settings = { "tagging.required" = ["owner", "team"] }`,
			Doc: "Settings of rules, by pack and name. Only what is stricter than the server's is taken: [Policies](policies-rules.md) says of each setting what that is."},

		{Block: "template", Name: "comment", Type: "string", Default: "required", Example: "comment = <<EOT\n{{ .Default }}\n\nQuestions about {{ .Repo }}? Ask in #platform.\nEOT",
			Doc: "The template of the comment. What it can use stands in [Templates](templates.md); it is checked when the file is read."},
	}
}

// ExampleIn returns the option's example as a whole file that says nothing
// else.
func ExampleIn(o ConfigOption) string {
	indent := func(s, by string) string { return by + strings.ReplaceAll(s, "\n", "\n"+by) }
	dir := "  dir = \"live/shop\"\n"
	switch o.Block {
	case "project":
		if o.Name == "dir" {
			dir = ""
		}
		return "project \"shop\" {\n" + dir + indent(o.Example, "  ") + "\n}\n"
	case "hook":
		moment, run := "before_plan", "    run = [\"./step.sh\"]\n"
		switch o.Name {
		case "run":
			run = ""
		case "phase":
			moment = "before_init"
		}
		return "project \"shop\" {\n" + dir + "  hook \"" + moment + "\" {\n" + run + indent(o.Example, "    ") + "\n  }\n}\n"
	case "":
		return o.Example + "\n"
	}
	return o.Block + " {\n  " + o.Example + "\n}\n" // a heredoc's lines are not to be indented
}
