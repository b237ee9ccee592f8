package tidelock.security.google.serverless_public_test

import data.tidelock.fixture
import data.tidelock.security.google.serverless_public

found(changes) := result if {
	result := serverless_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everyone_is_found if {
	messages([fixture.create("google_cloudfunctions_function_iam_member", {"role": "roles/cloudfunctions.invoker", "member": "allUsers"})]) == {"Everyone on the internet (allUsers) has roles/cloudfunctions.invoker."}
	messages([fixture.create("google_cloud_run_v2_service", {"invoker_iam_disabled": true})]) == {"Nobody is asked who calls: invoker_iam_disabled is true."}
}

test_named_callers_pass if {
	count(found([
		fixture.create("google_cloud_run_service_iam_binding", {"role": "roles/run.invoker", "members": ["serviceAccount:a@acme.iam.gserviceaccount.com"]}),
		fixture.create("google_cloud_run_v2_service", {"invoker_iam_disabled": null}),
	])) == 0
}
