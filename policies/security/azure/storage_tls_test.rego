package tidelock.security.azure.storage_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_tls

found(changes) := result if {
	result := storage_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

account(after) := fixture.create("azurerm_storage_account", after)

test_old_versions_are_found if {
	messages([account({"min_tls_version": "TLS1_0"})]) == {`Old TLS is accepted: min_tls_version is "TLS1_0".`}
	count(found([account({"min_tls_version": "TLS1_1"})])) == 1
}

test_others_pass if {
	count(found([account({"min_tls_version": "TLS1_2"}), account({})])) == 0
}
