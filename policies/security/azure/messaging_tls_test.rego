package tidelock.security.azure.messaging_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.messaging_tls

found(changes) := result if {
	result := messaging_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_old_versions_are_found if {
	messages([fixture.create("azurerm_servicebus_namespace", {"minimum_tls_version": "1.0"})]) == {`Old TLS is accepted: minimum_tls_version is "1.0".`}
	count(found([fixture.create("azurerm_eventhub_namespace", {"minimum_tls_version": "1.1"})])) == 1
	count(found([fixture.create("azurerm_iothub", {"min_tls_version": "1.0"})])) == 1
}

test_others_pass if {
	count(found([fixture.create("azurerm_eventhub_namespace", {"minimum_tls_version": "1.2"}), fixture.create("azurerm_iothub", {})])) == 0
}
