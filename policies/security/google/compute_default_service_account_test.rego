package tidelock.security.google.compute_default_service_account_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_default_service_account

found(changes) := result if {
	result := compute_default_service_account.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

machine(account) := fixture.create("google_compute_instance", {"service_account": account})

full := ["https://www.googleapis.com/auth/cloud-platform"]

test_default_account_is_found if {
	messages([machine([{"scopes": full}])]) == {"This machine acts as the project's default service account, with access to every API."}
	messages([machine([{"email": "1234-compute@developer.gserviceaccount.com", "scopes": ["storage-ro"]}])]) == {"This machine acts as the project's default service account, within its scopes."}
}

test_own_account_and_none_pass if {
	count(found([machine([{"email": "app@acme.iam.gserviceaccount.com", "scopes": full}]), machine([]), machine(null)])) == 0
}

test_account_that_is_made_in_the_plan_passes if {
	count(found([fixture.with_unknown(machine([{"scopes": full}]), {"service_account": [{"email": true}]})])) == 0
}
