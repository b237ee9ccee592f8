# METADATA
# scope: package
# title: Service account key
# description: Finds keys of service accounts that Terraform makes.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.4"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17"]
#   why: >-
#     A key file never expires and works from anywhere. It stands in Terraform's state, is copied
#     into pipelines and mails, and is found there.
#   mend: >-
#     Attach the service account to what runs on Google Cloud, and use Workload Identity Federation
#     for what runs elsewhere. Forbid keys with the constraint iam.disableServiceAccountKeyCreation.
#   examples:
#     bad:
#       hcl: |
#         resource "google_service_account_key" "ci" {
#           service_account_id = "ci@acme.iam.gserviceaccount.com"
#         }
#     good:
#       hcl: |
#         resource "google_service_account_iam_member" "ci" {
#           service_account_id = "projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com"
#           role               = "roles/iam.workloadIdentityUser"
#           member             = "principalSet://iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/github/attribute.repository/acme/infra"
#         }
package tidelock.security.google.iam_service_account_keys

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_service_account_key"})
	message := sprintf("A key that never expires is made for %s.", [plan.text(rc.change.after, "service_account_id", "a service account")])
}
