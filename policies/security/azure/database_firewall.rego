# METADATA
# scope: package
# title: Database firewall open to the internet (Azure)
# description: >-
#   Denies firewall rules of databases and Redis that let the internet in, and points out those
#   that let all of Azure in.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     With such a rule anyone may try passwords against the database. The rule from 0.0.0.0 to
#     0.0.0.0 stands for every machine in Azure, those of strangers too.
#   mend: >-
#     Name the addresses that need access, or take the database off the public network and use a
#     private endpoint.
#   controls:
#     cis_azure_3.0: ["5.1.2", "5.2.5"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mssql_firewall_rule" "all" {
#           name             = "all"
#           start_ip_address = "0.0.0.0"
#           end_ip_address   = "255.255.255.255"
#         }
#     good:
#       hcl: |
#         resource "azurerm_mssql_firewall_rule" "office" {
#           name             = "office"
#           start_ip_address = "198.51.100.8"
#           end_ip_address   = "198.51.100.15"
#         }
package tidelock.security.azure.database_firewall

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some [rc, start, end] in ranges
	azure.address_number(end) - azure.address_number(start) >= wide
	message := sprintf("The internet may reach the database: the rule goes from %s to %s.", [start, end])
}

deny contains {"address": rc.address, "msg": "Every machine in Azure may reach the database, other customers' too: the rule goes from 0.0.0.0 to 0.0.0.0.", "level": "advisory"} if {
	some [rc, "0.0.0.0", "0.0.0.0"] in ranges
}

# No private network has more addresses than 10.0.0.0/8, so that a wider range is
# the internet.
wide := 16777216

ranges := [[rc, start, end] |
	some rc in azure.of({
		"azurerm_mssql_firewall_rule", "azurerm_sql_firewall_rule", "azurerm_postgresql_firewall_rule",
		"azurerm_postgresql_flexible_server_firewall_rule", "azurerm_mysql_firewall_rule",
		"azurerm_mysql_flexible_server_firewall_rule", "azurerm_mariadb_firewall_rule", "azurerm_synapse_firewall_rule",
		"azurerm_cosmosdb_postgresql_firewall_rule", "azurerm_mongo_cluster_firewall_rule", "azurerm_redis_firewall_rule",
	})
	start := azure.one_of(rc, [["start_ip_address"], ["start_ip"]], "")
	end := azure.one_of(rc, [["end_ip_address"], ["end_ip"]], "")
]
