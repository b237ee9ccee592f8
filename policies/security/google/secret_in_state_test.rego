package tidelock.security.google.secret_in_state_test

import data.tidelock.fixture
import data.tidelock.security.google.secret_in_state

found(changes) := result if {
	result := secret_in_state.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_values_in_state_are_found if {
	messages([fixture.create("google_secret_manager_secret_version", {"secret_data": "x"})]) == {"The value is kept in Terraform's state: use secret_data_wo in place of secret_data."}
	count(found([fixture.with_unknown(fixture.create("google_sql_user", {}), {"password": true})])) == 1
}

test_write_only_values_pass if {
	count(found([
		fixture.create("google_secret_manager_secret_version", {"secret_data": null, "secret_data_wo_version": 1}),
		fixture.create("google_sql_user", {"type": "CLOUD_IAM_USER"}),
	])) == 0
}
