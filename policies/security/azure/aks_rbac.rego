# METADATA
# scope: package
# title: Kubernetes cluster without roles (Azure)
# description: Denies AKS clusters whose role-based access control is turned off.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Everyone and everything that reaches the cluster may then do all in it: each pod is an
#     administrator.
#   mend: >-
#     Leave role_based_access_control_enabled at true. Changing it makes a new cluster.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                              = "main"
#           role_based_access_control_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                              = "main"
#           role_based_access_control_enabled = true
#         }
package tidelock.security.azure.aks_rbac

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Everyone in the cluster is an administrator: role_based_access_control_enabled is false."} if {
	some rc in azure.clusters
	azure.one_of(rc, [["role_based_access_control_enabled"], ["role_based_access_control", 0, "enabled"]], true) == false
}
