# METADATA
# scope: package
# title: Key Vault that can be purged (Azure)
# description: Finds key vaults without purge protection.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A deleted vault or key can be purged at once, by mistake or by an intruder. Everything
#     encrypted with its keys is then lost for good.
#   mend: >-
#     Set purge_protection_enabled = true; it can never be turned off again.
#   controls:
#     cis_azure_3.0: ["3.3.5"]
#     soc2: ["A1.2", "CC6.1"]
#     iso27001_2022: ["A.8.13", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name                     = "acme"
#           purge_protection_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name                     = "acme"
#           purge_protection_enabled = true
#         }
package tidelock.security.azure.key_vault_purge_protection

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "What is deleted can be purged at once: purge_protection_enabled is not true."} if {
	some rc in azure.of({"azurerm_key_vault", "azurerm_key_vault_managed_hardware_security_module"})
	azure.value(rc, ["purge_protection_enabled"], false) == false
}
