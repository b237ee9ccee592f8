# METADATA
# scope: package
# title: Key Vault open to every network (Azure)
# description: Finds key vaults whose firewall lets every address in.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A stolen token or a role given too widely can then be used from anywhere in the world.
#   mend: >-
#     Set public_network_access_enabled = false, or network_acls with default_action = "Deny" and
#     the addresses and subnets that need the vault.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name = "acme"
#           network_acls {
#             bypass         = "AzureServices"
#             default_action = "Allow"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name = "acme"
#           network_acls {
#             bypass         = "AzureServices"
#             default_action = "Deny"
#             ip_rules       = ["198.51.100.0/24"]
#           }
#         }
package tidelock.security.azure.key_vault_network

import data.tidelock.azure
import data.tidelock.network

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_key_vault"})
	azure.value(rc, ["public_network_access_enabled"], true) == true
	azure.value(rc, ["network_acls", 0, "default_action"], "Allow") == "Allow"
	message := sprintf("Every network may reach the vault: %s.", [named(rc)])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_key_vault"})
	azure.value(rc, ["public_network_access_enabled"], true) == true
	some source in azure.value(rc, ["network_acls", 0, "ip_rules"], [])
	network.public(source)
	message := sprintf("Every network may reach the vault: %s is among network_acls.ip_rules.", [source])
}

named(rc) := "network_acls.default_action is Allow" if {
	count(azure.blocks(rc, "network_acls")) > 0
} else := "there is no network_acls"
