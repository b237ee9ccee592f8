# METADATA
# scope: package
# title: Pods that may all speak to each other
# description: Finds clusters in which network policies have no effect.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.22"]
#   why: >-
#     Without network policies, whoever takes over one pod reaches every other, databases and other
#     teams' services too.
#   mend: >-
#     Set datapath_provider = "ADVANCED_DATAPATH" for a new cluster (Autopilot has it), or
#     network_policy { enabled = true } for an old one.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name              = "main"
#           datapath_provider = "ADVANCED_DATAPATH"
#         }
package tidelock.security.google.gke_network_policy

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Network policies have no effect here: datapath_provider is not ADVANCED_DATAPATH, and network_policy is not enabled."} if {
	some rc in google.standard_clusters
	google.value(rc, ["datapath_provider"], "LEGACY_DATAPATH") != "ADVANCED_DATAPATH"
	google.value(rc, ["network_policy", 0, "enabled"], false) == false
}
