# METADATA
# scope: package
# title: null_resource has a successor
# description: Tells of a new null_resource, which terraform_data replaces.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     terraform_data does the same since Terraform 1.4 and is built in: one provider less to fetch,
#     to pin and to trust.
#   mend: >-
#     Write terraform_data with triggers_replace in place of triggers. A moved block takes an old
#     one along from Terraform 1.9 on.
#   examples:
#     bad:
#       hcl: |
#         resource "null_resource" "reload" {
#           triggers = { config = "v1" }
#         }
#     good:
#       hcl: |
#         resource "terraform_data" "reload" {
#           triggers_replace = "v1"
#         }
package tidelock.terraform.null_resource

import data.tidelock.plan

# Those that are there already work, and are no reason to touch them.
deny contains {"address": rc.address, "msg": "terraform_data does what this null_resource does, without a provider."} if {
	some rc in plan.made.null_resource
	rc.change.actions == ["create"]
}
