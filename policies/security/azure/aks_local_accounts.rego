# METADATA
# scope: package
# title: Kubernetes cluster with local accounts (Azure)
# description: >-
#   Finds AKS clusters whose built-in administrator account is there for all who may ask for it.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     The local account is one certificate for everyone: it names nobody in the logs, goes past
#     Entra and its second factor, and lives on when people leave.
#   mend: >-
#     Set local_account_disabled = true together with
#     azure_active_directory_role_based_access_control.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.16", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                   = "main"
#           local_account_disabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                   = "main"
#           local_account_disabled = true
#         }
package tidelock.security.azure.aks_local_accounts

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The shared administrator account works: local_account_disabled is not true."} if {
	some rc in azure.clusters
	azure.value(rc, ["local_account_disabled"], false) == false
}
