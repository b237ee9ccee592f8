# Made of atlantis.yaml by tidelock convert. It counts once it is on the base branch;
# then atlantis.yaml is not read any more.

# Not carried over:
# - line 3: emoji_reaction: Tidelock reacts with 👀 to every comment that it obeys.
# - line 4: allowed_regexp_prefixes: -p takes a project's name here. For several projects give -d a pattern of directories, such as -d 'staging/**'.
# - line 5: silence_pr_comments: there is one comment here for plan and apply, kept up to date. quiet_unchanged = true leaves it out where no plan changes anything.
# - line 8: policies: the policies are the server's here, and are asked before every apply. Ask who runs the server to add yours.
# - line 11: name: my-project~name has characters that no name has here, and became my-project-name.
# - line 12: branch: /main/: the project is planned for pull requests into every branch. The configuration is read from the branch that a pull request goes into: leave the project out of the file on other branches.
# - line 17: delete_source_branch_on_merge: the whole repository has one setting here, delete_branch, and not every project says the same. It is left to the server's.
# - line 18: repo_locks: the whole repository has one setting here, lock, and not every project says the same. It is plan for all.
# - line 19: custom_policy_check: true: the server's policies are asked before every apply, of every project.
# - line 20: silence_pr_comments: there is one comment here for plan and apply, kept up to date. quiet_unchanged = true leaves it out where no plan changes anything.
# - line 21: plan_requirements: mergeable: not every project asks for it, but before a plan nothing is known of projects: here the plans of all of them wait for it.
# - line 28: import_requirements: undiverged: an import passes the gates of an apply here, and those don't ask for it. Ask for it in apply_requirements too.
# - line 29: workflow: of-the-server is not in this file. What a server of Atlantis' says of it in its repos.yaml is not carried over.
# - line 30: dir: modules/*: no pattern can stand for directories here. Directories are discovered by what their code says, as autodiscover has it: list those that are not found, and those that need what this project says.
# - line 35: extra_args: -backend-config=prod.hcl of init: the backend is what the project's code says. Write its values into the backend block.
# - line 35: extra_args: -lock=false of init is left out: Tidelock chooses the flags of init.
# - line 38: run: the output stands in the run's log as it is; the expression that masked parts of it is left out. What the command prints must hold no secret.
# - line 43: extra_args: -var-file=$(cat f) of plan is made by a shell.
# - line 43: extra_args: -var-file=$HOME/x of plan uses the variable HOME, whose value the file doesn't tell.
# - line 43: extra_args: -destroy of plan is not taken. The flag -destroy is not taken. There may stand -target=ADDR, -replace=ADDR, -var=NAME=VALUE, -refresh=false and -parallelism=N.
# - line 43: extra_args: the variable file /etc/x.tfvars is an absolute path; give one relative to the repository's root.
# - line 43: extra_args: -lock=false of plan: the state is always locked.
# - line 49: extra_args of policy_check: the server's own policies are asked here, and not conftest.
# - line 51: env: DEPLOY_ROLE is set for applies only. Here a project's plans have the same environment, and they run code that nobody has reviewed yet. Set it in the project's env if plans may know it.
# - line 54: extra_args: -lock-timeout=5m of apply is left out: the plan that was shown is applied as it is.
# - line 59: extra_args: -var-file=x.tfvars of import is left out.
# - line 61: The step run of the stage import is left out: hooks run before and after plans and applies only.
# - line 64: The workflow unused is used by no project of this file, and left out.

# The projects below, and those that are found by themselves.
autodiscover = true
lock         = "plan"

# Atlantis applies before the merge. Without these two the server's settings hold.
# apply_before_merge = true
# apply_on_merge     = false

auto_merge = false

gate "plan" {
  mergeable = true
}

gate "apply" {
  # Only some projects ask for it.
  rule "approved-for-some" {
    when    = "!(plan.project in ['my-project-name']) || pull.approvals >= 1"
    message = "One approving review of the head commit is missing."
  }

  rule "mergeable-for-some" {
    when    = "!(plan.project in ['my-project-name']) || pull.mergeable"
    message = "GitHub says that the pull request can't be merged as it is."
  }

  rule "undiverged-for-some" {
    when    = "!(plan.project in ['my-project-name']) || pull.behind == 0"
    message = "Bring the branch up to date with its base branch."
  }
}

# Hooks run, and variables of env reach a run, only where the server allows them.

project "my-project-name" {
  dir          = "infra"
  tool         = "tofu"
  tool_version = "1.8"
  flags        = ["-refresh=false", "-target=module.a"]

  hook "after_init" {
    run      = ["sh", "-c", "./credentials.sh"]
    phase    = "plan"
    multienv = "commas"
  }

  hook "after_init" {
    run   = ["sh", "-c", "python gen.py"]
    phase = "plan"
  }
}

project "other" {
  dir        = "odd dir"
  depends_on = ["my-project-name"]
}
