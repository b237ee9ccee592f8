# METADATA
# scope: package
# title: Storage account with shared keys (Azure)
# description: >-
#   Finds storage accounts that accept their account keys in place of a person or a managed
#   identity.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     An account key gives everything in the account to whoever holds it, names nobody in the logs
#     and does not expire.
#   mend: >-
#     Set shared_access_key_enabled = false and give roles such as Storage Blob Data Contributor
#     to those who need the data; the provider then needs storage_use_azuread = true.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                      = "acmedata"
#           shared_access_key_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                      = "acmedata"
#           shared_access_key_enabled = false
#         }
package tidelock.security.azure.storage_shared_key

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Account keys are accepted: shared_access_key_enabled is not false."} if {
	some rc in azure.of({"azurerm_storage_account"})
	azure.value(rc, ["shared_access_key_enabled"], true) == true
}
