package tidelock.security.azure.key_vault_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.key_vault_network

found(changes) := result if {
	result := key_vault_network.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

vault(after) := fixture.create("azurerm_key_vault", after)

test_open_vaults_are_found if {
	messages([vault({"network_acls": [{"default_action": "Allow"}]})]) == {"Every network may reach the vault: network_acls.default_action is Allow."}
	messages([fixture.with_unknown(vault({}), {"network_acls": true})]) == {"Every network may reach the vault: there is no network_acls."}
	messages([vault({"network_acls": [{"default_action": "Deny", "ip_rules": ["0.0.0.0/0"]}]})]) == {"Every network may reach the vault: 0.0.0.0/0 is among network_acls.ip_rules."}
}

test_others_pass if {
	count(found([
		vault({"network_acls": [{"default_action": "Deny", "ip_rules": ["198.51.100.0/24"]}]}),
		vault({"network_acls": [{"default_action": "Allow", "ip_rules": ["0.0.0.0/0"]}], "public_network_access_enabled": false}),
	])) == 0
}
