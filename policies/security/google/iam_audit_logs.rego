# METADATA
# scope: package
# title: Reads and writes without audit
# description: >-
#   Finds audit settings of a project, folder or organization that leave out kinds of access or
#   members.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["2.1"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   why: >-
#     Who read which data is written down only where it was asked for beforehand. A member that is
#     exempt leaves no trace.
#   mend: >-
#     Let google_project_iam_audit_config for allServices name ADMIN_READ, DATA_READ and DATA_WRITE,
#     without exempted_members.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_audit_config" "all" {
#           project = "acme"
#           service = "allServices"
#           audit_log_config {
#             log_type = "ADMIN_READ"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_project_iam_audit_config" "all" {
#           project = "acme"
#           service = "allServices"
#           audit_log_config {
#             log_type = "ADMIN_READ"
#           }
#           audit_log_config {
#             log_type = "DATA_READ"
#           }
#           audit_log_config {
#             log_type = "DATA_WRITE"
#           }
#         }
package tidelock.security.google.iam_audit_logs

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in settings
	rc.change.after.service == "allServices"
	missing := {"ADMIN_READ", "DATA_READ", "DATA_WRITE"} - {block.log_type | some block in google.blocks(rc, ["audit_log_config"])}
	count(missing) > 0
	not google.unknown(rc, ["audit_log_config"])
	message := sprintf("Access is not written down: there is no audit_log_config for %s.", [concat(", ", missing)])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in settings
	some block in google.blocks(rc, ["audit_log_config"])
	members := plan.list(block, "exempted_members")
	count(members) > 0
	message := sprintf("Access by %s is not written down: it is among exempted_members for %s.", [concat(", ", members), block.log_type])
}

settings := google.of({"google_project_iam_audit_config", "google_folder_iam_audit_config", "google_organization_iam_audit_config"})
