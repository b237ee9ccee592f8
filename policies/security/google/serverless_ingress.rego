# METADATA
# scope: package
# title: Service that takes requests from everywhere
# description: Finds services of Cloud Run and functions whose ingress is open to the internet.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     A service with its own public address goes past the load balancer, and with it past Cloud
#     Armor and its logs.
#   mend: >-
#     Set ingress to INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER or INGRESS_TRAFFIC_INTERNAL_ONLY, for
#     functions ALLOW_INTERNAL_AND_GCLB or ALLOW_INTERNAL_ONLY.
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
#           ingress  = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
#         }
package tidelock.security.google.serverless_ingress

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, [path, open] in {
		"google_cloud_run_service": [["metadata", 0, "annotations", "run.googleapis.com/ingress"], "all"],
		"google_cloud_run_v2_service": [["ingress"], "INGRESS_TRAFFIC_ALL"],
		"google_cloudfunctions2_function": [["service_config", 0, "ingress_settings"], "ALLOW_ALL"],
		"google_cloudfunctions_function": [["ingress_settings"], "ALLOW_ALL"],
	}
	some rc in plan.made[type]
	google.value(rc, path, open) == open
	message := sprintf("Requests come in from the whole internet: %s is %s.", [path[count(path) - 1], open])
}
