package tidelock.security.azure.storage_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_network

found(changes) := result if {
	result := storage_network.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

account(after) := fixture.create("azurerm_storage_account", object.union({"id": "/accounts/a"}, after))

rules(after) := fixture.noop("azurerm_storage_account_network_rules", object.union({"storage_account_id": "/accounts/a"}, after))

open := fixture.with_unknown(account({}), {"network_rules": true})

test_open_accounts_are_found if {
	messages([open]) == {"Every network may reach the account: no network rules deny by default."}
	count(found([account({"network_rules": [{"default_action": "Allow"}]})])) == 1
	count(found([open, rules({"default_action": "Allow"})])) == 1
}

test_public_ranges_are_found if {
	messages([account({"network_rules": [{"default_action": "Deny", "ip_rules": ["0.0.0.0/1"]}]})]) == {"Every network may reach the account: 0.0.0.0/1 is among ip_rules."}
	count(found([fixture.create("azurerm_storage_account_network_rules", {"default_action": "Deny", "ip_rules": ["0.0.0.0/0"]})])) == 1
}

test_closed_accounts_pass if {
	count(found([account({"network_rules": [{"default_action": "Deny", "ip_rules": ["198.51.100.0/24"]}]})])) == 0
	count(found([account({"public_network_access_enabled": false})])) == 0
	count(found([open, rules({"default_action": "Deny"})])) == 0
}

test_rules_of_another_account_do_not_help if {
	count(found([open, rules({"default_action": "Deny", "storage_account_id": "/accounts/b"})])) == 1
}
