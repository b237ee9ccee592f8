package tidelock.security.google.log_retention_test

import data.tidelock.fixture
import data.tidelock.security.google.log_retention

found(changes) := result if {
	result := log_retention.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket(fields) := fixture.create("google_logging_folder_bucket_config", fields)

test_short_retention_is_found if {
	messages([bucket({"retention_days": 7})]) == {"Logs are kept for 7 days."}
	messages([bucket({})]) == {"Logs are kept for 30 days."}
}

test_long_retention_passes if {
	count(found([bucket({"retention_days": 90}), fixture.with_unknown(bucket({}), {"retention_days": true})])) == 0
}
