# METADATA
# scope: package
# title: Kubernetes nodes with public addresses (Google Cloud)
# description: Finds clusters whose nodes have external addresses.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     Each node with an external address can be attacked from the internet, and what runs on it gets
#     out past every control.
#   mend: >-
#     Set private_cluster_config { enable_private_nodes = true } and let the nodes out through Cloud
#     NAT.
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
#           private_cluster_config {
#             enable_private_nodes = true
#           }
#         }
package tidelock.security.google.gke_private_nodes

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This cluster's nodes have external addresses: enable_private_nodes is not true."} if {
	some rc in google.clusters
	google.value(rc, ["private_cluster_config", 0, "enable_private_nodes"], false) == false
}

deny contains {"address": rc.address, "msg": "This pool's nodes have external addresses: enable_private_nodes is false."} if {
	some rc in google.of({"google_container_node_pool"})
	google.value(rc, ["network_config", 0, "enable_private_nodes"], true) == false
}
