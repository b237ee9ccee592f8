# METADATA
# scope: package
# title: Cosmos DB open to every network (Azure)
# description: Finds Cosmos DB accounts that every address, or all of Azure, may reach.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Only the account key then stands before the data, and keys leak.
#   mend: >-
#     Set public_network_access_enabled = false, or name addresses in ip_range_filter and subnets
#     in virtual_network_rule with is_virtual_network_filter_enabled = true.
#   controls:
#     cis_azure_3.0: ["5.4.1"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_cosmosdb_account" "orders" {
#           name                          = "orders"
#           public_network_access_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_cosmosdb_account" "orders" {
#           name                          = "orders"
#           public_network_access_enabled = false
#         }
package tidelock.security.azure.cosmos_network

import data.tidelock.azure
import data.tidelock.network

deny contains {"address": rc.address, "msg": "Every network may reach the account: there is no ip_range_filter and no virtual_network_rule."} if {
	some rc in public
	count(sources(rc)) == 0
	azure.value(rc, ["is_virtual_network_filter_enabled"], false) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in public
	some source in sources(rc)
	network.public(source)
	message := sprintf("Every machine in Azure, or on the internet, may reach the account: %s is in ip_range_filter.", [source])
}

public := [rc |
	some rc in azure.of({"azurerm_cosmosdb_account"})
	azure.value(rc, ["public_network_access_enabled"], true) == true
]

# azurerm 3 has one text with commas. A filter that is not known yet has no value.
sources(rc) := given if {
	given := azure.value(rc, ["ip_range_filter"], [])
	is_array(given)
}

sources(rc) := [trim_space(part) | some part in split(given, ","); part != ""] if {
	given := azure.value(rc, ["ip_range_filter"], [])
	is_string(given)
}
