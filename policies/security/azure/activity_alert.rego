# METADATA
# scope: package
# title: Alert that is turned off (Azure)
# description: Finds alerts on the activity log that are disabled or tell nobody.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     The alert seems to be there, and nobody hears of changes to policies, firewalls and security
#     groups.
#   mend: >-
#     Leave enabled at true, and give the alert an action with an action group.
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_monitor_activity_log_alert" "policy" {
#           name    = "policy-deleted"
#           enabled = false
#           criteria {
#             category       = "Administrative"
#             operation_name = "Microsoft.Authorization/policyAssignments/delete"
#           }
#           action {
#             action_group_id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Insights/actionGroups/ops"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_monitor_activity_log_alert" "policy" {
#           name    = "policy-deleted"
#           enabled = true
#           criteria {
#             category       = "Administrative"
#             operation_name = "Microsoft.Authorization/policyAssignments/delete"
#           }
#           action {
#             action_group_id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Insights/actionGroups/ops"
#           }
#         }
package tidelock.security.azure.activity_alert

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The alert is turned off: enabled is false."} if {
	some rc in alerts
	azure.value(rc, ["enabled"], true) == false
}

deny contains {"address": rc.address, "msg": "The alert tells nobody: it has no action."} if {
	some rc in alerts
	count(azure.value(rc, ["action"], [])) == 0
}

alerts := azure.of({"azurerm_monitor_activity_log_alert"})
