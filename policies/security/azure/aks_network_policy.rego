# METADATA
# scope: package
# title: Kubernetes cluster without network policy (Azure)
# description: Finds AKS clusters in which no policy can hold pods apart.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Every pod reaches every other one: who breaks into one service walks on to all. Network
#     policies are accepted by such a cluster and do nothing.
#   mend: >-
#     Set network_profile.network_policy to "cilium", "calico" or "azure".
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name = "main"
#           network_profile {
#             network_plugin = "azure"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name = "main"
#           network_profile {
#             network_plugin = "azure"
#             network_policy = "calico"
#           }
#         }
package tidelock.security.azure.aks_network_policy

import data.tidelock.azure

# Azure fills in no policy where the configuration names none. A cluster that
# brings its own network (plugin "none") brings its own policy too.
deny contains {"address": rc.address, "msg": "Nothing holds pods apart: network_profile names no network_policy."} if {
	some rc in azure.clusters
	azure.chosen(rc, [["network_profile", 0, "network_policy"]], "") in {"", "none"}
	azure.chosen(rc, [["network_profile", 0, "network_plugin"]], "kubenet") != "none"
}
