# METADATA
# scope: package
# title: Storage account encrypted once (Azure)
# description: Finds new storage accounts without the second layer of encryption.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Infrastructure encryption adds a second key and algorithm beneath the first, and can be
#     chosen only when the account is made. Some contracts and regulators ask for it.
#   mend: >-
#     Set infrastructure_encryption_enabled = true on accounts whose data calls for it, before
#     they hold any.
#   controls:
#     cis_azure_3.0: ["4.2"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                              = "acmedata"
#           infrastructure_encryption_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                              = "acmedata"
#           infrastructure_encryption_enabled = true
#         }
package tidelock.security.azure.storage_infrastructure_encryption

import data.tidelock.azure

# Changing it makes a new account, so that an account which is there already is
# left in peace.
deny contains {"address": rc.address, "msg": "The account has one layer of encryption: infrastructure_encryption_enabled is false, and can't be changed later."} if {
	some rc in azure.of({"azurerm_storage_account"})
	"create" in rc.change.actions
	azure.value(rc, ["infrastructure_encryption_enabled"], false) == false
}
