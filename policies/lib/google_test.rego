package tidelock.google_test

import data.tidelock.fixture
import data.tidelock.google

bucket(fields) := fixture.create("google_storage_bucket", fields)

test_value_has_the_default_where_nothing_is_said if {
	google.value(bucket({"a": 1}), ["a"], 2) == 1
	google.value(bucket({"a": false}), ["a"], true) == false
	google.value(bucket({"a": null}), ["a"], 2) == 2
	google.value(bucket({"a": []}), ["a", 0, "b"], 2) == 2
	google.value(bucket({"a": [{"b": 3}]}), ["a", 0, "b"], 2) == 3
}

test_value_that_is_not_known_is_none if {
	not google.value(fixture.with_unknown(bucket({}), {"a": true}), ["a"], 2)
	not google.value(fixture.with_unknown(bucket({}), {"a": true}), ["a", 0, "b"], 2)
	not google.value(fixture.with_unknown(bucket({"a": [{}]}), {"a": [{"b": true}]}), ["a", 0, "b"], 2)
}

# The provider fills it in: unknown in the plan, and absent from the
# configuration, here that of a resource in a module with for_each.
configured(expressions) := {"plan": {"configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [{"address": "google_storage_bucket.x", "expressions": expressions}]}}}}}}}

inside := object.union(
	fixture.with_unknown(bucket({}), {"a": true, "b": [{"c": true}]}),
	{"address": "module.m[\"k\"].google_storage_bucket.x", "module_address": "module.m[\"k\"]"},
)

test_what_the_provider_fills_in_is_left_out if {
	google.value(inside, ["a"], 2) == 2 with input as configured({"other": {"constant_value": 1}})
	google.value(inside, ["a", 0, "b"], 2) == 2 with input as configured({})
	google.value(inside, ["b", 0, "c"], 2) == 2 with input as configured({"b": [{"d": {"constant_value": 1}}]})
}

test_what_the_configuration_sets_is_unknown if {
	not google.value(inside, ["a"], 2) with input as configured({"a": {"references": ["var.a"]}})
	not google.value(inside, ["a", 0, "b"], 2) with input as configured({"a": {"references": ["var.a"]}})
	not google.value(inside, ["a", 0, "b"], 2) with input as configured({"a": {"constant_value": []}})
	not google.value(inside, ["b", 0, "c"], 2) with input as configured({"b": [{"c": {}}]})
}

test_given if {
	google.given(bucket({"a": "b"}), ["a"])
	google.given(bucket({"a": false}), ["a"])
	google.given(fixture.with_unknown(bucket({}), {"a": true}), ["a"])
	not google.given(bucket({"a": ""}), ["a"])
	not google.given(bucket({"a": []}), ["a"])
	not google.given(bucket({}), ["a"])
}

test_blocks if {
	google.blocks(bucket({"a": [{"b": [1, 2]}]}), ["a", 0, "b"]) == [1, 2]
	google.blocks(bucket({"a": null}), ["a"]) == []
	google.blocks(bucket({}), ["a"]) == []
}

test_flags if {
	instance := fixture.create("google_sql_database_instance", {"settings": [{"database_flags": [{"name": "a", "value": "on"}]}]})
	google.flag(instance, "a", "off") == "on"
	google.flag(instance, "b", "off") == "off"
	not google.flag(fixture.with_unknown(instance, {"settings": [{"database_flags": true}]}), "b", "off")
}

test_grants_of_members_bindings_and_policies if {
	changes := [
		fixture.create("google_project_iam_member", {"role": "r1", "member": "user:a"}),
		fixture.create("google_project_iam_binding", {"role": "r2", "members": ["user:b", null]}),
		fixture.create("google_project_iam_policy", {"policy_data": "{\"bindings\":[{\"role\":\"r3\",\"members\":[\"user:c\",\"allUsers\"]}]}"}),
		fixture.create("google_folder_iam_member", {"role": "r4", "member": "user:d"}),
	]
	grants := google.grants({"google_project"}) with input as fixture.input_of(changes)
	{[g.role, g.member] | some g in grants} == {["r1", "user:a"], ["r2", "user:b"], ["r3", "user:c"], ["r3", "allUsers"]}
	public := google.public({"google_project"}) with input as fixture.input_of(changes)
	[g.who | some g in public] == ["Everyone on the internet (allUsers)"]
}

test_policy_that_is_not_known_grants_nothing if {
	changes := [fixture.create("google_project_iam_policy", {}), fixture.create("google_project_iam_policy", {"policy_data": "no JSON"})]
	google.grants({"google_project"}) == [] with input as fixture.input_of(changes)
}

test_standing_grants_are_those_that_do_not_change_too if {
	changes := [fixture.noop("google_project_iam_member", {"project": "p", "role": "r1", "member": "user:a"})]
	google.grants({"google_project"}) == [] with input as fixture.input_of(changes)
	google.standing_grants({"google_project"}) == [{"address": "google_project_iam_member.x", "subject": "google_project", "on": ["p"], "role": "r1", "member": "user:a"}] with input as fixture.input_of(changes)
}

test_agents_are_googles if {
	google.agent("serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com")
	google.agent("serviceAccount:1@cloudservices.gserviceaccount.com")
	not google.agent("serviceAccount:ci@acme.iam.gserviceaccount.com")
	not google.agent("serviceAccount:1-compute@developer.gserviceaccount.com")
	not google.agent("user:service-1@example.com")
}

test_containers if {
	google.containers.google_project == "project"
}

test_metadata if {
	changes := [
		fixture.create("google_compute_instance", {"metadata": {"k": "TRUE"}}),
		fixture.create("google_compute_instance_template", {"metadata": null}),
		fixture.create("google_compute_project_metadata_item", {"key": "k", "value": "False"}),
	]
	found := google.metadata("k") with input as fixture.input_of(changes)
	[is | some [_, is] in found] == ["true", "false"]
	google.yes("true")
	not google.yes("false")
}

test_subnets_are_those_for_machines if {
	changes := [fixture.create("google_compute_subnetwork", {"purpose": purpose}) | some purpose in [null, "PRIVATE", "REGIONAL_MANAGED_PROXY"]]
	count(google.subnets) == 2 with input as fixture.input_of(changes)
}

test_nodes_of_clusters_and_pools if {
	changes := [
		fixture.create("google_container_node_pool", {}),
		fixture.create("google_container_cluster", {"name": "a"}),
		fixture.create("google_container_cluster", {"name": "b", "remove_default_node_pool": true}),
		fixture.create("google_container_cluster", {"name": "c", "enable_autopilot": true}),
	]
	count(google.clusters) == 3 with input as fixture.input_of(changes)
	count(google.standard_clusters) == 2 with input as fixture.input_of(changes)
	count(google.node_makers) == 2 with input as fixture.input_of(changes)
}

test_pools_within_a_cluster_take_the_place_of_the_default_one if {
	changes := [fixture.create("google_container_cluster", {"node_pool": [{"name": "a"}]})]
	google.node_makers == [] with input as fixture.input_of(changes)
	google.node_makers == [] with input as written(changes, {"node_pool": [{"name": {"constant_value": "a"}}]})
	count(google.node_makers) == 1 with input as written(changes, {"name": {"constant_value": "a"}})
}

written(changes, expressions) := object.union(fixture.input_of(changes), {"plan": {"configuration": {"root_module": {"resources": [{"address": "google_container_cluster.x", "expressions": expressions}]}}}})

test_default_account if {
	google.default_account("")
	google.default_account("default")
	google.default_account("123-compute@developer.gserviceaccount.com")
	not google.default_account("app@acme.iam.gserviceaccount.com")
}
