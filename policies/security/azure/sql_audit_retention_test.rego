package tidelock.security.azure.sql_audit_retention_test

import data.tidelock.fixture
import data.tidelock.security.azure.sql_audit_retention

found(changes) := result if {
	result := sql_audit_retention.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

server(after) := fixture.create("azurerm_mssql_server_extended_auditing_policy", after)

test_short_retention_is_found if {
	messages([server({"retention_in_days": 30})]) == {"Audits are gone after 30 days: retention_in_days should be more than 90."}
	count(found([fixture.create("azurerm_mssql_database_extended_auditing_policy", {"enabled": true, "retention_in_days": 90})])) == 1
}

test_auditing_turned_off_is_found if {
	messages([server({"enabled": false, "retention_in_days": 30})]) == {"Auditing is turned off: enabled is false."}
}

test_others_pass if {
	count(found([
		server({"retention_in_days": 91}),
		server({"retention_in_days": 0}),
		server({}),
	])) == 0
}
