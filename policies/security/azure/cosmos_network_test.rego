package tidelock.security.azure.cosmos_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.cosmos_network

found(changes) := result if {
	result := cosmos_network.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

account(after) := fixture.create("azurerm_cosmosdb_account", after)

test_open_accounts_are_found if {
	count(found([account({})])) == 1
	count(found([account({"ip_range_filter": ""})])) == 1
	messages([account({"ip_range_filter": ["0.0.0.0"]})]) == {"Every machine in Azure, or on the internet, may reach the account: 0.0.0.0 is in ip_range_filter."}
	count(found([account({"ip_range_filter": "198.51.100.0/24,0.0.0.0/0"})])) == 1
}

test_closed_accounts_pass if {
	count(found([
		account({"public_network_access_enabled": false}),
		account({"ip_range_filter": ["198.51.100.0/24"]}),
		account({"is_virtual_network_filter_enabled": true}),
		fixture.with_unknown(account({}), {"ip_range_filter": true}),
	])) == 0
}
