# METADATA
# scope: package
# title: App that answers without TLS (Azure)
# description: Finds web apps, function apps and logic apps that answer over plain HTTP.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Sessions and passwords cross the network in clear text, and whoever stands between may
#     change the answer.
#   mend: >-
#     Set https_only = true: requests over HTTP are then sent on to HTTPS.
#   controls:
#     cis_azure_3.0: ["9.1"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name       = "shop"
#           https_only = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name       = "shop"
#           https_only = true
#         }
package tidelock.security.azure.app_https

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Requests over plain HTTP are answered: https_only is not true."} if {
	some rc in azure.apps
	azure.chosen(rc, [["https_only"]], false) == false
}
