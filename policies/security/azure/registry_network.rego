# METADATA
# scope: package
# title: Container registry open to every network (Azure)
# description: Finds Premium container registries that every address may reach.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A leaked token then pulls and replaces images from anywhere. Only the Premium tier can be
#     closed, so that others are not judged.
#   mend: >-
#     Set public_network_access_enabled = false, or network_rule_set with default_action = "Deny".
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_container_registry" "main" {
#           name                          = "acme"
#           sku                           = "Premium"
#           public_network_access_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_container_registry" "main" {
#           name                          = "acme"
#           sku                           = "Premium"
#           public_network_access_enabled = false
#         }
package tidelock.security.azure.registry_network

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Every network may reach the registry: network_rule_set.default_action is not Deny."} if {
	some rc in azure.of({"azurerm_container_registry"})
	azure.value(rc, ["sku"], "Basic") == "Premium"
	azure.value(rc, ["public_network_access_enabled"], true) == true
	azure.value(rc, ["network_rule_set", 0, "default_action"], "Allow") == "Allow"
}
