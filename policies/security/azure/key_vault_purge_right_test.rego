package tidelock.security.azure.key_vault_purge_right_test

import data.tidelock.fixture
import data.tidelock.security.azure.key_vault_purge_right

found(changes) := result if {
	result := key_vault_purge_right.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(after) := fixture.create("azurerm_key_vault_access_policy", after)

test_purging_is_found if {
	messages([policy({"object_id": "a", "secret_permissions": ["Get", "Purge"], "key_permissions": ["purge"]})]) == {"a may delete for good: Purge is among the permissions for key, secret."}
	count(found([fixture.create("azurerm_key_vault", {"access_policy": [{"certificate_permissions": ["Purge"]}]})])) == 1
}

test_others_pass if {
	count(found([
		policy({"secret_permissions": ["Get"], "key_permissions": null}),
		fixture.create("azurerm_key_vault", {"access_policy": [{"secret_permissions": ["List"]}]}),
	])) == 0
}
