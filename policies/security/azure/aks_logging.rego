# METADATA
# scope: package
# title: Kubernetes cluster without logs (Azure)
# description: Finds AKS clusters whose logs go nowhere.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Pods come and go and take their logs along: without a place for them an attack leaves no
#     trace.
#   mend: >-
#     Add an oms_agent with a Log Analytics workspace, or an azurerm_monitor_diagnostic_setting
#     for the cluster with kube-audit-admin.
#   controls:
#     cis_azure_3.0: ["6.4"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name = "main"
#           oms_agent {
#             log_analytics_workspace_id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.OperationalInsights/workspaces/main"
#           }
#         }
package tidelock.security.azure.aks_logging

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The cluster's logs go nowhere: there is neither an oms_agent nor a diagnostic setting."} if {
	some rc in azure.clusters
	count(azure.value(rc, ["oms_agent"], [])) == 0
	azure.value(rc, ["addon_profile", 0, "oms_agent", 0, "enabled"], false) == false
	not azure.logged(rc)
}
