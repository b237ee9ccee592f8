# METADATA
# scope: package
# title: Service open to every network (Azure)
# description: Finds data, AI, messaging and automation services that every address may reach.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A stolen key or token can then be used from anywhere in the world, and the data carried out
#     by the same way.
#   mend: >-
#     Turn public network access off and use private endpoints, or limit it to named networks
#     where the service can.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_data_factory" "main" {
#           name                   = "main"
#           public_network_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_data_factory" "main" {
#           name                   = "main"
#           public_network_enabled = false
#         }
package tidelock.security.azure.service_public_network

import data.tidelock.azure
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, attribute in services
	some rc in azure.of({type})
	azure.chosen(rc, [[attribute]], true) in {true, "Enabled"}
	closable(rc)
	not limited(rc)
	message := sprintf("Every network may reach the service: %s is not off.", [attribute])
}

# The cheaper tiers of messaging have no private endpoints, and can't be closed.
closable(rc) if not rc.type in {"azurerm_servicebus_namespace", "azurerm_eventhub_namespace"}

closable(rc) if {
	rc.type == "azurerm_servicebus_namespace"
	azure.value(rc, ["sku"], "Standard") == "Premium"
}

closable(rc) if {
	rc.type == "azurerm_eventhub_namespace"
	azure.value(rc, ["sku"], "Standard") != "Basic"
}

limited(rc) if {
	some block in {"network_acls", "network_rulesets", "network_rule_set"}
	azure.value(rc, [block, 0, "default_action"], "Allow") == "Deny"
}

limited(rc) if {
	some attribute in {"allowed_ips", "inbound_ip_rule"}
	count(azure.blocks(rc, attribute)) > 0
}

limited(rc) if {
	some attribute in {"allowed_ips", "inbound_ip_rule"}
	plan.unknown(rc)[attribute] == true
}

services := object.union(
	{type: "public_network_access_enabled" |
		some type in {
			"azurerm_automation_account", "azurerm_batch_account", "azurerm_cognitive_account", "azurerm_databricks_workspace",
			"azurerm_eventgrid_domain", "azurerm_eventgrid_topic", "azurerm_eventhub_namespace", "azurerm_iothub",
			"azurerm_kusto_cluster", "azurerm_machine_learning_workspace", "azurerm_redis_cache", "azurerm_search_service",
			"azurerm_servicebus_namespace", "azurerm_synapse_workspace",
		}
	},
	{
		"azurerm_ai_services": "public_network_access",
		"azurerm_app_configuration": "public_network_access",
		"azurerm_data_factory": "public_network_enabled",
		"azurerm_eventgrid_namespace": "public_network_access",
		"azurerm_managed_redis": "public_network_access",
		"azurerm_purview_account": "public_network_enabled",
	},
)
