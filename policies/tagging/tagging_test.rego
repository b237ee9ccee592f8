package tidelock.tagging_test

import data.tidelock.fixture
import data.tidelock.tagging.required

found(changes) := result if {
	result := required.deny with input as fixture.input_of(changes)
}

full := {"environment": "prod", "owner": "platform"}

test_missing_tags_are_named if {
	some f in found([fixture.create("aws_s3_bucket", {"tags": {"owner": "platform"}})])
	f.msg == "This aws_s3_bucket lacks the tag environment."
}

test_untagged_on_each_cloud if {
	some aws in found([fixture.create("aws_s3_bucket", {"tags": null})])
	aws.msg == "This aws_s3_bucket lacks the tags environment, owner."
	some azure in found([fixture.create("azurerm_storage_account", {"tags": null})])
	azure.msg == "This azurerm_storage_account lacks the tags environment, owner."
	some google in found([fixture.create("google_storage_bucket", {"labels": {}})])
	google.msg == "This google_storage_bucket lacks the labels environment, owner."
	some one in found([fixture.create("google_storage_bucket", {"labels": {"owner": "a"}})])
	one.msg == "This google_storage_bucket lacks the label environment."
}

test_tagged_passes if {
	count(found([
		fixture.create("aws_s3_bucket", {"tags": full}),
		fixture.create("azurerm_storage_account", {"tags": full}),
		fixture.create("google_storage_bucket", {"labels": full}),
		fixture.create("google_container_cluster", {"resource_labels": full}),
	])) == 0
}

test_case_does_not_matter if {
	count(found([fixture.create("aws_s3_bucket", {"tags": {"Owner": "platform", "ENVIRONMENT": "prod"}})])) == 0
}

test_default_tags_count if {
	count(found([
		fixture.create("aws_s3_bucket", {"tags": {"owner": "platform"}, "tags_all": full}),
		fixture.create("google_storage_bucket", {"labels": {}, "terraform_labels": full}),
	])) == 0
}

test_empty_value_is_missing if {
	count(found([fixture.create("aws_s3_bucket", {"tags": {"owner": "", "environment": null}})])) == 1
}

test_value_known_after_apply_is_there if {
	rc := fixture.with_unknown(fixture.create("aws_s3_bucket", {"tags": {"owner": "platform"}}), {"tags": {"environment": true}})
	count(found([rc])) == 0
}

test_unknown_tags_are_a_warning_only if {
	rc := fixture.with_unknown(fixture.create("aws_s3_bucket", {}), {"tags": true})
	some f in found([rc])
	f.level == "advisory"
}

test_unknown_defaults_are_a_warning_only if {
	rc := fixture.with_unknown(fixture.create("aws_s3_bucket", {"tags": {"owner": "a"}}), {"tags_all": true})
	some f in found([rc])
	f.level == "advisory"
	contains(f.msg, "environment")
	not contains(f.msg, "owner")
}

test_tagged_passes_whatever_the_defaults if {
	rc := fixture.with_unknown(fixture.create("aws_s3_bucket", {"tags": full}), {"tags_all": true})
	count(found([rc])) == 0
}

test_updates_and_replacements_are_judged if {
	count(found([
		fixture.update("aws_s3_bucket", {"tags": null}),
		object.union(fixture.replace("aws_s3_bucket", {"tags": null}), {"address": "aws_s3_bucket.y"}),
	])) == 2
}

test_what_goes_or_stays_is_not if {
	count(found([
		fixture.remove("aws_s3_bucket", {"tags": null}),
		fixture.noop("aws_s3_bucket", {"tags": null}),
		object.union(fixture.create("aws_s3_bucket", {"tags": null}), {"mode": "data"}),
	])) == 0
}

test_what_cannot_be_tagged_is_not if {
	count(found([
		fixture.create("aws_iam_role_policy", {"policy": "{}"}),
		fixture.create("google_compute_firewall", {"name": "a"}),
		fixture.create("random_pet", {"tags": null}),
	])) == 0
}

test_network_tags_are_no_labels if {
	count(found([fixture.create("google_compute_instance", {"tags": ["owner", "environment"], "labels": {}})])) == 1
	count(found([fixture.create("google_compute_instance_template", {"tags": ["web"]})])) == 0
}

test_keys_by_setting if {
	given := fixture.input_of([fixture.create("aws_s3_bucket", {"tags": full})])
	denied := required.deny with input as fixture.with_settings(given, "tagging", {"required": ["cost-centre"]})
	{f.msg | some f in denied} == {"This aws_s3_bucket lacks the tag cost-centre."}
	none := required.deny with input as fixture.with_settings(given, "tagging", {"required": []})
	count(none) == 0
}

test_exempt_types if {
	given := fixture.input_of([fixture.create("aws_s3_bucket", {"tags": null})])
	none := required.deny with input as fixture.with_settings(given, "tagging", {"exempt_types": ["aws_s3_bucket"]})
	count(none) == 0
}
