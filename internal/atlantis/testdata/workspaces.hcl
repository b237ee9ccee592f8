# Made of atlantis.yaml by tidelock convert. It counts once it is on the base branch;
# then atlantis.yaml is not read any more.

# Not carried over:
# - line 6: repo_locks: the whole repository has one setting here, lock, and not every project says the same. It is left to the server's.
# - line 22: extra_args: -upgrade of init: providers are those of the lock file. Commit a newer lock file to get newer ones.
# - line 25: extra_args: -lock=false of plan: the state is always locked.
# - line 35: run: the command uses $PULL_NUM, which Atlantis sets and Tidelock does not.

# The projects below, and no others.
autodiscover = false

# Atlantis applies before the merge. Without these two the server's settings hold.
# apply_before_merge = true
# apply_on_merge     = false

gate "apply" {
  # Only some projects ask for it.
  rule "approved-for-some" {
    when    = "!(plan.project in ['app:production']) || pull.approvals >= 1"
    message = "One approving review of the head commit is missing."
  }
}

# Hooks run, and variables of env reach a run, only where the server allows them.

project "app:staging" {
  dir       = "app"
  workspace = "staging"
  var_files = ["env/staging.tfvars"]
  flags     = ["-var=profile=acme", "-parallelism=20"]
  env = {
    AWS_PROFILE = "acme"
  }

  hook "after_init" {
    run   = ["sh", "-c", "export WORKSPACE='staging' REPO_REL_DIR='app'; ./scripts/render.sh \"$WORKSPACE\" $${REPO_REL_DIR}"]
    phase = "plan"
  }

  hook "after_plan" {
    run = ["sh", "-c", "tflint"]
  }

  hook "after_apply" {
    run = ["bash", "-eu", "-c", "notify --pull \"$PULL_NUM\""]
  }
}

project "app:production" {
  dir       = "app"
  workspace = "production"
  var_files = ["env/production.tfvars"]
  flags     = ["-var=profile=acme", "-parallelism=20"]
  env = {
    AWS_PROFILE = "acme"
  }

  hook "after_init" {
    run   = ["sh", "-c", "export WORKSPACE='production' REPO_REL_DIR='app'; ./scripts/render.sh \"$WORKSPACE\" $${REPO_REL_DIR}"]
    phase = "plan"
  }

  hook "after_plan" {
    run = ["sh", "-c", "tflint"]
  }

  hook "after_apply" {
    run = ["bash", "-eu", "-c", "notify --pull \"$PULL_NUM\""]
  }
}

project "root" {
  dir       = "."
  var_files = ["env/default.tfvars"]
  flags     = ["-var=profile=acme", "-parallelism=20"]
  env = {
    AWS_PROFILE = "acme"
  }

  hook "after_init" {
    run   = ["sh", "-c", "export WORKSPACE='default' REPO_REL_DIR='.'; ./scripts/render.sh \"$WORKSPACE\" $${REPO_REL_DIR}"]
    phase = "plan"
  }

  hook "after_plan" {
    run = ["sh", "-c", "tflint"]
  }

  hook "after_apply" {
    run = ["bash", "-eu", "-c", "notify --pull \"$PULL_NUM\""]
  }
}
