# METADATA
# scope: package
# title: Database that writes no log (Azure)
# description: >-
#   Finds parameters of PostgreSQL and MySQL servers that turn off the logs an inquiry needs.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without them nobody can tell later who connected, what was tried and when the server was in
#     trouble.
#   mend: >-
#     Leave log_checkpoints, log_connections, log_disconnections and connection_throttle.enable
#     on, keep log files for more than 3 days, and on MySQL set audit_log_enabled to ON with
#     CONNECTION among audit_log_events.
#   controls:
#     cis_azure_3.0: ["5.2.2", "5.2.3", "5.2.4", "5.2.6", "5.2.7", "5.3.3", "5.3.4"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_mysql_flexible_server_configuration" "audit" {
#           name  = "audit_log_enabled"
#           value = "OFF"
#         }
#     good:
#       hcl: |
#         resource "azurerm_mysql_flexible_server_configuration" "audit" {
#           name  = "audit_log_enabled"
#           value = "ON"
#         }
package tidelock.security.azure.database_logging

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some [rc, name, value] in parameters
	name in switches
	lower(value) in {"off", "0", "false"}
	message := sprintf("The server writes less than an inquiry needs: %s is off.", [name])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, name, value] in parameters
	name in {"logfiles.retention_days", "log_retention_days"}
	to_number(value) <= 3
	message := sprintf("Log files are gone after %s days: %s should be 4 or more.", [value, name])
}

deny contains {"address": rc.address, "msg": "Connections are not in the audit log: audit_log_events is without CONNECTION."} if {
	some [rc, "audit_log_events", value] in parameters
	not contains(upper(value), "CONNECTION")
}

switches := {
	"log_checkpoints", "log_connections", "log_disconnections", "connection_throttle.enable", "connection_throttling",
	"audit_log_enabled",
}

parameters := [[rc, lower(name), value] |
	some rc in azure.of({
		"azurerm_postgresql_flexible_server_configuration", "azurerm_postgresql_configuration",
		"azurerm_mysql_flexible_server_configuration", "azurerm_mysql_configuration", "azurerm_mariadb_configuration",
	})
	name := azure.value(rc, ["name"], "")
	value := azure.value(rc, ["value"], "")
]
