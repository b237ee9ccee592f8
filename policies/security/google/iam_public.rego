# METADATA
# scope: package
# title: Everyone has rights in the project
# description: >-
#   Denies grants to everyone on organizations, folders, projects, billing accounts and service
#   accounts.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     A role on a project reaches everything in it. Given to everyone, it needs no break-in at all.
#   mend: >-
#     Grant the role to a group of people or to a service account.
#   examples:
#     bad:
#       hcl: |
#         resource "google_project_iam_member" "viewer" {
#           project = "acme"
#           role    = "roles/viewer"
#           member  = "allAuthenticatedUsers"
#         }
#     good:
#       hcl: |
#         resource "google_project_iam_member" "viewer" {
#           project = "acme"
#           role    = "roles/viewer"
#           member  = "group:support@example.com"
#         }
package tidelock.security.google.iam_public

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public(object.keys(google.containers) | {"google_billing_account", "google_service_account"})
	message := sprintf("%s has %s.", [grant.who, grant.role])
}
