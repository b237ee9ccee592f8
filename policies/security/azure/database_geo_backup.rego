# METADATA
# scope: package
# title: Database without a backup elsewhere (Azure)
# description: Finds PostgreSQL, MySQL and MariaDB servers whose backups stay in one region.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     When the region is lost, the database and its backups are lost together. On flexible servers
#     it can be chosen only when the server is made.
#   mend: >-
#     Set geo_redundant_backup_enabled = true on servers whose data must survive the loss of a
#     region.
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13", "A.8.14"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_postgresql_flexible_server" "main" {
#           name                         = "acme"
#           geo_redundant_backup_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_postgresql_flexible_server" "main" {
#           name                         = "acme"
#           geo_redundant_backup_enabled = true
#         }
package tidelock.security.azure.database_geo_backup

import data.tidelock.azure

# A replica has no backups of its own.
deny contains {"address": rc.address, "msg": "Backups stay in the server's region: geo_redundant_backup_enabled is false."} if {
	some rc in azure.of({
		"azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server", "azurerm_postgresql_server",
		"azurerm_mysql_server", "azurerm_mariadb_server",
	})
	"create" in rc.change.actions
	azure.value(rc, ["geo_redundant_backup_enabled"], false) == false
	not azure.value(rc, ["create_mode"], "Default") in {"Replica", "GeoRestore"}
}
