# METADATA
# scope: package
# title: Key Vault with access policies (Azure)
# description: Finds key vaults that judge access by their own access policies instead of roles.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     An access policy holds for every secret of the vault and whoever may change the vault may
#     write one. Roles can be given for one secret, for a limited time, and are seen with all
#     others.
#   mend: >-
#     Set rbac_authorization_enabled = true and give roles such as Key Vault Secrets User.
#   controls:
#     cis_azure_3.0: ["3.3.6"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.5.18"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name                       = "acme"
#           rbac_authorization_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_key_vault" "main" {
#           name                       = "acme"
#           rbac_authorization_enabled = true
#         }
package tidelock.security.azure.key_vault_rbac

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Access is judged by the vault's own policies: rbac_authorization_enabled is not true."} if {
	some rc in azure.of({"azurerm_key_vault"})
	azure.chosen(rc, [["rbac_authorization_enabled"], ["enable_rbac_authorization"]], false) == false
}
