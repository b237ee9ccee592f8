# Made of atlantis.yaml by tidelock convert. It counts once it is on the base branch;
# then atlantis.yaml is not read any more.

# Not carried over:
# - line 2: parallel_plan: false: plans and applies of independent projects always run at the same time here. Give projects that must not an order or depends_on.
# - line 6: branch: /main/: the project is planned for pull requests into every branch. The configuration is read from the branch that a pull request goes into: leave the project out of the file on other branches.
# - line 13: The stage plan has no step plan: its own commands do that. Tidelock runs Terraform itself, so its commands are left out. What prepares or follows can be a hook. Terragrunt is run by Tidelock itself, where the project's directory holds a terragrunt.hcl.
# - line 20: The stage apply has no step apply: its own commands do that. Tidelock runs Terraform itself, so its commands are left out. What prepares or follows can be a hook. Terragrunt is run by Tidelock itself, where the project's directory holds a terragrunt.hcl.

# The projects below, and no others.
autodiscover = false

# Atlantis applies before the merge. Without these two the server's settings hold.
# apply_before_merge = true
# apply_on_merge     = false

project "live/prod" {
  dir = "live/prod"
}

project "live/staging" {
  dir           = "live/staging"
  when_modified = ["live/staging/**/*.hcl", "live/staging/**/*.tf*", "live/common.hcl"]
}
