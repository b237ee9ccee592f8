package tidelock.security.google.storage_log_retention_test

import data.tidelock.fixture
import data.tidelock.security.google.storage_log_retention

found(changes) := result if {
	result := storage_log_retention.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

sink := fixture.noop("google_logging_folder_sink", {"destination": "storage.googleapis.com/logs"})

bucket(fields) := fixture.create("google_storage_bucket", object.union({"name": "logs"}, fields))

test_unlocked_is_found if {
	messages([sink, bucket({})]) == {"The logs that google_logging_folder_sink.x exports to this bucket can be deleted: it has no locked retention_policy."}
	count(found([sink, bucket({"retention_policy": [{"retention_period": 1, "is_locked": false}]})])) == 1
	count(found([sink, bucket({"retention_policy": []})])) == 1
}

test_locked_and_other_buckets_pass if {
	count(found([sink, bucket({"retention_policy": [{"retention_period": 1, "is_locked": true}]})])) == 0
	count(found([sink, bucket({"name": "other"})])) == 0
	count(found([bucket({})])) == 0
}

test_bucket_that_has_no_name_yet_is_found if {
	exports := fixture.with_unknown(fixture.create("google_logging_project_sink", {}), {"destination": true})
	logs := fixture.with_unknown(fixture.create("google_storage_bucket", {}), {"name": true})
	configuration := {"root_module": {"resources": [
		{"address": "google_logging_project_sink.x", "expressions": {"destination": {"references": ["google_storage_bucket.x.name", "google_storage_bucket.x"]}}},
		{"address": "google_storage_bucket.x", "expressions": {}},
	]}}
	result := storage_log_retention.deny with input as object.union(fixture.input_of([exports, logs]), {"plan": {"configuration": configuration}})
	count(result) == 1
}
