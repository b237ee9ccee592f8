# METADATA
# scope: package
# title: App that every website may use (Azure)
# description: >-
#   Finds web apps and function apps whose CORS rule lets scripts of every site call them.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A script on any page then calls the app in its visitors' name and reads the answer.
#   mend: >-
#     Name the sites in site_config.cors.allowed_origins.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.3", "A.8.26"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_function_app" "orders" {
#           name = "orders"
#           site_config {
#             cors {
#               allowed_origins = ["*"]
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_function_app" "orders" {
#           name = "orders"
#           site_config {
#             cors {
#               allowed_origins = ["https://shop.example.com"]
#             }
#           }
#         }
package tidelock.security.azure.app_cors

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Scripts of every site may call the app: site_config.cors.allowed_origins has \"*\"."} if {
	some rc in azure.apps
	"*" in azure.value(rc, ["site_config", 0, "cors", 0, "allowed_origins"], [])
}
