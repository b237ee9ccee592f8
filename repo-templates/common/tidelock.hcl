# How Tidelock treats this repository. Nothing here is needed: the projects are
# found by themselves, and every line that is commented out shows what can be
# said. The file is read from the base branch, so a change of it counts once it
# is merged. `tidelock validate` checks it.

# Find the projects that no block below lists.
# autodiscover = true

# Directories that are never projects; ** stands for any depth.
# ignore = ["examples/**", "test/**"]

# Fetch the Git submodules too, where the server allows it.
# submodules = true

# Without the following the server's own settings hold.

# Plan when a pull request is opened and at each push; drafts too.
# auto_plan   = true
# plan_drafts = false

# When a pull request takes a project's lock: at its "plan", only while it
# applies ("apply"), or never ("off").
# lock = "plan"

# Take the command `apply` on an open pull request; apply what is merged.
# apply_before_merge = true
# apply_on_merge     = true

# Merge the pull request once everything of it is applied. Brings
# apply_before_merge with it, and the App then needs Contents: write.
# auto_merge    = true
# merge_method  = "squash"
# delete_branch = true

# The commands that are taken in comments; all that the server allows where
# none are named.
# commands = ["plan", "apply", "unlock", "cancel", "help"]

# How much is said: no comment where nothing changes, a comment for each
# commit, further comments for what is too long for one, a check for each
# project.
# quiet_unchanged    = true
# comment_per_commit = false
# split_comments     = false
# project_checks     = false

# What must be so before an apply, beside what the server asks for.
# gate "apply" {
#   approvals   = 1
#   code_owners = true
# }

# What runs the projects, and which version, before version files such as
# .terraform-version. The code's required_version holds too.
# tool         = "terraform"
# tool_version = "~> 1.9.0"

# When projects are compared with what is really there, and what becomes of a
# difference: the repository's drift issue, a pull request ("pull"), or nothing
# ("off"). The same block in a project is for that one.
# drift {
#   schedule  = "0 6 * * 1-5" # "off" for never
#   timezone  = "Europe/Vienna"
#   remediate = "issue"
# }

# How the policies that judge the plans are tightened: rules of the repository's
# own, higher levels, stricter settings. The server's always hold.
# policy {
#   packs    = ["policy"]                        # folders with Rego
#   levels   = { "security.aws" = "hard" }       # advisory, mandatory or hard
#   settings = { "tagging.required" = ["owner", "team"] }
# }

# The comment's words.
# template {
#   comment = <<EOT
# {{ .Default }}
# EOT
# }

# A project that can't be found, or of which there is more to say. Its name is
# what comments show and what -p takes. Two projects must not have the same
# directory and workspace: they would share one state.
# project "shop-staging" {
#   dir        = "live/shop"
#   workspace  = "staging"               # "default" where none is named
#   var_files  = ["staging.tfvars"]      # relative to dir, inside the repository
#   usage_file = "usage.yml"             # what is used of it, in Infracost's format
#   watch      = ["templates/**"]        # more files whose change means a new plan
#   auto_plan  = false                   # planned by command only
#   depends_on = ["network:staging"]     # applied before this one is planned
#   reads_state = ["network:staging"]    # its code may read their outputs
#   order      = 2                       # lower ones are applied first
#   weight     = 3                       # leaves room for fewer runs beside it
#   flags      = ["-parallelism=20"]     # of each of its plans
#   env        = { AWS_PROFILE = "acme" } # where the server allows the name
#   source_dir = "cdk/shop"              # what hooks make the code in dir from
#   secrets       = { TF_VAR_token = "shop-token" } # of the server, by its name
#   plan_secrets  = { TF_VAR_role = "shop-reader" }  # for plans alone
#   apply_secrets = { TF_VAR_role = "shop-writer" }  # for applies alone
#   hook "before_init" {                 # where the server allows hooks
#     run     = ["./generate.sh", "--quick"]
#     phase   = "plan"                   # not in applies
#     timeout = "5m"
#   }
#   hook "before_plan" {                 # what it prints is the variable's value
#     run       = ["./token.sh"]
#     env       = "TF_VAR_release"
#     sensitive = true
#   }
#   hook "before_plan" {                 # and here several variables, a line each
#     run      = ["./settings.sh"]
#     multienv = "lines"
#   }
#   hook "after_init" {                  # a scanner: what it finds counts as policies do
#     run           = ["trivy", "config", "--format", "sarif", "--output", "trivy.sarif", "--exit-code", "1", "."]
#     sarif         = "trivy.sarif"
#     levels        = { note = "advisory" } # error is mandatory, warning advisory, note off
#     findings_exit = [1]                # it ends with this code when it found something
#   }
# }

# Several workspaces of one directory, network:staging and network:production.
# Only a change of the files named here means a new plan.
# project "network" {
#   dir           = "live/network"
#   workspaces    = ["staging", "production"]
#   var_files     = ["${workspace}.tfvars"]
#   when_modified = ["live/network/**", "modules/**/*.tf", "!**/*.md"]
#   order         = 1
# }

# A Terragrunt unit: found by itself, and named here only where there is more to
# say of it.
# project "vpc" {
#   dir  = "units/vpc"
#   kind = "terragrunt"
# }
