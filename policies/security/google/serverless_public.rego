# METADATA
# scope: package
# title: Service that everyone may call (Google Cloud)
# description: >-
#   Finds services of Cloud Run, functions and applications behind Identity-Aware Proxy that anyone
#   may call.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     A web site is meant to be open; an inner service or a function for a queue is not, and each
#     call costs money too.
#   mend: >-
#     Grant roles/run.invoker to the service accounts that call. Where it is a web site, put it
#     behind a load balancer with Cloud Armor and ask for a waiver.
#   examples:
#     bad:
#       hcl: |
#         resource "google_cloud_run_v2_service_iam_member" "call" {
#           name   = "billing"
#           role   = "roles/run.invoker"
#           member = "allUsers"
#         }
#     good:
#       hcl: |
#         resource "google_cloud_run_v2_service_iam_member" "call" {
#           name   = "billing"
#           role   = "roles/run.invoker"
#           member = "serviceAccount:shop@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.serverless_public

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public(subjects)
	message := sprintf("%s has %s.", [grant.who, grant.role])
}

deny contains {"address": rc.address, "msg": "Nobody is asked who calls: invoker_iam_disabled is true."} if {
	some rc in google.of({"google_cloud_run_v2_service"})
	google.value(rc, ["invoker_iam_disabled"], false) == true
}

subjects := {
	"google_cloud_run_service", "google_cloud_run_v2_job", "google_cloud_run_v2_service", "google_cloud_run_v2_worker_pool",
	"google_cloudfunctions2_function", "google_cloudfunctions_function", "google_iap_web",
	"google_iap_web_backend_service", "google_iap_web_cloud_run_service", "google_iap_web_region_backend_service",
	"google_iap_web_type_app_engine", "google_iap_web_type_compute",
}
