package tidelock.security.google.serverless_ingress_test

import data.tidelock.fixture
import data.tidelock.security.google.serverless_ingress

found(changes) := result if {
	result := serverless_ingress.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

run(fields) := fixture.create("google_cloud_run_v2_service", fields)

test_open_ingress_is_found if {
	messages([run({})]) == {"Requests come in from the whole internet: ingress is INGRESS_TRAFFIC_ALL."}
	messages([fixture.create("google_cloudfunctions2_function", {"service_config": [{"ingress_settings": "ALLOW_ALL"}]})]) == {"Requests come in from the whole internet: ingress_settings is ALLOW_ALL."}
	count(found([fixture.create("google_cloud_run_service", {"metadata": []})])) == 1
	count(found([fixture.create("google_cloudfunctions_function", {"ingress_settings": "ALLOW_ALL"})])) == 1
}

test_inner_ingress_passes if {
	count(found([
		run({"ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}),
		fixture.create("google_cloud_run_service", {"metadata": [{"annotations": {"run.googleapis.com/ingress": "internal"}}]}),
		fixture.create("google_cloudfunctions_function", {"ingress_settings": "ALLOW_INTERNAL_AND_GCLB"}),
	])) == 0
}
