package tidelock.security.google.storage_access_logs_test

import data.tidelock.fixture
import data.tidelock.security.google.storage_access_logs

found(changes) := result if {
	result := storage_access_logs.deny with input as fixture.input_of(changes)
}

bucket(fields) := fixture.create("google_storage_bucket", fields)

test_no_log_is_found if {
	count(found([bucket({"name": "a"})])) == 1
	count(found([bucket({"name": "a", "logging": []})])) == 1
}

test_logged_buckets_and_those_of_logs_pass if {
	count(found([
		bucket({"name": "a", "logging": [{"log_bucket": "logs"}]}),
		bucket({"name": "logs"}),
	])) == 0
}

test_log_bucket_that_has_no_name_yet_passes if {
	logged := object.union(fixture.with_unknown(bucket({"logging": [{}]}), {"logging": [{"log_bucket": true}]}), {"address": "google_storage_bucket.a", "name": "a"})
	logs := fixture.with_unknown(bucket({}), {"name": true})
	configuration := {"root_module": {"resources": [
		{"address": "google_storage_bucket.a", "expressions": {"logging": [{"log_bucket": {"references": ["google_storage_bucket.x.name", "google_storage_bucket.x"]}}]}},
		{"address": "google_storage_bucket.x", "expressions": {}},
	]}}
	result := storage_access_logs.deny with input as object.union(fixture.input_of([logged, logs]), {"plan": {"configuration": configuration}})
	count(result) == 0
}
