# METADATA
# scope: package
# title: App open to a debugger (Azure)
# description: Finds web apps and function apps with remote debugging on.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A debugger reads all memory of the program, secrets too, and changes what it does; it opens
#     ports of its own for that.
#   mend: >-
#     Set site_config.remote_debugging_enabled = false once the search is over.
#   controls:
#     cis_azure_3.0: ["9.12"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.9"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_windows_web_app" "shop" {
#           name = "shop"
#           site_config {
#             remote_debugging_enabled = true
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_windows_web_app" "shop" {
#           name = "shop"
#           site_config {
#             remote_debugging_enabled = false
#           }
#         }
package tidelock.security.azure.app_remote_debugging

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "A debugger may attach to the app: site_config.remote_debugging_enabled is true."} if {
	some rc in azure.apps
	azure.value(rc, ["site_config", 0, "remote_debugging_enabled"], false) == true
}
