# METADATA
# scope: package
# title: May act as every service account
# description: Finds roles on a whole project that let members act as any of its service accounts.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.6"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     Who may act as every service account has the rights of the mightiest one, those of accounts
#     made later too.
#   mend: >-
#     Grant the role on the one service account with google_service_account_iam_member.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_member" "deploy" {
#           project = "acme"
#           role    = "roles/iam.serviceAccountUser"
#           member  = "group:dev@example.com"
#         }
#     good:
#       hcl: |
#         resource "google_service_account_iam_member" "deploy" {
#           service_account_id = "projects/acme/serviceAccounts/web@acme.iam.gserviceaccount.com"
#           role               = "roles/iam.serviceAccountUser"
#           member             = "group:dev@example.com"
#         }
package tidelock.security.google.iam_impersonation

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.grants(object.keys(google.containers))
	grant.role in {"roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountKeyAdmin"}
	not google.agent(grant.member)
	message := sprintf("%s may act as every service account of the %s: it has %s.", [grant.member, google.containers[grant.subject], grant.role])
}
