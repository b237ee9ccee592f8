package tidelock.security.azure.vm_extension_secret_test

import data.tidelock.fixture
import data.tidelock.security.azure.vm_extension_secret

found(changes) := result if {
	result := vm_extension_secret.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

extension(settings) := fixture.create("azurerm_virtual_machine_extension", {"settings": settings})

test_secrets_are_found if {
	messages([extension(`{"Name": "a", "Password": "correct-horse"}`)]) == {"The setting Password holds a secret in clear text: it belongs into protected_settings."}
	count(found([extension(`{"storageAccountKey":"abcdef","sasToken":"abcdef"}`)])) == 2
}

test_others_pass if {
	count(found([
		extension(`{"commandToExecute": "apt-get update", "Restart": "true", "Password": ""}`),
		extension(null),
		fixture.create("azurerm_virtual_machine_extension", {"protected_settings": `{"Password": "correct-horse"}`}),
	])) == 0
}
