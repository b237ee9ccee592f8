# METADATA
# scope: package
# title: Databricks clusters with public addresses (Azure)
# description: Finds Databricks workspaces whose machines get public addresses.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Every machine that works on the data can then be reached from the internet, kept off by
#     security groups alone.
#   mend: >-
#     Set custom_parameters.no_public_ip = true.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_databricks_workspace" "main" {
#           name = "main"
#           custom_parameters {
#             no_public_ip = false
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_databricks_workspace" "main" {
#           name = "main"
#           custom_parameters {
#             no_public_ip = true
#           }
#         }
package tidelock.security.azure.databricks_public_nodes

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The machines get public addresses: custom_parameters.no_public_ip is false."} if {
	some rc in azure.of({"azurerm_databricks_workspace"})
	azure.value(rc, ["custom_parameters", 0, "no_public_ip"], true) == false
}
