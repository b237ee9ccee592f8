# METADATA
# scope: package
# title: Database server on the public network (Azure)
# description: Finds SQL, PostgreSQL, MySQL and MariaDB servers that have a public address.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Only the firewall then stands between the internet and the login: one rule too wide, or one
#     stolen password, is enough.
#   mend: >-
#     Set public_network_access_enabled = false (public_network_access = "Disabled" on MySQL) and
#     reach the server through a private endpoint or a delegated subnet.
#   controls:
#     cis_azure_3.0: ["5.1.7"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mssql_server" "main" {
#           name                          = "acme"
#           public_network_access_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_mssql_server" "main" {
#           name                          = "acme"
#           public_network_access_enabled = false
#         }
package tidelock.security.azure.database_public_network

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some type, attribute in servers
	some rc in azure.of({type})
	azure.value(rc, [attribute], true) in {true, "Enabled"}
	not azure.set(rc, ["delegated_subnet_id"])
	message := sprintf("The server has a public address: %s is not off.", [attribute])
}

# MySQL's server has had both names; Azure fills the newer one in where the
# configuration is silent, with "Enabled".
deny contains {"address": rc.address, "msg": "The server has a public address: public_network_access is not off."} if {
	some rc in azure.of({"azurerm_mysql_flexible_server"})
	azure.chosen(rc, [["public_network_access"]], "Enabled") == "Enabled"
	not azure.set(rc, ["delegated_subnet_id"])
}

deny contains {"address": rc.address, "msg": "SQL Server on the machine listens to the internet: sql_connectivity_type is PUBLIC."} if {
	some rc in azure.of({"azurerm_mssql_virtual_machine"})
	upper(azure.value(rc, ["sql_connectivity_type"], "PRIVATE")) == "PUBLIC"
}

deny contains {"address": rc.address, "msg": "The managed instance has a public endpoint: public_data_endpoint_enabled is true."} if {
	some rc in azure.of({"azurerm_mssql_managed_instance"})
	azure.value(rc, ["public_data_endpoint_enabled"], false) == true
}

servers := {type: "public_network_access_enabled" |
	some type in {
		"azurerm_mssql_server", "azurerm_postgresql_flexible_server", "azurerm_postgresql_server",
		"azurerm_mysql_server", "azurerm_mariadb_server",
	}
}
