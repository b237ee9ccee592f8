# METADATA
# scope: package
# title: Database without Entra sign-in (Azure)
# description: >-
#   Finds SQL servers without an Entra administrator, and PostgreSQL servers that know passwords
#   only.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Passwords of the database itself are shared, stay when people leave, and know no second
#     factor.
#   mend: >-
#     Give SQL servers an azuread_administrator, best with azuread_authentication_only = true; on
#     PostgreSQL set authentication.active_directory_auth_enabled = true.
#   controls:
#     cis_azure_3.0: ["5.1.4"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.16", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mssql_server" "main" {
#           name                = "acme"
#           administrator_login = "sa-acme"
#         }
#     good:
#       hcl: |
#         resource "azurerm_mssql_server" "main" {
#           name = "acme"
#           azuread_administrator {
#             login_username = "database-admins"
#             object_id      = "00000000-0000-0000-0000-000000000001"
#           }
#         }
package tidelock.security.azure.database_entra

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Nobody may sign in with Entra: there is no azuread_administrator."} if {
	some rc in azure.of({"azurerm_mssql_server"})
	count(azure.value(rc, ["azuread_administrator"], [])) == 0
}

# authentication is filled in where the configuration leaves it out, with
# passwords alone.
deny contains {"address": rc.address, "msg": "Nobody may sign in with Entra: authentication.active_directory_auth_enabled is false."} if {
	some rc in azure.of({"azurerm_postgresql_flexible_server"})
	azure.value(rc, ["authentication", 0, "active_directory_auth_enabled"], false) == false
	not azure.value(rc, ["create_mode"], "Default") in {"Replica", "GeoRestore", "PointInTimeRestore"}
}
