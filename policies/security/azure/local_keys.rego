# METADATA
# scope: package
# title: Service that takes keys (Azure)
# description: >-
#   Finds messaging, search, AI, cache and configuration services that accept shared keys beside
#   Entra.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A shared key names nobody in the logs, knows no second factor and works until somebody
#     changes it.
#   mend: >-
#     Turn local authentication off and give roles to identities; the message names the attribute.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_servicebus_namespace" "orders" {
#           name               = "orders"
#           local_auth_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_servicebus_namespace" "orders" {
#           name               = "orders"
#           local_auth_enabled = false
#         }
package tidelock.security.azure.local_keys

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({
		"azurerm_servicebus_namespace", "azurerm_eventhub_namespace", "azurerm_eventgrid_topic", "azurerm_eventgrid_domain",
		"azurerm_app_configuration", "azurerm_cognitive_account", "azurerm_ai_services", "azurerm_search_service",
		"azurerm_signalr_service", "azurerm_web_pubsub", "azurerm_automation_account", "azurerm_redis_cache",
		"azurerm_managed_redis",
	})
	some attribute in {"local_auth_enabled", "local_authentication_enabled", "access_keys_authentication_enabled"}
	azure.value(rc, [attribute], false) == true
	message := sprintf("Shared keys are accepted: %s is true.", [attribute])
}

deny contains {"address": rc.address, "msg": "Shared keys are accepted: access_keys_authentication_enabled is true."} if {
	some rc in azure.of({"azurerm_managed_redis"})
	azure.value(rc, ["default_database", 0, "access_keys_authentication_enabled"], false) == true
}
