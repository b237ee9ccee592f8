# METADATA
# scope: package
# title: Kubernetes that grows old (Google Cloud)
# description: >-
#   Finds clusters outside the release channels, and node pools that are neither upgraded nor
#   repaired.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC7.1"]
#     iso27001_2022: ["A.8.8"]
#   why: >-
#     Each version of Kubernetes gets fixes for little more than a year. What is not upgraded by
#     itself is upgraded after the flaw is in the news.
#   mend: >-
#     Set release_channel { channel = "REGULAR" } with a maintenance_policy that says when, and
#     leave auto_upgrade and auto_repair on.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_node_pool" "main" {
#           cluster = "main"
#           management {
#             auto_repair  = true
#             auto_upgrade = false
#           }
#         }
#     good:
#       hcl: |
#         resource "google_container_node_pool" "main" {
#           cluster = "main"
#           management {
#             auto_repair  = true
#             auto_upgrade = true
#           }
#         }
package tidelock.security.google.gke_upgrades

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This cluster is not kept up to date: release_channel is UNSPECIFIED."} if {
	some rc in google.clusters
	google.value(rc, ["release_channel", 0, "channel"], "REGULAR") == "UNSPECIFIED"
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_container_node_pool"})
	some key in ["auto_upgrade", "auto_repair"]
	google.value(rc, ["management", 0, key], true) == false
	message := sprintf("These nodes are not kept in order: %s is false.", [key])
}
