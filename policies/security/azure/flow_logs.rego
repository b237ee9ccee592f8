# METADATA
# scope: package
# title: Flow log that is off, short or unread (Azure)
# description: >-
#   Finds network flow logs that are turned off, are kept for less than 90 days or reach no Log
#   Analytics workspace.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Flow logs tell who spoke with whom. After a break-in they are what is asked for first, often
#     months later.
#   mend: >-
#     Leave enabled at true, keep 90 days or more (0 keeps everything), and add traffic_analytics
#     with a workspace.
#   controls:
#     cis_azure_3.0: ["6.1.5", "7.5"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_network_watcher_flow_log" "main" {
#           name    = "main"
#           enabled = true
#           retention_policy {
#             enabled = true
#             days    = 7
#           }
#           traffic_analytics {
#             enabled = true
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_network_watcher_flow_log" "main" {
#           name    = "main"
#           enabled = true
#           retention_policy {
#             enabled = true
#             days    = 90
#           }
#           traffic_analytics {
#             enabled = true
#           }
#         }
package tidelock.security.azure.flow_logs

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The flow log is turned off: enabled is false."} if {
	some rc in logs
	azure.value(rc, ["enabled"], true) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in logs
	azure.value(rc, ["retention_policy", 0, "enabled"], false) == true
	days := azure.value(rc, ["retention_policy", 0, "days"], 0)
	days > 0
	days < 90
	message := sprintf("Flows are gone after %d days: retention_policy.days should be 90 or more.", [days])
}

deny contains {"address": rc.address, "msg": "Flows reach no Log Analytics workspace: there is no traffic_analytics that is enabled."} if {
	some rc in logs
	azure.value(rc, ["traffic_analytics", 0, "enabled"], false) == false
}

logs := azure.of({"azurerm_network_watcher_flow_log"})
