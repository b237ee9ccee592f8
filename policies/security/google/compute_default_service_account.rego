# METADATA
# scope: package
# title: Machine acts as the default service account
# description: Finds machines that act as the project's default service account.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.1", "4.2"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     The default service account may be an editor of the whole project. Whoever gets a shell on one
#     such machine, or fools it into one request, has that project.
#   mend: >-
#     Make a service account for the machine, grant it what it needs, and name it in
#     service_account.email.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           service_account {
#             scopes = ["https://www.googleapis.com/auth/cloud-platform"]
#           }
#         }
#     good:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           service_account {
#             email  = "app@acme.iam.gserviceaccount.com"
#             scopes = ["https://www.googleapis.com/auth/cloud-platform"]
#           }
#         }
package tidelock.security.google.compute_default_service_account

import data.tidelock.google

# A machine without the block acts as nobody.
deny contains {"address": rc.address, "msg": message} if {
	some rc in google.machines
	count(google.blocks(rc, ["service_account"])) > 0
	google.default_account(google.value(rc, ["service_account", 0, "email"], ""))
	message := sprintf("This machine acts as the project's default service account, %s.", [reach(rc)])
}

reach(rc) := "with access to every API" if {
	some scope in google.blocks(rc, ["service_account", 0, "scopes"])
	endswith(scope, "cloud-platform")
} else := "within its scopes"
