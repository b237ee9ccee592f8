# METADATA
# scope: package
# title: Storage account open to every network (Azure)
# description: Finds storage accounts whose firewall lets every address in.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A leaked key or signature can then be used from anywhere in the world.
#   mend: >-
#     Set public_network_access_enabled = false, or network_rules with default_action = "Deny" and
#     the addresses and subnets that need the account.
#   controls:
#     cis_azure_3.0: ["4.7"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name = "acmedata"
#           network_rules {
#             default_action = "Allow"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name = "acmedata"
#         }
#         resource "azurerm_storage_account_network_rules" "data" {
#           storage_account_id = azurerm_storage_account.data.id
#           default_action     = "Deny"
#           ip_rules           = ["198.51.100.0/24"]
#         }
package tidelock.security.azure.storage_network

import data.tidelock.azure
import data.tidelock.network
import data.tidelock.references

deny contains {"address": rc.address, "msg": "Every network may reach the account: no network rules deny by default."} if {
	some rc in public
	azure.value(rc, ["network_rules", 0, "default_action"], "Allow") == "Allow"
	not denied_elsewhere(rc)
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, path] in array.concat(
		[[rc, ["network_rules", 0, "ip_rules"]] | some rc in public],
		[[rc, ["ip_rules"]] | some rc in azure.of({"azurerm_storage_account_network_rules"})],
	)
	some source in azure.value(rc, path, [])
	network.public(source)
	message := sprintf("Every network may reach the account: %s is among ip_rules.", [source])
}

public := [rc |
	some rc in azure.of({"azurerm_storage_account"})
	azure.value(rc, ["public_network_access_enabled"], true) == true
]

denied_elsewhere(rc) if {
	some rules in attached[rc.address]
	azure.value(rules, ["default_action"], "Deny") == "Deny"
}

attached := references.attached("azurerm_storage_account_network_rules", "storage_account_id", "azurerm_storage_account")
