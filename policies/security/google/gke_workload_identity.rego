# METADATA
# scope: package
# title: Pods with the node's rights
# description: >-
#   Finds clusters without Workload Identity, and nodes that hand their own credentials to pods.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     Without Workload Identity, every pod can ask the metadata server for the node's credentials,
#     and has whatever the node may do.
#   mend: >-
#     Set workload_identity_config { workload_pool = "PROJECT.svc.id.goog" }, and mode =
#     "GKE_METADATA" in the nodes' workload_metadata_config.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           workload_identity_config {
#             workload_pool = "acme.svc.id.goog"
#           }
#         }
package tidelock.security.google.gke_workload_identity

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Pods have the rights of their node: workload_identity_config is not set."} if {
	some rc in google.standard_clusters
	not google.given(rc, ["workload_identity_config", 0, "workload_pool"])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.node_makers
	is := google.value(rc, ["node_config", 0, "workload_metadata_config", 0, "mode"], "GKE_METADATA")
	is != "GKE_METADATA"
	message := sprintf("Pods here have the rights of their node: workload_metadata_config.mode is %s.", [is])
}
