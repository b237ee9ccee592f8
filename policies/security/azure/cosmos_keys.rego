# METADATA
# scope: package
# title: Cosmos DB with account keys (Azure)
# description: Finds Cosmos DB accounts for NoSQL that accept their keys in place of an identity.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A key gives everything in the account to whoever holds it, names nobody in the logs and does
#     not expire.
#   mend: >-
#     Set local_authentication_enabled = false and give roles of Cosmos DB to those who need the
#     data.
#   controls:
#     cis_azure_3.0: ["5.4.3"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_cosmosdb_account" "orders" {
#           name                         = "orders"
#           local_authentication_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_cosmosdb_account" "orders" {
#           name                         = "orders"
#           local_authentication_enabled = false
#         }
package tidelock.security.azure.cosmos_keys

import data.tidelock.azure

# Other APIs than that for NoSQL know nothing but keys.
deny contains {"address": rc.address, "msg": "Account keys are accepted: local authentication is not turned off."} if {
	some rc in azure.of({"azurerm_cosmosdb_account"})
	azure.value(rc, ["kind"], "GlobalDocumentDB") == "GlobalDocumentDB"
	count([capability | some capability in azure.blocks(rc, "capabilities"); capability.name in {"EnableCassandra", "EnableGremlin", "EnableTable", "EnableMongo"}]) == 0
	azure.chosen(rc, [["local_authentication_enabled"]], true) == true
	azure.chosen(rc, [["local_authentication_disabled"]], false) == false
}
