# METADATA
# scope: package
# title: Web app without HTTP logs (Azure)
# description: Finds web apps that keep no log of requests.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without them nobody can tell afterwards who asked for what, when an app was attacked.
#   mend: >-
#     Give logs an http_logs block, or send AppServiceHTTPLogs to Log Analytics with an
#     azurerm_monitor_diagnostic_setting.
#   controls:
#     cis_azure_3.0: ["6.1.6"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           logs {
#             detailed_error_messages = true
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           logs {
#             http_logs {
#               file_system {
#                 retention_in_days = 30
#                 retention_in_mb   = 35
#               }
#             }
#           }
#         }
package tidelock.security.azure.app_logs

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "No log of requests is kept: there is neither logs.http_logs nor a diagnostic setting."} if {
	some rc in azure.web_apps
	count(azure.value(rc, ["logs", 0, "http_logs"], [])) == 0
	not azure.logged(rc)
}
