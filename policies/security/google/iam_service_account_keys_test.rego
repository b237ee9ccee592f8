package tidelock.security.google.iam_service_account_keys_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_service_account_keys

found(changes) := result if {
	result := iam_service_account_keys.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_keys_are_found if {
	messages([fixture.create("google_service_account_key", {"service_account_id": "ci"})]) == {"A key that never expires is made for ci."}
	messages([fixture.create("google_service_account_key", {})]) == {"A key that never expires is made for a service account."}
}

test_accounts_pass if {
	count(found([fixture.create("google_service_account", {}), fixture.noop("google_service_account_key", {})])) == 0
}
