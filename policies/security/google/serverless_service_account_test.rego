package tidelock.security.google.serverless_service_account_test

import data.tidelock.fixture
import data.tidelock.security.google.serverless_service_account

found(changes) := result if {
	result := serverless_service_account.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

run(template) := fixture.create("google_cloud_run_v2_service", {"template": template})

test_default_accounts_are_found if {
	messages([run([{}])]) == {"This acts as a default service account: service_account names no other."}
	count(found([run([{"service_account": "1234-compute@developer.gserviceaccount.com"}])])) == 1
	messages([fixture.create("google_cloudfunctions_function", {"service_account_email": "acme@appspot.gserviceaccount.com"})]) == {"This acts as a default service account: service_account_email names no other."}
	count(found([fixture.create("google_cloud_run_v2_job", {})])) == 1
}

test_own_accounts_pass if {
	count(found([
		run([{"service_account": "billing@acme.iam.gserviceaccount.com"}]),
		fixture.with_unknown(run([{}]), {"template": [{"service_account": true}]}),
	])) == 0
}
