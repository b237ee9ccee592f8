package tidelock.security.google.customer_keys_test

import data.tidelock.fixture
import data.tidelock.security.google.customer_keys

found(changes) := result if {
	result := customer_keys.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_no_key_is_found if {
	messages([fixture.create("google_pubsub_topic", {"kms_key_name": null})]) == {"This google_pubsub_topic is encrypted by a key of Google's: kms_key_name names none."}
	messages([fixture.create("google_storage_bucket", {"encryption": []})]) == {"This google_storage_bucket is encrypted by a key of Google's: encryption names none."}
	count(found([fixture.create("google_compute_disk", {})])) == 1
	count(found([fixture.create("google_compute_instance", {"boot_disk": [{"initialize_params": [{"image": "debian"}]}]})])) == 1
}

test_keys_pass if {
	count(found([
		fixture.create("google_pubsub_topic", {"kms_key_name": "k"}),
		fixture.create("google_compute_disk", {"disk_encryption_key": [{"raw_key": "secret"}]}),
		fixture.create("google_compute_instance", {"boot_disk": [{"source": "disks/a"}]}),
		fixture.create("google_spanner_database", {"encryption_config": [{"kms_key_names": ["a", "b"]}]}),
		fixture.noop("google_bigquery_dataset", {}),
	])) == 0
}

test_key_that_is_made_in_the_plan_passes if {
	count(found([fixture.with_unknown(fixture.create("google_storage_bucket", {"encryption": [{}]}), {"encryption": [{"default_kms_key_name": true}]})])) == 0
}
