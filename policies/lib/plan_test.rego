package tidelock.plan_test

import data.tidelock.fixture
import data.tidelock.plan

mixed := [
	fixture.create("aws_a", {}),
	fixture.update("aws_a", {}),
	fixture.noop("aws_a", {}),
	fixture.remove("aws_b", {}),
	fixture.replace("aws_c", {}),
	fixture.change("aws_c", ["create", "delete"], {}, {}),
	fixture.change("aws_d", ["forget"], {}, null),
	fixture.change("aws_e", ["create", "forget"], {}, {}),
	object.union(fixture.create("aws_data", {}), {"mode": "data"}),
]

test_made_holds_created_updated_and_replaced if {
	made := plan.made with input as fixture.input_of(mixed)
	{t: count(rcs) | some t, rcs in made} == {"aws_a": 2, "aws_c": 2, "aws_e": 1}
}

test_destroyed_holds_deleted_and_replaced_but_not_forgotten if {
	gone := plan.destroyed with input as fixture.input_of(mixed)
	{t: count(rcs) | some t, rcs in gone} == {"aws_b": 1, "aws_c": 2}
}

test_counts if {
	plan.destroy_count == 3 with input as fixture.input_of(mixed)
	plan.existing_count == 7 with input as fixture.input_of(mixed)
}

test_data_sources_are_left_out if {
	not "aws_data" in plan.types with input as fixture.input_of(mixed)
}

test_bare_plan_is_read if {
	plan.types == {"aws_a"} with input as {"resource_changes": [fixture.create("aws_a", {})]}
}

test_plan_without_changes if {
	plan.all_changes == [] with input as {"plan": {}}
	plan.made == {} with input as {"plan": {}}
}

test_masked if {
	plan.masked({"a": true}, "a")
	plan.masked({"a": [false, true]}, "a")
	not plan.masked({"a": [false]}, "a")
	not plan.masked({"a": {}}, "b")
	not plan.masked(false, "a")
}

test_null_attributes if {
	plan.list({"a": null}, "a") == []
	plan.list({}, "a") == []
	plan.text({"a": null}, "a", "otherwise") == "otherwise"
	plan.text({"a": "b"}, "a", "otherwise") == "b"
}

test_standing_holds_what_is_there_after_the_apply if {
	standing := plan.standing with input as fixture.input_of(mixed)
	{t: count(rcs) | some t, rcs in standing} == {"aws_a": 3, "aws_c": 2, "aws_e": 1}
}

test_read_later_holds_data_sources if {
	later := plan.of("data.aws_data") with input as fixture.input_of(mixed)
	count(later) == 1
	count(plan.of("aws_data")) == 0 with input as fixture.input_of(mixed)
}
