# METADATA
# scope: package
# title: Kubernetes API open to the internet (Google Cloud)
# description: Denies clusters whose API takes requests from every address.
# custom:
#   severity: high
#   level: mandatory
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     The API server is the key to everything in the cluster. Open to all, it is one leaked token or
#     one flaw in Kubernetes away from strangers.
#   mend: >-
#     Name the addresses that need it in master_authorized_networks_config, or set
#     enable_private_endpoint = true, or use the DNS endpoint alone.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           master_authorized_networks_config {
#             cidr_blocks {
#               cidr_block = "0.0.0.0/0"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           master_authorized_networks_config {
#             cidr_blocks {
#               cidr_block   = "198.51.100.0/24"
#               display_name = "office"
#             }
#           }
#         }
package tidelock.security.google.gke_authorized_networks

import data.tidelock.google
import data.tidelock.network

deny contains {"address": rc.address, "msg": message} if {
	some rc in reachable
	some block in google.blocks(rc, ["master_authorized_networks_config", 0, "cidr_blocks"])
	network.public(block.cidr_block)
	message := sprintf("%s may reach this cluster's API.", [block.cidr_block])
}

# Many clusters were made so, since it is the default: that is told, and blocks
# nothing.
deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some rc in reachable
	not google.given(rc, ["master_authorized_networks_config"])
	message := "Every address may reach this cluster's API: it has no master_authorized_networks_config."
}

reachable := [rc |
	some rc in google.clusters
	google.value(rc, ["private_cluster_config", 0, "enable_private_endpoint"], false) == false
	google.value(rc, ["control_plane_endpoints_config", 0, "ip_endpoints_config", 0, "enabled"], true) == true
]
