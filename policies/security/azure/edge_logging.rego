# METADATA
# scope: package
# title: Gateway or firewall without logs (Azure)
# description: >-
#   Finds application gateways, firewalls, Front Doors and API gateways for which the plan shows
#   no diagnostic setting.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Everything from outside passes there. Without its logs an attack can neither be seen nor be
#     traced back.
#   mend: >-
#     Add an azurerm_monitor_diagnostic_setting for the resource; where a policy of Azure adds it,
#     turn this rule off.
#   controls:
#     cis_azure_3.0: ["6.4"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_firewall" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "azurerm_firewall" "main" {
#           name = "main"
#         }
#         resource "azurerm_monitor_diagnostic_setting" "firewall" {
#           name               = "all"
#           target_resource_id = azurerm_firewall.main.id
#           enabled_log {
#             category_group = "allLogs"
#           }
#         }
package tidelock.security.azure.edge_logging

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "What passes here is not logged: the plan shows no diagnostic setting for it."} if {
	some rc in azure.of({
		"azurerm_application_gateway", "azurerm_firewall", "azurerm_cdn_frontdoor_profile", "azurerm_frontdoor",
		"azurerm_api_management",
	})
	not azure.logged(rc)
}
