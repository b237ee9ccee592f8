# METADATA
# scope: package
# title: Kubernetes cluster without logs (Google Cloud)
# description: Finds clusters that send no logs or no metrics.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.16"]
#   why: >-
#     Pods come and go. What is not sent away as it happens can't be looked up afterwards.
#   mend: >-
#     Leave logging_service and monitoring_service out, and let logging_config.enable_components
#     hold SYSTEM_COMPONENTS and WORKLOADS.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name            = "main"
#           logging_service = "none"
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           logging_config {
#             enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
#           }
#         }
package tidelock.security.google.gke_logging

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.clusters
	some key in ["logging_service", "monitoring_service"]
	google.value(rc, [key], "") == "none"
	message := sprintf("This cluster is not watched: %s is none.", [key])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.clusters
	some key in ["logging_config", "monitoring_config"]
	google.value(rc, [key, 0, "enable_components"], ["the default"]) == []
	message := sprintf("This cluster is not watched: %s has no enable_components.", [key])
}
