# METADATA
# scope: package
# title: Activity log that leaves things out (Azure)
# description: >-
#   Finds diagnostic settings of subscriptions without the categories that an inquiry needs.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     The activity log tells who changed what in the subscription, and is gone after 90 days where
#     nothing keeps it.
#   mend: >-
#     Give an enabled_log for each of Administrative, Alert, Policy and Security.
#   controls:
#     cis_azure_3.0: ["6.1.2"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_monitor_diagnostic_setting" "subscription" {
#           name               = "activity"
#           target_resource_id = "/subscriptions/00000000-0000-0000-0000-000000000000"
#           enabled_log {
#             category = "Administrative"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_monitor_diagnostic_setting" "subscription" {
#           name               = "activity"
#           target_resource_id = "/subscriptions/00000000-0000-0000-0000-000000000000"
#           enabled_log {
#             category = "Administrative"
#           }
#           enabled_log {
#             category = "Alert"
#           }
#           enabled_log {
#             category = "Policy"
#           }
#           enabled_log {
#             category = "Security"
#           }
#         }
package tidelock.security.azure.activity_log

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_monitor_diagnostic_setting"})
	regex.match(`(?i)^/?subscriptions/[^/]+/?$`, azure.value(rc, ["target_resource_id"], ""))
	every_log := azure.blocks(rc, "enabled_log")
	not "allLogs" in {log.category_group | some log in every_log}
	there := {log.category | some log in every_log} | {log.category | some log in azure.blocks(rc, "log"); log.enabled}
	missing := {"Administrative", "Alert", "Policy", "Security"} - there
	count(missing) > 0
	message := sprintf("The activity log is kept without %s.", [concat(", ", sort(missing))])
}
