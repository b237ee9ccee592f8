package tidelock.security.google.storage_uniform_access_test

import data.tidelock.fixture
import data.tidelock.security.google.storage_uniform_access

found(changes) := result if {
	result := storage_uniform_access.deny with input as fixture.input_of(changes)
}

bucket(fields) := fixture.create("google_storage_bucket", fields)

test_lists_are_found if {
	count(found([bucket({"uniform_bucket_level_access": false})])) == 1
	count(found([bucket({})])) == 1
}

test_uniform_passes if {
	count(found([bucket({"uniform_bucket_level_access": true}), fixture.noop("google_storage_bucket", {})])) == 0
}

# A plan marks what the provider fills in as unknown: the configuration tells
# whether anyone set it.
planned(expressions) := found_in(object.union(
	fixture.input_of([fixture.with_unknown(bucket({}), {"uniform_bucket_level_access": true})]),
	{"plan": {"configuration": {"root_module": {"resources": [{"address": "google_storage_bucket.x", "expressions": expressions}]}}}},
))

found_in(given) := result if {
	result := storage_uniform_access.deny with input as given
}

test_what_the_provider_fills_in_is_not_set if {
	count(planned({"name": {"constant_value": "b"}})) == 1
	count(planned({"uniform_bucket_level_access": {"references": ["data.external.x.result", "data.external.x"]}})) == 0
}
