# METADATA
# scope: package
# title: Service account as administrator
# description: >-
#   Finds service accounts with a role of an administrator on a whole project, folder or
#   organization.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.5"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     A service account has no second factor, and its credentials lie where programs run. What takes
#     over the program administers the project.
#   mend: >-
#     Grant the role on the single resource, or a role that uses the service without administering
#     it.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_member" "app" {
#           project = "acme"
#           role    = "roles/storage.admin"
#           member  = "serviceAccount:app@acme.iam.gserviceaccount.com"
#         }
#     good:
#       hcl: |
#         resource "google_storage_bucket_iam_member" "app" {
#           bucket = "acme-uploads"
#           role   = "roles/storage.objectUser"
#           member = "serviceAccount:app@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.iam_service_account_admin

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.grants(object.keys(google.containers))
	startswith(grant.member, "serviceAccount:")
	regex.match(`^roles/.*[aA]dmin$`, grant.role)
	not google.agent(grant.member)
	message := sprintf("%s has %s on the whole %s.", [grant.member, grant.role, google.containers[grant.subject]])
}
