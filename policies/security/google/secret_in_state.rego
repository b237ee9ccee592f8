# METADATA
# scope: package
# title: Secret in Terraform's state (Google Cloud)
# description: >-
#   Finds passwords and secrets that are kept in state, where a write-only argument keeps them out.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   why: >-
#     State and plan files hold the value as it is. Whoever reads them, or an old copy of them, has
#     the secret.
#   mend: >-
#     Use the write-only argument (from Terraform 1.11 and OpenTofu 1.11), or let a person or
#     program put the value into Secret Manager.
#   examples:
#     bad:
#       hcl: |
#         resource "google_secret_manager_secret_version" "db" {
#           secret      = "projects/acme/secrets/db-password"
#           secret_data = "example-only"
#         }
#     good:
#       hcl: |
#         resource "google_secret_manager_secret_version" "db" {
#           secret                 = "projects/acme/secrets/db-password"
#           secret_data_wo_version = 1
#         }
package tidelock.security.google.secret_in_state

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, key in {
		"google_secret_manager_secret_version": "secret_data",
		"google_sql_database_instance": "root_password",
		"google_sql_user": "password",
	}
	some rc in plan.made[type]
	google.given(rc, [key])
	message := sprintf("The value is kept in Terraform's state: use %s_wo in place of %s.", [key, key])
}
