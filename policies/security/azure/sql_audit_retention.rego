# METADATA
# scope: package
# title: SQL audit that is off or short (Azure)
# description: >-
#   Finds auditing policies of SQL servers and databases that are turned off or keep less than 90
#   days.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A break-in is often noticed after months. What was audited must still be there by then.
#   mend: >-
#     Leave enabled at true, and set retention_in_days to more than 90, or to 0 to keep
#     everything.
#   controls:
#     cis_azure_3.0: ["5.1.1", "5.1.6"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mssql_server_extended_auditing_policy" "main" {
#           server_id         = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Sql/servers/acme"
#           retention_in_days = 30
#         }
#     good:
#       hcl: |
#         resource "azurerm_mssql_server_extended_auditing_policy" "main" {
#           server_id         = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Sql/servers/acme"
#           retention_in_days = 120
#         }
package tidelock.security.azure.sql_audit_retention

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Auditing is turned off: enabled is false."} if {
	some rc in policies
	azure.value(rc, ["enabled"], true) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in policies
	azure.value(rc, ["enabled"], true) == true
	days := azure.value(rc, ["retention_in_days"], 0)
	days > 0
	days <= 90
	message := sprintf("Audits are gone after %d days: retention_in_days should be more than 90.", [days])
}

policies := azure.of({
	"azurerm_mssql_server_extended_auditing_policy", "azurerm_mssql_database_extended_auditing_policy",
})
