package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidelock/tidelock/planner"
)

// setting is one row of the table that everything about the configuration
// follows from: what the file may hold, the environment variable, the checks,
// `tidelock config show` and docs/configuration.md.
type setting struct {
	path string              // "listen", "github.app_id": a block and its attribute
	bind func(c *Config) any // points to the field; its type decides how values are read
	doc  string              // a sentence or more, Markdown

	derived  string // the default in words, where Default can't hold it
	required string // why the server can't do without; "" where it can
	isPath   bool   // a file or folder: made absolute
	from     string // of a secret: the setting that names the file it stands in
	inline   bool   // of a secret: may stand in the file while it holds no password

	// check returns what is wrong with the value, as the end of a sentence
	// that begins with the setting's name; "" where nothing is. It sees only
	// values that somebody set.
	check func(c *Config) string
}

// section is a block of the file, with its sentence for the reference.
type section struct{ name, doc string }

var sections = []section{
	{"", "The server itself."},
	{"github", "The GitHub App that the server acts as."},
	{"terraform", "How plans and applies are run."},
	{"checkout", "What of a repository becomes the work tree of a run."},
	{"mirrors", "The copies of repositories that the server fetches into. One that is gone is fetched again when it is needed."},
	{"defaults", "What holds for a repository whose own `tidelock.hcl` says nothing else."},
	{"drift", "When projects are compared with what is really there, for a repository whose own `tidelock.hcl` says nothing else; see [Drift](drift.md)."},
	{"policy", "The bundled policies."},
	{"cost", "The cost estimates."},
	{"state", "The state service: what clients may keep in it, and for how long."},
	{"blobs", "Where plans, logs and large states are kept, encrypted; see [Backup](backup.md#blobs)."},
	{"replica", "A copy of the SQLite database elsewhere that follows each commit; see [Backup](backup.md#replication)."},
	{"log", "The server's log, written to standard error."},
	{"web", "The pages that show pull requests, runs and history."},
	{"metrics", "Figures for Prometheus; see [Metrics](metrics.md)."},
}

