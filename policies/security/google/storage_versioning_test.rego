package tidelock.security.google.storage_versioning_test

import data.tidelock.fixture
import data.tidelock.security.google.storage_versioning

found(changes) := result if {
	result := storage_versioning.deny with input as fixture.input_of(changes)
}

bucket(fields) := fixture.create("google_storage_bucket", fields)

test_no_versions_are_found if {
	count(found([bucket({})])) == 1
	count(found([bucket({"versioning": [{"enabled": false}]})])) == 1
	count(found([bucket({"versioning": [], "retention_policy": []})])) == 1
}

test_versions_and_retention_pass if {
	count(found([
		bucket({"versioning": [{"enabled": true}]}),
		bucket({"retention_policy": [{"retention_period": 86400}]}),
	])) == 0
}
