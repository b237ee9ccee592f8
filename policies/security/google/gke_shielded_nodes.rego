# METADATA
# scope: package
# title: Nodes that are not shielded
# description: >-
#   Finds clusters without shielded nodes, and nodes without secure boot or integrity monitoring.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC6.8", "CC7.1"]
#     iso27001_2022: ["A.8.7", "A.8.9"]
#   why: >-
#     Shielded nodes prove to the control plane that they are what they say; secure boot keeps
#     malware from below the operating system.
#   mend: >-
#     Leave enable_shielded_nodes out, which means true, and set shielded_instance_config {
#     enable_secure_boot = true } in node_config.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name                  = "main"
#           enable_shielded_nodes = false
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name                     = "main"
#           enable_shielded_nodes    = true
#           remove_default_node_pool = true
#         }
package tidelock.security.google.gke_shielded_nodes

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This cluster's nodes prove nothing to it: enable_shielded_nodes is false."} if {
	some rc in google.standard_clusters
	google.value(rc, ["enable_shielded_nodes"], true) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.node_makers
	some key, otherwise in {"enable_secure_boot": false, "enable_integrity_monitoring": true}
	google.value(rc, ["node_config", 0, "shielded_instance_config", 0, key], otherwise) == false
	message := sprintf("These nodes are not wholly shielded: %s is not true.", [key])
}
