package tidelock.destruction_test

import data.tidelock.destruction.mass
import data.tidelock.destruction.stateful
import data.tidelock.destruction.types
import data.tidelock.fixture

db := fixture.remove("aws_db_instance", {"identifier": "orders"})

test_deleted_database_is_denied if {
	found := stateful.deny with input as fixture.input_of([db])
	{f.address | some f in found} == {"aws_db_instance.x"}
}

test_each_cloud if {
	changes := [fixture.remove(type, {}) | some type in ["aws_s3_bucket", "azurerm_storage_account", "google_sql_database_instance"]]
	found := stateful.deny with input as fixture.input_of(changes)
	count(found) == 3
}

test_either_order_of_replacement_is_denied if {
	every actions in [["delete", "create"], ["create", "delete"]] {
		found := stateful.deny with input as fixture.input_of([fixture.change("aws_db_instance", actions, {}, {})])
		count(found) == 1
		some f in found
		contains(f.msg, "created again")
	}
}

test_message_names_what_forces_the_replacement if {
	rc := object.union(fixture.replace("aws_db_instance", {}), {"change": {"replace_paths": [["engine"], ["identifier"], [0]]}})
	found := stateful.deny with input as fixture.input_of([rc])
	some f in found
	contains(f.msg, "engine, identifier can't be changed in place")
}

test_deposed_object_is_denied if {
	found := stateful.deny with input as fixture.input_of([object.union(db, {"deposed": "ab12"})])
	some f in found
	contains(f.msg, "deposed ab12")
}

test_label_allows if {
	every label in ["allow-destroy", "Allow-Destroy"] {
		found := stateful.deny with input as fixture.input_labelled([db], ["docs", label])
		count(found) == 0
	}
}

test_other_labels_do_not if {
	every labels in [[], ["docs"], ["allow-destroy-not"]] {
		found := stateful.deny with input as fixture.input_labelled([db], labels)
		count(found) == 1
	}
}

test_no_pull_request_means_no_label if {
	found := stateful.deny with input as {"plan": {"resource_changes": [db]}}
	count(found) == 1
}

test_a_conftest_plan_is_judged if {
	found := stateful.deny with input as {"resource_changes": [db]}
	count(found) == 1
}

test_what_stays_passes if {
	changes := [
		fixture.create("aws_db_instance", {}),
		fixture.update("aws_db_instance", {}),
		fixture.noop("aws_db_instance", {}),
		fixture.change("aws_db_instance", ["forget"], {}, null),
		fixture.change("aws_db_instance", ["create", "forget"], {}, {}),
		fixture.remove("aws_instance", {}),
		object.union(db, {"mode": "data"}),
	]
	found := stateful.deny with input as fixture.input_of(changes)
	count(found) == 0
}

test_label_by_setting if {
	given := fixture.with_settings(fixture.input_labelled([db], ["allow-destroy"]), "destruction", {"labels": ["danger"]})
	found := stateful.deny with input as given
	count(found) == 1
	allowed := stateful.deny with input as object.union(given, {"pull": {"labels": ["danger"]}})
	count(allowed) == 0
}

test_types_by_setting if {
	changes := [db, fixture.remove("aws_instance", {})]
	found := stateful.deny with input as fixture.with_settings(fixture.input_of(changes), "destruction", {"extra_types": ["aws_instance"], "exempt_types": ["aws_db_instance"]})
	{f.address | some f in found} == {"aws_instance.x"}
}

test_types_belong_to_their_cloud if {
	every t in types.aws { startswith(t, "aws_") }
	every t in types.azure { startswith(t, "azurerm_") }
	every t in types.google { startswith(t, "google_") }
	count(types.stateful) == (count(types.aws) + count(types.azure)) + count(types.google)
}

some_of(n, rc) := [rc | some _ in numbers.range(1, n)]

test_twenty_one_are_too_many if {
	stay := some_of(1000, fixture.noop("aws_instance", {}))
	passed := mass.deny with input as fixture.input_of(array.concat(some_of(20, fixture.remove("aws_instance", {})), stay))
	count(passed) == 0
	found := mass.deny with input as fixture.input_of(array.concat(some_of(21, fixture.remove("aws_instance", {})), stay))
	count(found) == 1
}

test_replacements_count if {
	found := mass.deny with input as fixture.input_of(some_of(21, fixture.replace("aws_instance", {})))
	count(found) == 1
}

test_more_than_half_is_too_much if {
	gone := some_of(5, fixture.remove("aws_instance", {}))
	found := mass.deny with input as fixture.input_of(array.concat(gone, some_of(4, fixture.noop("aws_instance", {}))))
	count(found) == 1
	half := mass.deny with input as fixture.input_of(array.concat(gone, some_of(5, fixture.noop("aws_instance", {}))))
	count(half) == 0
}

test_created_resources_do_not_hide_a_share if {
	gone := some_of(5, fixture.remove("aws_instance", {}))
	found := mass.deny with input as fixture.input_of(array.concat(gone, some_of(50, fixture.create("aws_instance", {}))))
	count(found) == 1
}

test_a_few_may_all_go if {
	found := mass.deny with input as fixture.input_of(some_of(4, fixture.remove("aws_instance", {})))
	count(found) == 0
}

test_label_allows_many if {
	found := mass.deny with input as fixture.input_labelled(some_of(21, fixture.remove("aws_instance", {})), ["allow-destroy"])
	count(found) == 0
}

test_limits_by_setting if {
	given := fixture.input_of(array.concat(some_of(6, fixture.remove("aws_instance", {})), some_of(4, fixture.noop("aws_instance", {}))))
	found := mass.deny with input as fixture.with_settings(given, "destruction", {"most": 100, "most_percent": 60})
	count(found) == 0
	tight := mass.deny with input as fixture.with_settings(given, "destruction", {"most": 5})
	count(tight) == 1
}
