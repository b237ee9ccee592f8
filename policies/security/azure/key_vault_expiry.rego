# METADATA
# scope: package
# title: Key or secret that never expires (Azure)
# description: Finds keys and secrets of key vaults without an end.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     What never expires is never renewed: a secret copied years ago still opens the door.
#   mend: >-
#     Set expiration_date, or on keys a rotation_policy with expire_after, and renew in time.
#   controls:
#     cis_azure_3.0: ["3.3.1", "3.3.2", "3.3.3", "3.3.4"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_key_vault_secret" "api" {
#           name = "api"
#         }
#     good:
#       hcl: |
#         resource "azurerm_key_vault_secret" "api" {
#           name            = "api"
#           expiration_date = "2030-01-01T00:00:00Z"
#         }
package tidelock.security.azure.key_vault_expiry

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some type, what in {"azurerm_key_vault_secret": "secret", "azurerm_key_vault_key": "key"}
	some rc in azure.of({type})
	not azure.set(rc, ["expiration_date"])
	not azure.set(rc, ["rotation_policy", 0, "expire_after"])
	message := sprintf("The %s never expires: there is no expiration_date.", [what])
}
