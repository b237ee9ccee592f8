# METADATA
# scope: package
# title: Replaces every grant there is
# description: Finds resources that hold the whole IAM policy of a project, folder or organization.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC8.1"]
#     iso27001_2022: ["A.5.18", "A.8.32"]
#   why: >-
#     On apply, every grant that the policy does not name is gone, those of Google's own robots and
#     of whoever runs Terraform too. People have locked themselves out of an organization so.
#   mend: >-
#     Use google_project_iam_member for each grant, or google_project_iam_binding where one role
#     shall have no other members.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_policy" "all" {
#           project     = "acme"
#           policy_data = "{\"bindings\":[{\"role\":\"roles/viewer\",\"members\":[\"group:support@example.com\"]}]}"
#         }
#     good:
#       hcl: |
#         resource "google_project_iam_member" "support" {
#           project = "acme"
#           role    = "roles/viewer"
#           member  = "group:support@example.com"
#         }
package tidelock.security.google.iam_authoritative

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, whole in google.containers
	some rc in plan.made[sprintf("%s_iam_policy", [type])]
	message := sprintf("On apply, this replaces every grant on the %s.", [whole])
}
