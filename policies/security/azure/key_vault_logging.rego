# METADATA
# scope: package
# title: Key Vault without logs (Azure)
# description: Finds key vaults for which the plan shows no diagnostic setting.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without it nobody can tell later who read which secret.
#   mend: >-
#     Add an azurerm_monitor_diagnostic_setting for the vault with the category AuditEvent; where
#     a policy of Azure adds it, turn this rule off.
#   controls:
#     cis_azure_3.0: ["6.1.4"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name = "acme"
#         }
#     good:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name = "acme"
#         }
#         resource "azurerm_monitor_diagnostic_setting" "vault" {
#           name               = "audit"
#           target_resource_id = azurerm_key_vault.main.id
#           enabled_log {
#             category = "AuditEvent"
#           }
#         }
package tidelock.security.azure.key_vault_logging

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Nobody can tell later who read a secret: the plan shows no diagnostic setting for the vault."} if {
	some rc in azure.of({"azurerm_key_vault", "azurerm_key_vault_managed_hardware_security_module"})
	not azure.logged(rc)
}
