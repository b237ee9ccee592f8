# METADATA
# scope: package
# title: Service acts as the default service account
# description: >-
#   Finds services and jobs of Cloud Run and functions that act as a default service account.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     The default accounts may be editors of the whole project, and every service that names no
#     other shares them.
#   mend: >-
#     Make a service account for the service, grant it what it needs, and name it.
#   examples:
#     bad:
#       hcl: |
#         resource "google_cloud_run_v2_service" "billing" {
#           name     = "billing"
#           location = "europe-west1"
#         }
#     good:
#       hcl: |
#         resource "google_cloud_run_v2_service" "billing" {
#           name     = "billing"
#           location = "europe-west1"
#           template {
#             service_account = "billing@acme.iam.gserviceaccount.com"
#           }
#         }
package tidelock.security.google.serverless_service_account

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, path in {
		"google_cloud_run_service": ["template", 0, "spec", 0, "service_account_name"],
		"google_cloud_run_v2_job": ["template", 0, "template", 0, "service_account"],
		"google_cloud_run_v2_service": ["template", 0, "service_account"],
		"google_cloudfunctions2_function": ["service_config", 0, "service_account_email"],
		"google_cloudfunctions_function": ["service_account_email"],
	}
	some rc in plan.made[type]
	shared(google.value(rc, path, ""))
	message := sprintf("This acts as a default service account: %s names no other.", [path[count(path) - 1]])
}

shared(email) if google.default_account(email)

shared(email) if endswith(email, "@appspot.gserviceaccount.com")
