package tidelock.security.azure.key_vault_expiry_test

import data.tidelock.fixture
import data.tidelock.security.azure.key_vault_expiry

found(changes) := result if {
	result := key_vault_expiry.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

secret(after) := fixture.create("azurerm_key_vault_secret", after)

key(after) := fixture.create("azurerm_key_vault_key", after)

test_what_never_expires_is_found if {
	messages([secret({"expiration_date": null})]) == {"The secret never expires: there is no expiration_date."}
	messages([key({"rotation_policy": []})]) == {"The key never expires: there is no expiration_date."}
}

test_what_expires_passes if {
	count(found([
		secret({"expiration_date": "2030-01-01T00:00:00Z"}),
		fixture.with_unknown(secret({}), {"expiration_date": true}),
		key({"rotation_policy": [{"expire_after": "P90D"}]}),
	])) == 0
}
