package tidelock.tagging.values_test

import data.tidelock.fixture
import data.tidelock.tagging.allowed_values
import data.tidelock.tagging.forbidden
import data.tidelock.tagging.key_case
import data.tidelock.tagging.value_patterns

bucket(tags) := fixture.create("aws_s3_bucket", {"tags": tags})

set(changes, values) := fixture.with_settings(fixture.input_of(changes), "tagging", values)

strange := [bucket({"Env": "prod", "a": "b"}), fixture.create("google_storage_bucket", {"labels": {"env": "x"}, "effective_labels": {"env": "x"}})]

test_off_without_settings if {
	given := fixture.input_of(strange)
	count(allowed_values.deny) == 0 with input as given
	count(value_patterns.deny) == 0 with input as given
	count(forbidden.deny) == 0 with input as given
	count(key_case.deny) == 0 with input as given
}

test_allowed_values if {
	found := allowed_values.deny with input as set(strange, {"allowed_values": ["env=production | staging"]})
	{f.msg | some f in found} == {`The tag Env is "prod", and may be production, staging.`, `The label env is "x", and may be production, staging.`}
	every entry in ["ENV=prod", "owner=x"] {
		none := allowed_values.deny with input as set([bucket({"Env": "prod"})], {"allowed_values": [entry]})
		count(none) == 0
	}
}

test_entries_of_one_key_all_hold if {
	found := allowed_values.deny with input as set([bucket({"env": "prod"})], {"allowed_values": ["env=prod|dev", "env=dev"]})
	count(found) == 1
}

test_value_patterns if {
	found := value_patterns.deny with input as set(strange, {"value_patterns": ["env=^p"]})
	{f.msg | some f in found} == {`The label env is "x", which does not match ^p.`}
}

test_defaults_are_judged_too if {
	rc := fixture.create("aws_s3_bucket", {"tags": {}, "tags_all": {"env": "x"}})
	found := value_patterns.deny with input as set([rc], {"value_patterns": ["env=^p"]})
	count(found) == 1
}

test_unknown_values_and_exempt_types_pass if {
	rc := fixture.with_unknown(bucket({"env": null}), {"tags": {"env": true}})
	none := value_patterns.deny with input as set([rc], {"value_patterns": ["env=^p"]})
	count(none) == 0
	exempt := value_patterns.deny with input as set(strange, {"value_patterns": ["env=^y"], "exempt_types": ["aws_s3_bucket", "google_storage_bucket"]})
	count(exempt) == 0
}

test_network_tags_are_no_labels if {
	none := forbidden.deny with input as set([fixture.create("google_compute_instance", {"tags": ["a"], "labels": null})], {"forbidden": ["*"]})
	count(none) == 0
}

test_forbidden if {
	found := forbidden.deny with input as set(strange, {"forbidden": ["ENV"]})
	{f.msg | some f in found} == {"The tag Env is forbidden.", "The label env is forbidden."}
}

test_keys_that_differ_in_case if {
	found := key_case.deny with input as fixture.input_of([
		fixture.create("aws_s3_bucket", {"tags": {"Owner": "a"}, "tags_all": {"Owner": "a", "owner": "b", "x": null}}),
		bucket({"Owner": "a", "env": "b"}),
	])
	{f.msg | some f in found} == {"The tags Owner, owner differ only in case."}
	exempt := key_case.deny with input as set([bucket({"A": "a", "a": "a"})], {"exempt_types": ["aws_s3_bucket"]})
	count(exempt) == 0
}

test_key_patterns if {
	found := key_case.deny with input as set(strange, {"key_patterns": ["^[a-z]+$"]})
	{f.msg | some f in found} == {"The key of the tag Env does not match ^[a-z]+$."}
}

test_settings_that_cannot_be_read_are_told if {
	given := set([], {"allowed_values": ["env"], "value_patterns": ["env=("], "key_patterns": ["("], "forbidden": ["["]})
	count(allowed_values.deny) == 1 with input as given
	count(value_patterns.deny) == 1 with input as given
	count(key_case.deny) == 1 with input as given
	count(forbidden.deny) == 1 with input as given
}
