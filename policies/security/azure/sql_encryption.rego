# METADATA
# scope: package
# title: SQL database that is not encrypted (Azure)
# description: Finds SQL databases whose transparent data encryption is turned off.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Files and backups of the database can be read by whoever gets hold of them. It is on by
#     default, so that somebody has turned it off.
#   mend: >-
#     Leave transparent_data_encryption_enabled at true. A database of the edition DW is encrypted
#     by its server.
#   controls:
#     cis_azure_3.0: ["5.1.5"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mssql_database" "orders" {
#           name                                = "orders"
#           transparent_data_encryption_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_mssql_database" "orders" {
#           name                                = "orders"
#           transparent_data_encryption_enabled = true
#         }
package tidelock.security.azure.sql_encryption

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The database is not encrypted: transparent_data_encryption_enabled is false."} if {
	some rc in azure.of({"azurerm_mssql_database"})
	azure.value(rc, ["transparent_data_encryption_enabled"], true) == false
	not startswith(azure.value(rc, ["sku_name"], ""), "DW")
}
