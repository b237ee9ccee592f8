# METADATA
# scope: package
# title: App without an identity (Azure)
# description: Finds web apps, function apps and logic apps without a managed identity.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without an identity the app needs passwords and keys for all that it uses, and those leak
#     and stay.
#   mend: >-
#     Add identity { type = "SystemAssigned" } and give the app roles instead of keys.
#   controls:
#     cis_azure_3.0: ["9.5"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           identity {
#             type = "SystemAssigned"
#           }
#         }
package tidelock.security.azure.app_identity

import data.tidelock.azure

# App Service of azurerm 3 fills identity in, as unknown: nothing is found there.
deny contains {"address": rc.address, "msg": "The app has no identity of its own and needs keys instead: there is no identity block."} if {
	some rc in azure.apps
	count(azure.value(rc, ["identity"], [])) == 0
}
