# METADATA
# scope: package
# title: App that takes files over FTP (Azure)
# description: >-
#   Finds web apps, function apps and logic apps to which files may be sent over FTP without TLS.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     FTP sends the password of deployment in clear text; whoever has it replaces the program.
#   mend: >-
#     Set site_config.ftps_state = "Disabled", or "FtpsOnly" where it is still needed.
#   controls:
#     cis_azure_3.0: ["9.3"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           site_config {
#             ftps_state = "AllAllowed"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           site_config {
#             ftps_state = "Disabled"
#           }
#         }
package tidelock.security.azure.app_ftp

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Files are taken over FTP without TLS: site_config.ftps_state is AllAllowed."} if {
	some rc in azure.apps
	azure.value(rc, ["site_config", 0, "ftps_state"], "Disabled") == "AllAllowed"
}
