# METADATA
# scope: package
# title: Constraint of the organization switched off
# description: Finds organization policies that lift a constraint, or allow all that it would limit.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC8.1"]
#     iso27001_2022: ["A.5.15", "A.8.9"]
#   why: >-
#     Constraints are the net under every project. One exception in a folder lifts it for all
#     projects below, and stays when its reason is gone.
#   mend: >-
#     Keep the exception to the one project that needs it, with a condition on tags, and a date by
#     which it goes.
#   examples:
#     bad:
#       hcl: |
#         resource "google_org_policy_policy" "keys" {
#           name   = "folders/1234/policies/iam.disableServiceAccountKeyCreation"
#           parent = "folders/1234"
#           spec {
#             rules {
#               enforce = "FALSE"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_org_policy_policy" "keys" {
#           name   = "folders/1234/policies/iam.disableServiceAccountKeyCreation"
#           parent = "folders/1234"
#           spec {
#             rules {
#               enforce = "TRUE"
#             }
#           }
#         }
package tidelock.security.google.org_policy_off

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_org_policy_policy"})
	some rule in google.blocks(rc, ["spec", 0, "rules"])
	some key, lifted in {"enforce": "FALSE", "allow_all": "TRUE"}
	upper(plan.text(rule, key, "")) == lifted
	message := sprintf("%s is lifted: %s is %s.", [plan.text(rc.change.after, "name", "A constraint"), key, lifted])
}

# The older resources, one for each level.
deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_project_organization_policy", "google_folder_organization_policy", "google_organization_policy"})
	some [path, lifted] in [[["boolean_policy", 0, "enforced"], false], [["list_policy", 0, "allow", 0, "all"], true]]
	google.value(rc, path, "not set") == lifted
	message := sprintf("%s is lifted: %s is %v.", [plan.text(rc.change.after, "constraint", "A constraint"), path[count(path) - 1], lifted])
}
