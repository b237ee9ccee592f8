package tidelock.security.azure.sql_auditing_test

import data.tidelock.fixture
import data.tidelock.security.azure.sql_auditing

found(changes) := result if {
	result := sql_auditing.deny with input as fixture.input_of(changes)
}

server := fixture.create("azurerm_mssql_server", {"id": "/servers/a"})

policy(id) := fixture.noop("azurerm_mssql_server_extended_auditing_policy", {"server_id": id})

test_servers_without_policy_are_found if {
	count(found([server])) == 1
	count(found([server, policy("/servers/b")])) == 1
}

test_servers_with_one_pass if {
	count(found([server, policy("/servers/a")])) == 0
}
