package tidelock.security.azure.storage_https_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_https

found(changes) := result if {
	result := storage_https.deny with input as fixture.input_of(changes)
}

account(after) := fixture.create("azurerm_storage_account", after)

test_plain_http_is_found if {
	count(found([account({"https_traffic_only_enabled": false})])) == 1
	count(found([account({"enable_https_traffic_only": false, "nfsv3_enabled": false})])) == 1
}

test_others_pass if {
	count(found([
		account({"https_traffic_only_enabled": true}),
		account({}),
		account({"https_traffic_only_enabled": false, "nfsv3_enabled": true}),
	])) == 0
}
