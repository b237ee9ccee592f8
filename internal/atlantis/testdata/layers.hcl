# Made of atlantis.yaml by tidelock convert. It counts once it is on the base branch;
# then atlantis.yaml is not read any more.

# The projects below, and those that are found by themselves.
autodiscover  = true
ignore        = ["sandbox/**", "examples"]
auto_merge    = true
delete_branch = true

gate "apply" {
  # Only some projects ask for it.
  rule "approved-for-some" {
    when    = "!(plan.project in ['network-production', 'shop-production']) || pull.approvals >= 1"
    message = "One approving review of the head commit is missing."
  }

  rule "mergeable-for-some" {
    when    = "!(plan.project in ['network-production', 'shop-production']) || pull.mergeable"
    message = "GitHub says that the pull request can't be merged as it is."
  }

  rule "undiverged-for-some" {
    when    = "!(plan.project in ['network-production']) || pull.behind == 0"
    message = "Bring the branch up to date with its base branch."
  }
}

project "network-staging" {
  dir           = "live/staging/network"
  when_modified = ["live/staging/network/*.tf", "modules/network/**/*.tf", "live/staging/network/.terraform.lock.hcl", "!live/staging/network/*_test.tf"]
  tool_version  = "v1.9.5"
  order         = 1
}

project "network-production" {
  dir           = "live/production/network"
  when_modified = ["live/production/network/*.tf", "modules/network/**/*.tf", "live/production/network/.terraform.lock.hcl", "!live/production/network/*_test.tf"]
  tool_version  = "v1.9.5"
  order         = 1
}

project "shop-staging" {
  dir        = "live/staging/shop"
  depends_on = ["network-staging"]
  order      = 2
}

project "shop-production" {
  dir        = "live/production/shop"
  auto_plan  = false
  depends_on = ["network-production"]
  order      = 2
}
