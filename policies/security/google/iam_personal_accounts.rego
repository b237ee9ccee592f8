# METADATA
# scope: package
# title: Rights for a private account
# description: Finds grants to addresses of Gmail.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.1"]
#     soc2: ["CC6.1", "CC6.2"]
#     iso27001_2022: ["A.5.16", "A.5.18"]
#   why: >-
#     Nobody in the company can reset, watch or close a private account, and it stays when its owner
#     leaves.
#   mend: >-
#     Grant the role to a group or account of the company's own domain.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_member" "viewer" {
#           project = "acme"
#           role    = "roles/viewer"
#           member  = "user:jane.acme@gmail.com"
#         }
#     good:
#       hcl: |
#         resource "google_project_iam_member" "viewer" {
#           project = "acme"
#           role    = "roles/viewer"
#           member  = "user:jane@example.com"
#         }
package tidelock.security.google.iam_personal_accounts

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.grants(subjects)
	regex.match(`(?i)^user:.*@(gmail|googlemail)\.com$`, grant.member)
	message := sprintf("%s, a private account, has %s.", [grant.member, grant.role])
}

subjects := object.keys(google.containers) | {
	"google_bigquery_dataset", "google_kms_crypto_key", "google_secret_manager_secret", "google_service_account",
	"google_storage_bucket",
}