var settings = []setting{
	{path: "listen", bind: func(c *Config) any { return &c.Listen }, check: checkListen,
		doc: "Address and port to listen on for GitHub's webhooks and for the pages. Put a proxy that speaks TLS in front of it."},
	{path: "public_url", bind: func(c *Config) any { return &c.PublicURL }, check: checkPublicURL, derived: "none",
		doc: "Where people reach the server. Comments and checks link to it; without it they carry no links."},
	{path: "data_dir", bind: func(c *Config) any { return &c.DataDir }, isPath: true, derived: "none",
		required: "the folder where Tidelock keeps its database, plans and logs",
		doc:      "Folder for the database, encrypted plans and logs, and the work trees of runs. Required. Made with mode 0700 where it does not exist."},
	{path: "database", bind: func(c *Config) any { return &c.Database }, from: "database_file", inline: true, check: checkDatabase,
		derived: "`sqlite:<data_dir>/tidelock.db`",
		doc:     "`sqlite:/path/to/file.db` or `postgres://user@host:5432/name`. One with a password comes by the environment variable or by `database_file` only."},
	{path: "database_file", bind: func(c *Config) any { return &c.DatabaseFile }, isPath: true, derived: "none",
		doc: "File that holds the value of `database`, where that has a password."},
	{path: "encryption_key", bind: func(c *Config) any { return &c.EncryptionKey }, from: "encryption_key_file", check: checkEncryptionKey, derived: "none",
		doc: "The key that plans, states and logs are encrypted with: 32 bytes in base64, as `openssl rand -base64 32` prints them."},
	{path: "encryption_key_file", bind: func(c *Config) any { return &c.EncryptionKeyFile }, isPath: true, derived: "`<data_dir>/encryption.key`",
		doc: "File that holds the encryption key. Made with a new key and mode 0600 at the first start. Keep a copy apart from the database's backup: without it no stored plan can be read. Several servers on one database need the same key."},

	{path: "github.app_id", bind: func(c *Config) any { return &c.GitHub.AppID }, check: checkAppID, derived: "none",
		required: "the App ID from the GitHub App's settings page",
		doc:      "The App ID, from the GitHub App's settings page. Required."},
	{path: "github.private_key", bind: func(c *Config) any { return &c.GitHub.PrivateKey }, from: "github.private_key_file", check: checkPrivateKey, derived: "none",
		required: "the GitHub App's private key",
		doc:      "The App's private key in PEM, as GitHub made it. Required, here or by file."},
	{path: "github.private_key_file", bind: func(c *Config) any { return &c.GitHub.PrivateKeyFile }, isPath: true, derived: "none",
		doc: "File that holds the App's private key: the `.pem` that GitHub let you download."},
	{path: "github.webhook_secret", bind: func(c *Config) any { return &c.GitHub.WebhookSecret }, from: "github.webhook_secret_file", check: checkWebhookSecret, derived: "none",
		required: "the secret that GitHub signs webhooks with",
		doc:      "The secret that GitHub signs webhooks with, the same as on the App's settings page. Required, here or by file: an unsigned webhook is never accepted."},
	{path: "github.webhook_secret_file", bind: func(c *Config) any { return &c.GitHub.WebhookSecretFile }, isPath: true, derived: "none",
		doc: "File that holds the webhook secret; space and newlines around it don't count."},
	{path: "github.api_url", bind: func(c *Config) any { return &c.GitHub.APIURL }, check: checkAPIURL, derived: "github.com",
		doc: "GitHub Enterprise Server's API, such as `https://github.example.com/api/v3`. Leave it out for github.com."},
	{path: "github.write_burst", bind: func(c *Config) any { return &c.GitHub.WriteBurst }, check: intRange(1, 500, func(c *Config) int { return c.GitHub.WriteBurst }),
		doc: "How many comments and checks may be written at once, for each installation, before `write_interval` spaces them."},
	{path: "github.write_interval", bind: func(c *Config) any { return &c.GitHub.WriteInterval },
		check: durationRange(0, time.Minute, func(c *Config) time.Duration { return c.GitHub.WriteInterval }),
		doc:   "Time between two writes once the burst is used up: GitHub asks for a second. `0s` sets no limit, and is the default with a GitHub Enterprise Server, whose limits are off unless its owner has them on."},
	{path: "github.sweep_interval", bind: func(c *Config) any { return &c.GitHub.SweepInterval },
		check: durationRange(time.Second, time.Hour, func(c *Config) time.Duration { return c.GitHub.SweepInterval }),
		doc:   "How often GitHub's own list of deliveries is searched for webhooks that never arrived. Above `5m` a lost webhook waits longer than Tidelock promises."},
	{path: "github.reconcile_interval", bind: func(c *Config) any { return &c.GitHub.ReconcileInterval },
		check: durationRange(time.Second, time.Hour, func(c *Config) time.Duration { return c.GitHub.ReconcileInterval }),
		doc:   "How often pull requests and comments themselves are compared with what is known, for what GitHub never sent or lost for good. An unchanged repository costs nothing of GitHub's hourly budget. Above `5m` it waits longer than Tidelock promises."},

	{path: "terraform.binary", bind: func(c *Config) any { return &c.Terraform.Binary }, isPath: true, derived: "`terraform`, else `tofu`, from `PATH`",
		doc: "Terraform or OpenTofu: a name on `PATH` or a path. It is what projects get that ask for no other version; see [operations](operations.md#versions-of-terraform-and-opentofu)."},
	{path: "terraform.tool", bind: func(c *Config) any { return &c.Terraform.Tools.Tool }, derived: "what `binary` is",
		check: oneOf(func(c *Config) string { return c.Terraform.Tools.Tool }, "terraform", "tofu"),
		doc:   "What runs projects that name neither: `terraform` or `tofu`."},
	{path: "terraform.tools_dirs", bind: func(c *Config) any { return &c.Terraform.Tools.Dirs },
		check: absolutePaths(func(c *Config) []string { return c.Terraform.Tools.Dirs }),
		doc:   "Absolute paths of folders with installed versions, as tfenv, tofuenv, tenv, asdf, mise or tfswitch keep them, or as `terraform/VERSION/terraform` and `tofu/VERSION/tofu`."},
	{path: "terraform.download", bind: func(c *Config) any { return &c.Terraform.Tools.Download },
		doc: "Whether a version that a project asks for and that is not here is downloaded, into `<data_dir>/tools`. It is kept only if its makers signed it."},
	{path: "terraform.releases_url", bind: func(c *Config) any { return &c.Terraform.Tools.ReleasesURL }, check: checkReleasesURL(func(c *Config) string { return c.Terraform.Tools.ReleasesURL }),
		derived: "`https://releases.hashicorp.com`",
		doc:     "Where Terraform's releases come from: a mirror with the files of HashiCorp's, its `index.json` files too."},
	{path: "terraform.opentofu_releases_url", bind: func(c *Config) any { return &c.Terraform.Tools.OpenTofuReleasesURL }, check: checkReleasesURL(func(c *Config) string { return c.Terraform.Tools.OpenTofuReleasesURL }),
		derived: "get.opentofu.org and github.com",
		doc:     "Where OpenTofu's releases come from: a mirror with the list as `api.json` and the files as `vVERSION/FILE`, which is what tofudl's own mirror serves."},
	{path: "terraform.terragrunt", bind: func(c *Config) any { return &c.Terraform.Terragrunt }, isPath: true, derived: "`terragrunt` from `PATH`, where it is there",
		doc: "Terragrunt, for projects that are its units: a name on `PATH` or a path. Without one, only those can't be planned; see [Workflows](workflows.md#terragrunt)."},
	{path: "terraform.provider_mirror", bind: func(c *Config) any { return &c.Terraform.ProviderMirror }, isPath: true, derived: "none",
		doc: "Folder of unpacked providers, laid out as `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH`, that runs install from without copying. What it has is asked for nowhere else."},
	{path: "terraform.provider_network_mirror", bind: func(c *Config) any { return &c.Terraform.Providers.NetworkMirror }, check: checkNetworkMirror, derived: "none",
		doc: "URL of a server that speaks Terraform's [provider network mirror protocol](https://developer.hashicorp.com/terraform/internals/provider-network-mirror-protocol). It is asked for providers before their registries."},
	{path: "terraform.provider_direct", bind: func(c *Config) any { return &c.Terraform.ProviderDirect },
		doc: "Whether a provider that the mirrors lack may be fetched from its registry."},
	{path: "terraform.provider_allow", bind: func(c *Config) any { return &c.Terraform.Providers.Allow }, check: checkProviderAllow, derived: "all",
		doc: "The providers that projects may use, as `HOST/NAMESPACE/TYPE` with stars for whole parts at the end, such as `registry.terraform.io/hashicorp/*`. A run of a project that requires another one fails before `init`. A host that is named here, not by a star, may have a private address."},
	{path: "terraform.provider_store_max_age", bind: func(c *Config) any { return &c.Terraform.Providers.MaxAge },
		check: durationRange(time.Hour, 10*365*24*time.Hour, func(c *Config) time.Duration { return c.Terraform.Providers.MaxAge }),
		doc:   "A provider in the server's store (`providers` in the data folder) that no run was given for so long is deleted, and fetched again when it is wanted. Looked at every hour."},
	{path: "terraform.provider_store_max_size", bind: func(c *Config) any { return &c.Terraform.Providers.MaxSize },
		check: intRange(1, 1<<30, func(c *Config) int { return c.Terraform.Providers.MaxSize }),
		doc:   "How large that store may be, in MiB. Above that those that rested longest are deleted, save what a run was given within the last three days."},
	{path: "terraform.parallel", bind: func(c *Config) any { return &c.Terraform.Parallel }, check: intRange(0, 256, func(c *Config) int { return c.Terraform.Parallel }),
		doc: "Plans at once on this machine, and as many applies beside them, at least two. `0` is one for each processor core that the server may use. A project's `weight` makes its runs count for more."},
	{path: "terraform.memory", bind: func(c *Config) any { return &c.Terraform.Memory }, check: intRange(0, 1<<24, func(c *Config) int { return c.Terraform.Memory }),
		doc: "Memory in MB that runs on this machine may need together: what a run needs is known from the last ones of its project, and one for which there is no room waits. `0` is nine tenths of what is free, or of what the server's control group leaves, measured whenever nothing runs."},
	{path: "terraform.run_memory", bind: func(c *Config) any { return &c.Terraform.RunMemory }, check: intRange(1, 1<<20, func(c *Config) int { return c.Terraform.RunMemory }),
		doc: "Memory in MB that a run is taken to need while nothing is known of its project."},
	{path: "terraform.env", bind: func(c *Config) any { return &c.Terraform.Env }, check: checkTerraformEnv,
		doc: "Names of the server's environment variables that are handed to runs, such as `AWS_REGION`. Runs get no others. Whoever may open a pull request can read them: hand over only what a plan may know."},
	{path: "terraform.plan_timeout", bind: func(c *Config) any { return &c.Terraform.PlanTimeout },
		check: durationRange(10*time.Second, 24*time.Hour, func(c *Config) time.Duration { return c.Terraform.PlanTimeout }),
		doc:   "A plan that takes longer is stopped."},
	{path: "terraform.apply_timeout", bind: func(c *Config) any { return &c.Terraform.ApplyTimeout },
		check: durationRange(10*time.Second, 72*time.Hour, func(c *Config) time.Duration { return c.Terraform.ApplyTimeout }),
		doc:   "An apply that takes longer is interrupted; it keeps its lock until a person has looked at it."},
	{path: "terraform.keep_trees", bind: func(c *Config) any { return &c.Terraform.KeepTrees },
		check: durationRange(0, 90*24*time.Hour, func(c *Config) time.Duration { return c.Terraform.KeepTrees }),
		doc:   "How long the work tree of an open pull request is kept after its last use, with the modules and providers that Terraform fetched: the next push then writes only what differs, and `init` is left out where nothing that it reads has changed. `0s` removes it as soon as nothing of the pull request is under way."},
	{path: "terraform.reuse_plans", bind: func(c *Config) any { return &c.Terraform.ReusePlans },
		check: durationRange(0, 7*24*time.Hour, func(c *Config) time.Duration { return c.Terraform.ReusePlans }),
		doc:   "For how long the plan of a project stands for later commits of its pull request too, where all that shapes it is the same: files, configuration, state, tool and policies. The comment then says since which commit it is unchanged. The command `plan` always plans anew. Where the state is kept elsewhere, Terraform is asked whether it is still the same. `0s` plans every project at every push."},
	{path: "terraform.grace", bind: func(c *Config) any { return &c.Terraform.Grace },
		check: durationRange(time.Second, time.Hour, func(c *Config) time.Duration { return c.Terraform.Grace }),
		doc:   "Time that Terraform gets to end by itself once it is told to stop, before it is killed."},
	{path: "terraform.allow_hooks", bind: func(c *Config) any { return &c.Terraform.AllowHooks },
		doc: "Whether the programs that a repository's `tidelock.hcl` names as hooks are run, before and after Terraform and with its environment. The file is read from the base branch, so whoever may merge there chooses them."},
	{path: "terraform.sandbox", bind: func(c *Config) any { return &c.Terraform.Sandbox },
		check: oneOf(func(c *Config) string { return c.Terraform.Sandbox }, "auto", "strict", "off"),
		doc:   "What keeps the code of plans and applies to their own files: `auto` uses all that the machine offers and logs what it lacks, `strict` refuses to run with less, `off` uses nothing. `tidelock doctor sandbox` tells what the machine offers; see [security](security.md#the-sandbox)."},
	{path: "terraform.sandbox_read", bind: func(c *Config) any { return &c.Terraform.SandboxRead },
		check: absolutePaths(func(c *Config) []string { return c.Terraform.SandboxRead }),
		doc:   "Absolute paths of files and folders that runs may read besides their own and the system's programs, such as a file with a cloud's credentials."},
	{path: "terraform.sandbox_write", bind: func(c *Config) any { return &c.Terraform.SandboxWrite },
		check: absolutePaths(func(c *Config) []string { return c.Terraform.SandboxWrite }),
		doc:   "Absolute paths that runs may read and write. All runs of all clients share them."},
	{path: "terraform.sandbox_network", bind: func(c *Config) any { return &c.Terraform.SandboxNetwork },
		check: oneOf(func(c *Config) string { return c.Terraform.SandboxNetwork }, "allow", "deny"),
		doc:   "Whether what a plan runs has the network: with `deny` only `init` has it, so that neither a backend nor a provider can ask a cloud. Applies always have it."},
	{path: "terraform.memory_limit", bind: func(c *Config) any { return &c.Terraform.MemoryLimit }, check: intRange(0, 1<<20, func(c *Config) int { return c.Terraform.MemoryLimit }),
		doc: "Memory in MB that each process of a run may write to, in the sandbox. `0` sets no limit."},
	{path: "terraform.max_processes", bind: func(c *Config) any { return &c.Terraform.MaxProcesses }, check: intRange(0, 100_000, func(c *Config) int { return c.Terraform.MaxProcesses }),
		doc: "Processes that a run may have at once, in the sandbox; one that has more is ended. `0` sets no limit."},
	{path: "terraform.disk_limit", bind: func(c *Config) any { return &c.Terraform.DiskLimit }, check: intRange(0, 1<<24, func(c *Config) int { return c.Terraform.DiskLimit }),
		doc: "MB that a run may write, in the sandbox: no file grows larger, and a run whose files together do is stopped. `0` sets no limit."},
	{path: "terraform.cpu_limit", bind: func(c *Config) any { return &c.Terraform.CPULimit },
		check: durationRange(0, 24*time.Hour, func(c *Config) time.Duration { return c.Terraform.CPULimit }),
		doc:   "Processor time, of all its threads together, that each process of a plan may use in the sandbox; a plan of which one uses more is ended. `0s` sets no limit: a large plan rightly uses much, and `plan_timeout` ends what never ends. An apply has no such limit."},
	{path: "terraform.project_env", bind: func(c *Config) any { return &c.Terraform.ProjectEnv }, check: checkProjectEnv,
		doc: "Names of environment variables that a repository's `tidelock.hcl` may set for its projects, such as `AWS_PROFILE`. Others are left out."},

	{path: "checkout.submodules", bind: func(c *Config) any { return &c.Checkout.Submodules },
		doc: "Whether the Git submodules of a repository are fetched whose `tidelock.hcl` says `submodules = true`; see [Submodules](repository.md#submodules)."},
	{path: "checkout.submodule_hosts", bind: func(c *Config) any { return &c.Checkout.SubmoduleHosts },
		check: hosts(func(c *Config) []string { return c.Checkout.SubmoduleHosts }),
		doc:   "Hosts that submodules may come from besides the one that GitHub is on, such as `gitlab.com`: only what everybody may read, by https."},

	{path: "mirrors.max_age", bind: func(c *Config) any { return &c.Mirrors.MaxAge },
		check: durationRange(time.Second, 10*365*24*time.Hour, func(c *Config) time.Duration { return c.Mirrors.MaxAge }),
		doc:   "A copy that was not used for so long is deleted. Looked at every hour."},
	{path: "mirrors.max_size", bind: func(c *Config) any { return &c.Mirrors.MaxSize },
		check: intRange(1, 1<<30, func(c *Config) int { return c.Mirrors.MaxSize }),
		doc:   "How large all copies together may be, in MiB. Above that those that rested longest are deleted, save what is in use."},

	{path: "defaults.lock", bind: func(c *Config) any { return &c.Defaults.Lock }, check: oneOf(func(c *Config) string { return c.Defaults.Lock }, "plan", "apply", "off"),
		doc: "When a pull request takes the lock of a project: with its `plan`, with its `apply`, or never (`off`; two applies of one project still never run at once)."},
	{path: "defaults.apply_before_merge", bind: func(c *Config) any { return &c.Defaults.ApplyBeforeMerge },
		doc: "Whether the command `apply` works on an open pull request."},
	{path: "defaults.apply_on_merge", bind: func(c *Config) any { return &c.Defaults.ApplyOnMerge },
		doc: "Whether merging applies what was planned and reviewed."},
	{path: "defaults.auto_merge", bind: func(c *Config) any { return &c.Defaults.AutoMerge },
		doc: "Whether a pull request is merged once all its projects are applied. Needs `apply_before_merge`."},
	{path: "defaults.merge_method", bind: func(c *Config) any { return &c.Defaults.MergeMethod },
		check: oneOf(func(c *Config) string { return c.Defaults.MergeMethod }, "merge", "squash", "rebase"),
		doc:   "How `auto_merge` merges: `merge`, `squash` or `rebase`."},
	{path: "defaults.required_approvals", bind: func(c *Config) any { return &c.Defaults.RequiredApprovals },
		check: intRange(0, 10, func(c *Config) int { return c.Defaults.RequiredApprovals }),
		doc:   "Approving reviews that `apply` asks for on an open pull request, beyond what GitHub's branch protection asks for a merge."},
	{path: "defaults.delete_branch", bind: func(c *Config) any { return &c.Defaults.DeleteBranch },
		doc: "Whether `auto_merge` deletes the branch that it merged."},
	{path: "defaults.auto_plan", bind: func(c *Config) any { return &c.Defaults.AutoPlan },
		doc: "Whether a pull request is planned when it is opened or pushed to. Otherwise only the command `plan` does."},
	{path: "defaults.plan_drafts", bind: func(c *Config) any { return &c.Defaults.PlanDrafts },
		doc: "Whether drafts are planned too, before they are marked as ready for review."},
	{path: "defaults.commands", bind: func(c *Config) any { return &c.Defaults.Commands }, check: checkCommands, derived: "all",
		doc: "The commands that are obeyed in comments. A repository may narrow the list and never widen it; `help` is always answered."},
	{path: "defaults.project_checks", bind: func(c *Config) any { return &c.Defaults.ProjectChecks },
		doc: "Whether each project gets a check of its own beside `tidelock/plan` and `tidelock/apply`. Each costs a call to GitHub or two."},
	{path: "defaults.quiet_unchanged", bind: func(c *Config) any { return &c.Defaults.QuietUnchanged },
		doc: "Whether a pull request whose plans change nothing is left without a comment. Its checks tell; a comment that is there already is kept up to date."},
	{path: "defaults.comment_per_commit", bind: func(c *Config) any { return &c.Defaults.CommentPerCommit },
		doc: "Whether every commit gets a comment of its own, with the older ones folded away, in place of one comment that is kept up to date."},
	{path: "defaults.split_comments", bind: func(c *Config) any { return &c.Defaults.SplitComments },
		doc: "Whether plans that are too long for one comment go on in further ones. Otherwise they are shown in less detail until they fit."},

	{path: "drift.schedule", bind: func(c *Config) any { return &c.Drift.Schedule }, check: checkDriftSchedule, derived: "never",
		doc: "When to look for drift, in cron's five fields, such as `0 6 * * 1-5`. Empty or `off` is never, save where a repository asks for it."},
	{path: "drift.timezone", bind: func(c *Config) any { return &c.Drift.Timezone }, check: checkDriftTimezone, derived: "`UTC`",
		doc: "The place by whose clock the schedule goes, as in `Europe/Vienna`."},
	{path: "drift.remediate", bind: func(c *Config) any { return &c.Drift.Remediate },
		check: oneOf(func(c *Config) string { return c.Drift.Remediate }, planner.RemediateIssue, planner.RemediatePull, planner.RemediateOff),
		doc:   "What becomes of drift: `issue` tells it in one issue for each repository, `pull` opens a pull request as well whose apply takes it back (the App then needs *Contents* write), `off` shows it on the pages only."},
	{path: "drift.keep", bind: func(c *Config) any { return &c.Drift.Keep },
		check: durationRange(0, 10*365*24*time.Hour, func(c *Config) time.Duration { return c.Drift.Keep }),
		doc:   "How long drift checks and their logs are kept; the last one of each project stays. `0s` keeps them for ever."},

	{path: "policy.disabled", bind: func(c *Config) any { return &c.Policy.Disabled },
		doc: "Turns the bundled policies off, save where a `policy_scope` says otherwise. Where no other judges, comments say that no policy was asked."},
	{path: "policy.required_tags", bind: func(c *Config) any { return &c.Policy.RequiredTags }, check: checkRequiredTags,
		doc: "Tags, or labels on Google Cloud, that every resource which can carry them must have."},
	{path: "policy.levels", bind: func(c *Config) any { return &c.Policy.Levels }, check: checkLevels,
		doc: "Level of a rule by its ID, or of all rules whose IDs begin so up to a dot, as `security.aws`: `advisory` warns, `mandatory` blocks the apply unless an owner accepts it, `hard` blocks it whoever would, `off` leaves the rule out. Scopes go before it."},
	{path: "policy.owners", bind: func(c *Config) any { return &c.Policy.Owners }, check: checkPolicyOwners,
		doc: "Who may accept what a mandatory policy found, with the command `approve-policies`: logins, or teams as `organization/team`. Empty means anyone with the role *maintain* in the repository. The author of a pull request never may."},

	{path: "policy.admin_repo", bind: func(c *Config) any { return &c.Policy.AdminRepo }, check: checkAdminRepo, derived: "none",
		doc: "A repository, as `acme/policies`, in which those who own the policies keep them: its `policies.hcl` has the blocks `policy_pack`, `environment` and `policy_scope` too. The App must be installed on it. See [Policies](policies.md#the-admin-repository)."},
	{path: "policy.admin_ref", bind: func(c *Config) any { return &c.Policy.AdminRef }, derived: "the default branch",
		doc: "The branch, tag or commit of it that holds."},
	{path: "policy.admin_may_loosen", bind: func(c *Config) any { return &c.Policy.AdminMayLoosen },
		doc: "Whether the admin repository may lower what this file sets. Otherwise it adds packs, scopes and environments, raises levels and tightens settings, and what this file says is the least that holds."},
	{path: "policy.waiver_max", bind: func(c *Config) any { return &c.Policy.WaiverMax },
		check: durationRange(0, 10*365*24*time.Hour, func(c *Config) time.Duration { return c.Policy.WaiverMax }),
		doc:   "How long a finding may be accepted for beyond the plan that it was found in, with `approve-policies --for`. `0s` allows words for exactly one plan only. What was accepted before the setting changed stays so."},

	{path: "cost.engine", bind: func(c *Config) any { return &c.Cost.Engine }, check: checkEngine,
		doc: "What estimates are made with: `tidelock` is the program's own catalogue, which needs no account and no network; `infracost` runs the command of Infracost 0.10. See [Cost](cost.md#infracost-as-the-engine)."},
	{path: "cost.infracost_path", bind: func(c *Config) any { return &c.Cost.InfracostPath }, isPath: true, derived: "`infracost` on `PATH`",
		doc: "Infracost's command, where `cost.engine` is `infracost`: a path, or a name to look for on `PATH`."},
	{path: "cost.infracost_secret", bind: func(c *Config) any { return &c.Cost.InfracostSecret }, derived: "none",
		doc: "Name of the `secret` block that has Infracost's API key."},
	{path: "cost.infracost_endpoint", bind: func(c *Config) any { return &c.Cost.InfracostEndpoint }, check: checkInfracostEndpoint, derived: "Infracost's own",
		doc: "Address of a Cloud Pricing API that you run yourselves, for Infracost to ask for prices."},
	{path: "cost.currency", bind: func(c *Config) any { return &c.Cost.Currency }, check: checkCurrency,
		doc: "Currency of the estimates, as `EUR`. The prices of the program are in `USD`; another currency needs a rate, or prices that were imported in it. See [Prices](prices.md#currencies)."},
	{path: "cost.hours_per_month", bind: func(c *Config) any { return &c.Cost.HoursPerMonth }, check: intRange(1, 744, func(c *Config) int { return c.Cost.HoursPerMonth }),
		doc: "Hours that a month is reckoned with; the clouds' own calculators use 730."},
	{path: "cost.sustained_use", bind: func(c *Config) any { return &c.Cost.SustainedUse },
		doc: "Whether estimates take off what Google does by itself where a machine runs the whole month."},
	{path: "cost.usage_file", bind: func(c *Config) any { return &c.Cost.UsageFile }, isPath: true, check: checkUsageFile, derived: "none",
		doc: "What resources are used, in the format of Infracost's `infracost-usage.yml`, for all that no client and no repository says more closely. See [Prices](prices.md#usage)."},

	{path: "blobs.url", bind: func(c *Config) any { return &c.Blobs.URL }, check: checkBlobsURL, derived: "the folder `<data_dir>/blobs`",
		doc: "A bucket in place of the folder: `s3://NAME?region=…`, with `&endpoint=URL` for a server of your own, `gs://NAME` or `azblob://CONTAINER`; `prefix=NAME/` takes a part of it. Several servers on one database need one that they share. Credentials come from the environment, or from where the cloud's own programs take them."},

	{path: "replica.url", bind: func(c *Config) any { return &c.Replica.URL }, check: checkReplicaURL, derived: "none",
		doc: "Where to: a bucket, as `blobs.url` names one, or the absolute path of a folder on another disk. It is encrypted with the encryption key. No two servers may name the same place."},

	{path: "log.level", bind: func(c *Config) any { return &c.Log.Level }, check: oneOf(func(c *Config) string { return c.Log.Level }, "debug", "info", "warn", "error"),
		doc: "Least level that is logged: `debug`, `info`, `warn` or `error`."},
	{path: "log.format", bind: func(c *Config) any { return &c.Log.Format }, check: oneOf(func(c *Config) string { return c.Log.Format }, "text", "json"),
		doc: "`text` for people or `json` for machines."},

	{path: "state.max_size", bind: func(c *Config) any { return &c.State.MaxSize }, check: intRange(1, 4096, func(c *Config) int { return c.State.MaxSize }),
		doc: "How large one state may be, in MiB. A larger one is answered with 413."},
	{path: "state.max_states", bind: func(c *Config) any { return &c.State.MaxStates }, check: intRange(0, 1<<30, func(c *Config) int { return c.State.MaxStates }),
		doc: "How many states a client may have. One more is answered with 507. `0` sets no limit."},
	{path: "state.max_total", bind: func(c *Config) any { return &c.State.MaxTotal }, check: intRange(0, 1<<30, func(c *Config) int { return c.State.MaxTotal }),
		doc: "How much a client's states may take with all their versions, in MiB, compressed as they are stored. Above that no lock is given and nothing is written without one, with 507; what holds a lock may end its work. `0` sets no limit."},
	{path: "state.keep_versions", bind: func(c *Config) any { return &c.State.KeepVersions }, check: intRange(0, 1<<30, func(c *Config) int { return c.State.KeepVersions }),
		doc: "How many versions of each state stay at least. Older ones are removed once they are older than `keep_age`, looked at every hour; never the one that counts. `0` keeps all."},
	{path: "state.keep_age", bind: func(c *Config) any { return &c.State.KeepAge },
		check: durationRange(0, 100*365*24*time.Hour, func(c *Config) time.Duration { return c.State.KeepAge }),
		doc:   "A version that is younger than this stays, however many there are."},

	{path: "web.enabled", bind: func(c *Config) any { return &c.Web.Enabled },
		doc: "Whether the pages are served at all."},
	{path: "web.password", bind: func(c *Config) any { return &c.Web.Password }, from: "web.password_file", check: checkWebPassword, derived: "none",
		doc: "Password that the pages ask for, with any user name. Without one they answer only requests that come from this machine itself."},
	{path: "web.password_file", bind: func(c *Config) any { return &c.Web.PasswordFile }, isPath: true, derived: "none",
		doc: "File that holds the password of the pages."},

	{path: "metrics.listen", bind: func(c *Config) any { return &c.Metrics.Listen }, check: checkMetricsListen, derived: "none",
		doc: "Address and port at which the server tells figures for Prometheus, with the path `/metrics` and nothing else. Without one it tells none. Where other machines reach it, it needs `token_file`, or `without_token`."},
	{path: "metrics.token", bind: func(c *Config) any { return &c.Metrics.Token }, from: "metrics.token_file", check: checkMetricsToken, derived: "none",
		doc: "Bearer token that Prometheus must show."},
	{path: "metrics.token_file", bind: func(c *Config) any { return &c.Metrics.TokenFile }, isPath: true, derived: "none",
		doc: "File that holds the token. Prometheus takes the same file as `credentials_file`."},
	{path: "metrics.without_token", bind: func(c *Config) any { return &c.Metrics.WithoutToken },
		doc: "Whether whoever reaches `metrics.listen` may read the figures without a token, from other machines too."},
	{path: "metrics.clients", bind: func(c *Config) any { return &c.Metrics.Clients },
		doc: "Whether there are figures of single clients, by their slugs: a series for each client. Without it figures name nobody."},
}

