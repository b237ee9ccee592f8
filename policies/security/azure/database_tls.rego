# METADATA
# scope: package
# title: Database that accepts clear text or old TLS (Azure)
# description: Finds database servers that do not ask for TLS 1.2.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Passwords and rows cross the network in clear text, or under a protocol with known
#     weaknesses.
#   mend: >-
#     Set minimum_tls_version = "1.2" on SQL servers; on flexible servers leave
#     require_secure_transport on and tls_version at TLSv1.2 or later.
#   controls:
#     cis_azure_3.0: ["5.2.1", "5.3.1", "5.3.2"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_postgresql_flexible_server_configuration" "tls" {
#           name  = "require_secure_transport"
#           value = "off"
#         }
#     good:
#       hcl: |
#         resource "azurerm_postgresql_flexible_server_configuration" "tls" {
#           name  = "require_secure_transport"
#           value = "on"
#         }
package tidelock.security.azure.database_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({
		"azurerm_mssql_server", "azurerm_mssql_managed_instance", "azurerm_postgresql_server", "azurerm_mysql_server",
		"azurerm_mariadb_server", "azurerm_cosmosdb_account",
	})
	some attribute in {"minimum_tls_version", "ssl_minimal_tls_version_enforced", "minimal_tls_version"}
	version := azure.value(rc, [attribute], "1.2")
	azure.legacy_tls(version)
	message := sprintf("Old TLS is accepted: %s is %q.", [attribute, version])
}

deny contains {"address": rc.address, "msg": "Connections in clear text are accepted: ssl_enforcement_enabled is false."} if {
	some rc in azure.of({"azurerm_postgresql_server", "azurerm_mysql_server", "azurerm_mariadb_server"})
	azure.value(rc, ["ssl_enforcement_enabled"], true) == false
}

deny contains {"address": rc.address, "msg": "Connections in clear text are accepted: require_secure_transport is off."} if {
	some [rc, "require_secure_transport", value] in parameters
	lower(value) in {"off", "0", "false"}
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, name, value] in parameters
	name in {"tls_version", "ssl_min_protocol_version"}
	some version in split(value, ",")
	azure.legacy_tls(trim_space(version))
	message := sprintf("Old TLS is accepted: %s is %q.", [name, value])
}

parameters := [[rc, lower(name), value] |
	some rc in azure.of({"azurerm_postgresql_flexible_server_configuration", "azurerm_mysql_flexible_server_configuration"})
	name := azure.value(rc, ["name"], "")
	value := azure.value(rc, ["value"], "")
]
