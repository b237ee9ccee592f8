# METADATA
# scope: package
# title: A module is not pinned
# description: Finds modules of registries without a bounded version, and of git without a tag or commit.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     What is not pinned can be other code tomorrow than what was reviewed today: the next plan
#     brings changes that no pull request holds, or what somebody else slipped into the module.
#   mend: >-
#     Give modules of a registry a version such as "~> 5.1", and git sources a ?ref= with a tag or
#     the full commit.
#   controls:
#     soc2: ["CC8.1", "CC9.2"]
#     iso27001_2022: ["A.5.21", "A.8.32"]
#   examples:
#     bad:
#       hcl: |
#         module "vpc" {
#           source = "git::https://git.example.com/acme/vpc.git?ref=main"
#         }
#     good:
#       hcl: |
#         module "vpc" {
#           source = "git::https://git.example.com/acme/vpc.git?ref=v1.4.0"
#         }
package tidelock.terraform.unpinned_modules

import data.tidelock.terraform.code
import data.tidelock.terraform.source

deny contains {"address": call.address, "msg": message} if {
	some call in code.calls
	message := unpinned(call)
}

unpinned(call) := "This module has no version." if {
	source.is_registry(call.source)
	call.version == ""
}

unpinned(call) := sprintf("The version %q lets any newer one in.", [call.version]) if {
	source.is_registry(call.source)
	call.version != ""
	not source.bounded(call.version)
}

unpinned(call) := "This module's source has no ?ref=, so it is whatever the repository's first branch holds." if {
	source.is_git(call.source)
	source.ref(call.source) == ""
}

unpinned(call) := sprintf("The ref %q looks like a branch, which moves.", [name]) if {
	source.is_git(call.source)
	name := source.ref(call.source)
	name != ""
	not source.fixed(name)
}
