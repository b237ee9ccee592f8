# METADATA
# scope: package
# title: Storage account that lets containers be public (Azure)
# description: Finds storage accounts in which a container may be opened to anyone.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Whoever may change one container can then publish it. Switched off on the account, no
#     container can be opened by mistake. Version 4 of the provider leaves it on.
#   mend: >-
#     Set allow_nested_items_to_be_public = false.
#   controls:
#     cis_azure_3.0: ["4.17"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                            = "acmedata"
#           allow_nested_items_to_be_public = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                            = "acmedata"
#           allow_nested_items_to_be_public = false
#         }
package tidelock.security.azure.storage_public_access

import data.tidelock.azure

# The provider writes its default into the plan, and that differs between its
# versions: nothing is found where the plan says nothing.
deny contains {"address": rc.address, "msg": "Containers may be opened to anyone: allow_nested_items_to_be_public is true."} if {
	some rc in azure.of({"azurerm_storage_account"})
	azure.one_of(rc, [["allow_nested_items_to_be_public"], ["allow_blob_public_access"]], false) == true
}
