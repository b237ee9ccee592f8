package tidelock.security.azure.database_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.database_tls

found(changes) := result if {
	result := database_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

postgres(name, value) := fixture.create("azurerm_postgresql_flexible_server_configuration", {"name": name, "value": value})

mysql(name, value) := fixture.create("azurerm_mysql_flexible_server_configuration", {"name": name, "value": value})

test_old_versions_are_found if {
	messages([fixture.create("azurerm_mssql_server", {"minimum_tls_version": "1.0"})]) == {`Old TLS is accepted: minimum_tls_version is "1.0".`}
	count(found([fixture.create("azurerm_mssql_server", {"minimum_tls_version": "Disabled"})])) == 1
	count(found([fixture.create("azurerm_mssql_managed_instance", {"minimum_tls_version": "1.1"})])) == 1
	count(found([fixture.create("azurerm_mysql_server", {"ssl_enforcement_enabled": true, "ssl_minimal_tls_version_enforced": "TLS1_0"})])) == 1
	count(found([fixture.create("azurerm_cosmosdb_account", {"minimal_tls_version": "Tls11"})])) == 1
	messages([mysql("tls_version", "TLSv1.2,TLSv1.1")]) == {`Old TLS is accepted: tls_version is "TLSv1.2,TLSv1.1".`}
	count(found([postgres("ssl_min_protocol_version", "TLSv1")])) == 1
}

test_clear_text_is_found if {
	messages([postgres("require_secure_transport", "off")]) == {"Connections in clear text are accepted: require_secure_transport is off."}
	count(found([mysql("require_secure_transport", "OFF")])) == 1
	messages([fixture.create("azurerm_mysql_server", {"ssl_enforcement_enabled": false})]) == {"Connections in clear text are accepted: ssl_enforcement_enabled is false."}
}

test_others_pass if {
	count(found([
		fixture.create("azurerm_mssql_server", {"minimum_tls_version": "1.2"}),
		fixture.create("azurerm_mssql_server", {}),
		fixture.create("azurerm_postgresql_server", {"ssl_enforcement_enabled": true, "ssl_minimal_tls_version_enforced": "TLS1_2"}),
		mysql("tls_version", "TLSv1.2,TLSv1.3"),
		postgres("require_secure_transport", "on"),
		postgres("log_checkpoints", "off"),
	])) == 0
}
