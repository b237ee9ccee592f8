# METADATA
# scope: package
# title: Owner or editor of everything
# description: Denies the basic roles owner and editor on projects, folders and organizations.
# custom:
#   severity: high
#   level: mandatory
#   controls:
#     cis_gcp_3.0: ["1.5"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.5.18", "A.8.2"]
#   why: >-
#     Both roles reach nearly every service of the project, and an owner gives rights to others.
#     What has them, a person's laptop or a pipeline, is worth stealing.
#   mend: >-
#     Grant the roles of the services that are used, such as roles/run.developer. Keep an owner for
#     emergencies outside of Terraform, or under a waiver.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_member" "ci" {
#           project = "acme"
#           role    = "roles/editor"
#           member  = "serviceAccount:ci@acme.iam.gserviceaccount.com"
#         }
#     good:
#       hcl: |
#         resource "google_project_iam_member" "ci" {
#           project = "acme"
#           role    = "roles/run.developer"
#           member  = "serviceAccount:ci@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.iam_basic_roles

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.grants(object.keys(google.containers))
	grant.role in {"roles/owner", "roles/editor"}
	not google.agent(grant.member)
	message := sprintf("%s has %s on the whole %s.", [grant.member, grant.role, google.containers[grant.subject]])
}