// SettingNames returns the names of all settings, such as "github.app_id", in
// the order of the reference.
func SettingNames() []string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.path
	}
	return names
}

// EnvName returns the environment variable of a setting: TIDELOCK_ and the
// path in capitals, so that github.app_id is TIDELOCK_GITHUB_APP_ID.
func EnvName(path string) string {
	return "TIDELOCK_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// split returns the block and the attribute of a setting's path.
func (s setting) split() (block, attr string) {
	if block, attr, ok := strings.Cut(s.path, "."); ok {
		return block, attr
	}
	return "", s.path
}

// neededFor reports whether the command can't run without the setting.
func (s setting) neededFor(needs Needs) bool {
	switch needs {
	case NeedAll:
		return s.required != ""
	case NeedDatabase:
		return s.path == "data_dir"
	}
	return false
}

func intRange(low, high int, get func(c *Config) int) func(c *Config) string {
	return func(c *Config) string {
		if n := get(c); n < low || n > high {
			return fmt.Sprintf("must be between %d and %d, but is %d.", low, high, n)
		}
		return ""
	}
}

func oneOf(get func(c *Config) string, values ...string) func(c *Config) string {
	return func(c *Config) string {
		v := get(c)
		for _, allowed := range values {
			if v == allowed {
				return ""
			}
		}
		return fmt.Sprintf("must be %s, but is %q.", orList(values), v)
	}
}

// orList returns `"a", "b" or "c"`.
func orList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
