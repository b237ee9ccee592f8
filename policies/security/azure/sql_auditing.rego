# METADATA
# scope: package
# title: SQL server without auditing (Azure)
# description: Finds SQL servers for which the plan shows no auditing policy.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Without it nobody can tell later who signed in, which rows were read and what was changed.
#   mend: >-
#     Add an azurerm_mssql_server_extended_auditing_policy for the server.
#   controls:
#     cis_azure_3.0: ["5.1.1"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mssql_server" "main" {
#           name = "acme"
#         }
#     good:
#       hcl: |
#         resource "azurerm_mssql_server" "main" {
#           name = "acme"
#         }
#         resource "azurerm_mssql_server_extended_auditing_policy" "main" {
#           server_id         = azurerm_mssql_server.main.id
#           retention_in_days = 120
#         }
package tidelock.security.azure.sql_auditing

import data.tidelock.azure
import data.tidelock.references

deny contains {"address": rc.address, "msg": "Nothing is audited: the plan shows no azurerm_mssql_server_extended_auditing_policy for the server."} if {
	some rc in azure.of({"azurerm_mssql_server"})
	not attached[rc.address]
}

# Whether the policy is on and keeps enough is the rule sql_audit_retention's.
attached := references.attached("azurerm_mssql_server_extended_auditing_policy", "server_id", "azurerm_mssql_server")
