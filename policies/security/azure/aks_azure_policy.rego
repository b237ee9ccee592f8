# METADATA
# scope: package
# title: Kubernetes cluster without Azure Policy (Azure)
# description: Finds AKS clusters in which nothing checks what is deployed.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Privileged pods, foreign images and host mounts are let in unless something in the cluster
#     refuses them.
#   mend: >-
#     Set azure_policy_enabled = true, or use another admission controller and turn this rule off.
#   controls:
#     soc2: ["CC8.1"]
#     iso27001_2022: ["A.8.9"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                 = "main"
#           azure_policy_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                 = "main"
#           azure_policy_enabled = true
#         }
package tidelock.security.azure.aks_azure_policy

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Nothing checks what is deployed into the cluster: azure_policy_enabled is not true."} if {
	some rc in azure.clusters
	azure.one_of(rc, [["azure_policy_enabled"], ["addon_profile", 0, "azure_policy", 0, "enabled"]], false) == false
}
