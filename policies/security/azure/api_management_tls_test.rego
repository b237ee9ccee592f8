package tidelock.security.azure.api_management_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.api_management_tls

found(changes) := result if {
	result := api_management_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

gateway(security) := fixture.create("azurerm_api_management", {"security": [security]})

test_old_protocols_are_found if {
	messages([gateway({"frontend_tls10_enabled": true})]) == {"Weak encryption is accepted: security.frontend_tls10_enabled is true."}
	count(found([gateway({"backend_ssl30_enabled": true, "triple_des_ciphers_enabled": true, "enable_backend_tls11": true})])) == 3
}

test_others_pass if {
	count(found([
		gateway({"frontend_tls10_enabled": false, "tls_rsa_with_aes128_gcm_sha256_ciphers_enabled": true}),
		fixture.create("azurerm_api_management", {}),
	])) == 0
}
