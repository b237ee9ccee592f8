package tidelock.references_test

import data.tidelock.fixture
import data.tidelock.plan
import data.tidelock.references

# What Terraform writes of a resource, its block in the configuration, and of a
# call of a module.
bucket(address, after) := resource(address, "aws_s3_bucket", after, {"id": true})

guard(address, after, unknown) := resource(address, "aws_s3_bucket_public_access_block", after, unknown)

resource(address, type, after, unknown) := object.union(
	{
		"address": address,
		"mode": "managed",
		"type": type,
		"name": regex.find_all_string_submatch_n(sprintf(`%s\.([^.\[]+)`, [type]), address, 1)[0][1],
		"change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown},
	},
	within(address, type),
)

within(address, type) := {} if startswith(address, type)

within(address, type) := {"module_address": substring(address, 0, indexof(address, type) - 1)} if not startswith(address, type)

block(address, expressions) := {"address": address, "mode": "managed", "expressions": expressions}

refs(list) := {"references": list}

given(changes, root) := {"plan": {"resource_changes": changes, "configuration": {"root_module": root}}}

unknown := {"bucket": true}

# pointed gives what the first change's bucket points to.
pointed(changes, root) := found if {
	found := references.targets(changes[0], "bucket", "aws_s3_bucket") with input as given(changes, root)
}

test_by_literal_name if {
	guarded := guard("aws_s3_bucket_public_access_block.a", {"bucket": "logs"}, {})
	changes := [guarded, bucket("aws_s3_bucket.a", {"bucket": "logs"}), bucket("module.m.aws_s3_bucket.b", {"bucket": "data"})]
	pointed(changes, {}) == {"aws_s3_bucket.a"}
	found := references.targets(guarded, "bucket", "aws_s3_bucket") with input as {"resource_changes": changes}
	found == {"aws_s3_bucket.a"}
}

test_by_literal_names_in_a_list if {
	changes := [
		resource("aws_lb.a", "aws_lb", {"subnets": ["subnet-1", "subnet-2", null]}, {}),
		resource("aws_subnet.a", "aws_subnet", {"id": "subnet-1"}, {}),
		resource("aws_subnet.b", "aws_subnet", {"id": "subnet-2"}, {}),
		resource("aws_subnet.c", "aws_subnet", {"id": "subnet-3"}, {}),
	]
	found := references.targets(changes[0], "subnets", "aws_subnet") with input as given(changes, {})
	found == {"aws_subnet.a", "aws_subnet.b"}
}

test_what_goes_is_no_target if {
	gone := fixture.remove("aws_s3_bucket", {"bucket": "logs"})
	pointed([guard("aws_s3_bucket_public_access_block.a", {"bucket": "logs"}, {}), gone], {}) == set()
}

test_what_stays_is_a_target if {
	stays := fixture.noop("aws_s3_bucket", {"bucket": "logs"})
	pointed([guard("aws_s3_bucket_public_access_block.a", {"bucket": "logs"}, {}), stays], {}) == {"aws_s3_bucket.x"}
}

two := [bucket("aws_s3_bucket.a", {}), bucket("aws_s3_bucket.b", {})]

one_guard := guard("aws_s3_bucket_public_access_block.g", {}, unknown)

guard_block(list) := {"resources": [block("aws_s3_bucket_public_access_block.g", {"bucket": refs(list)})]}

test_by_reference if {
	pointed(array.concat([one_guard], two), guard_block(["aws_s3_bucket.a.id", "aws_s3_bucket.a"])) == {"aws_s3_bucket.a"}
}

test_a_name_that_begins_with_another if {
	changes := [one_guard, bucket("aws_s3_bucket.a", {}), bucket("aws_s3_bucket.ab", {})]
	pointed(changes, guard_block(["aws_s3_bucket.ab.id", "aws_s3_bucket.ab"])) == {"aws_s3_bucket.ab"}
	pointed(changes, guard_block(["aws_s3_bucket.a.id", "aws_s3_bucket.a", "aws_s3_bucket.ab.id", "aws_s3_bucket.ab"])) == {"aws_s3_bucket.a", "aws_s3_bucket.ab"}
}

test_the_name_chooses_among_what_is_referred_to if {
	changes := [
		guard("aws_s3_bucket_public_access_block.g", {"bucket": "b"}, {}),
		bucket(`aws_s3_bucket.all["a"]`, {"bucket": "a"}),
		bucket(`aws_s3_bucket.all["b"]`, {"bucket": "b"}),
	]
	pointed(changes, guard_block(["aws_s3_bucket.all"])) == {`aws_s3_bucket.all["b"]`}
}

test_a_known_value_that_names_nothing if {
	changes := [guard("aws_s3_bucket_public_access_block.g", {"bucket": "elsewhere"}, {}), two[0]]
	pointed(changes, guard_block(["aws_s3_bucket.a.id", "aws_s3_bucket.a"])) == {"aws_s3_bucket.a"}
	pointed(changes, guard_block(["local.name"])) == set()
	pointed(changes, guard_block(["var.name"])) == set()
	pointed(changes, {"resources": [block("aws_s3_bucket_public_access_block.g", {"bucket": {"constant_value": "elsewhere"}})]}) == set()
}

test_by_index if {
	many := [bucket("aws_s3_bucket.all[0]", {}), bucket("aws_s3_bucket.all[1]", {})]
	pointed(array.concat([one_guard], many), guard_block(["aws_s3_bucket.all[1].id", "aws_s3_bucket.all[1]", "aws_s3_bucket.all"])) == {"aws_s3_bucket.all[1]"}
	pointed(array.concat([one_guard], many), guard_block(["aws_s3_bucket.all"])) == {"aws_s3_bucket.all[0]", "aws_s3_bucket.all[1]"}
	pointed(array.concat([one_guard], many), guard_block(["aws_s3_bucket.all[7].id", "aws_s3_bucket.all[7]", "aws_s3_bucket.all"])) == set()
}

test_by_count if {
	many := [bucket("aws_s3_bucket.all[0]", {}), bucket("aws_s3_bucket.all[1]", {})]
	second := guard("aws_s3_bucket_public_access_block.g[1]", {}, unknown)
	pointed(array.concat([second], many), guard_block(["aws_s3_bucket.all", "count.index"])) == {"aws_s3_bucket.all[1]"}
	named := guard(`aws_s3_bucket_public_access_block.g["1"]`, {}, unknown)
	pointed(array.concat([named], many), guard_block(["aws_s3_bucket.all", "each.key"])) == {"aws_s3_bucket.all[1]"}
}

test_by_for_each if {
	many := [bucket(`aws_s3_bucket.all["a.b"]`, {}), bucket(`aws_s3_bucket.all["c"]`, {})]
	first := guard(`aws_s3_bucket_public_access_block.g["a.b"]`, {}, unknown)
	pointed(array.concat([first], many), guard_block(["aws_s3_bucket.all", "each.key"])) == {`aws_s3_bucket.all["a.b"]`}
	root := {"resources": [object.union(block("aws_s3_bucket_public_access_block.g", {"bucket": refs(["each.value.id", "each.value"])}), {"for_each_expression": refs(["aws_s3_bucket.all"])})]}
	pointed(array.concat([first], many), root) == {`aws_s3_bucket.all["a.b"]`}
}

test_in_blocks if {
	changes := [resource("aws_lambda_function.f", "aws_lambda_function", {"vpc_config": [{}]}, {}), resource("aws_subnet.s", "aws_subnet", {}, {})]
	root := {"resources": [block("aws_lambda_function.f", {"vpc_config": [{"subnet_ids": refs(["aws_subnet.s.id", "aws_subnet.s"]), "security_group_ids": {"constant_value": []}}]})]}
	found := references.targets(changes[0], "vpc_config", "aws_subnet") with input as given(changes, root)
	found == {"aws_subnet.s"}
}

test_data_sources if {
	policy := resource("aws_s3_bucket_policy.p", "aws_s3_bucket_policy", {}, {"policy": true})
	document := {"address": "data.aws_iam_policy_document.d", "mode": "data", "type": "aws_iam_policy_document", "name": "d", "change": {"actions": ["read"], "after": {}, "after_unknown": {"json": true}}}
	root := {"resources": [block("aws_s3_bucket_policy.p", {"policy": refs(["data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d"])})]}
	found := references.attached("aws_s3_bucket_policy", "policy", "data.aws_iam_policy_document") with input as given([policy, document], root)
	found == {"data.aws_iam_policy_document.d": {policy.address: policy}}
	back := references.targets(document, "statement", "aws_s3_bucket") with input as given([policy, document, two[0]], {"resources": [block("data.aws_iam_policy_document.d", {"statement": [{"resources": refs(["aws_s3_bucket.a.arn", "aws_s3_bucket.a"])}]})]})
	back == {"aws_s3_bucket.a"}
}

handing_on(list) := {"resources": [
	block("aws_s3_bucket_public_access_block.g", {"bucket": refs(list)}),
	block("aws_s3_bucket_versioning.v", {"bucket": refs(["aws_s3_bucket.a.id", "aws_s3_bucket.a"])}),
	block("aws_s3_bucket_versioning.w", {"bucket": refs(["aws_s3_bucket.all"])}),
]}

test_through_another_resource if {
	pointed(array.concat([one_guard], two), handing_on(["aws_s3_bucket_versioning.v.bucket", "aws_s3_bucket_versioning.v"])) == {"aws_s3_bucket.a"}
	many := [bucket("aws_s3_bucket.all[0]", {}), bucket("aws_s3_bucket.all[1]", {})]
	pointed(array.concat([one_guard], many), handing_on(["aws_s3_bucket_versioning.w[1].bucket", "aws_s3_bucket_versioning.w[1]", "aws_s3_bucket_versioning.w"])) == {"aws_s3_bucket.all[1]"}
}

test_a_local_means_all_of_its_module if {
	elsewhere := bucket("module.m.aws_s3_bucket.c", {})
	pointed(array.concat([one_guard, elsewhere], two), guard_block(["local.bucket"])) == {"aws_s3_bucket.a", "aws_s3_bucket.b"}
}

test_unclear if {
	references.unclear(one_guard, "bucket") with input as given([one_guard], guard_block(["local.bucket"]))
	references.unclear(one_guard, "bucket") with input as given([one_guard], {})
	not references.unclear(one_guard, "bucket") with input as given([one_guard], guard_block(["aws_s3_bucket.a.id", "aws_s3_bucket.a"]))
	known := guard("aws_s3_bucket_public_access_block.g", {"bucket": "a"}, {})
	not references.unclear(known, "bucket") with input as given([known], guard_block(["local.bucket"]))
}

# A root module that makes buckets in one module and guards them in another.
calls(bucket_module, guard_module) := {"module_calls": {
	"buckets": object.union({"module": {
		"resources": [block("aws_s3_bucket.this", {})],
		"outputs": {"id": {"expression": refs(["aws_s3_bucket.this.id", "aws_s3_bucket.this"])}},
	}}, bucket_module),
	"guard": object.union({"module": {"resources": [block("aws_s3_bucket_public_access_block.g", {"bucket": refs(["var.bucket"])})]}}, guard_module),
}}

test_through_modules if {
	changes := [guard("module.guard.aws_s3_bucket_public_access_block.g", {}, unknown), bucket("module.buckets.aws_s3_bucket.this", {}), bucket("aws_s3_bucket.this", {})]
	root := calls({}, {"expressions": {"bucket": refs(["module.buckets.id", "module.buckets"])}})
	pointed(changes, root) == {"module.buckets.aws_s3_bucket.this"}
}

test_through_a_module_by_key if {
	pair := [bucket(`module.buckets["a.x"].aws_s3_bucket.this`, {}), bucket(`module.buckets["b"].aws_s3_bucket.this`, {})]
	by_name := calls({}, {"expressions": {"bucket": refs([`module.buckets["b"].id`, `module.buckets["b"]`, "module.buckets"])}})
	pointed(array.concat([guard("module.guard.aws_s3_bucket_public_access_block.g", {}, unknown)], pair), by_name) == {`module.buckets["b"].aws_s3_bucket.this`}
	first := guard(`module.guard["a.x"].aws_s3_bucket_public_access_block.g`, {}, unknown)
	by_key := calls({}, {"expressions": {"bucket": refs(["module.buckets", "each.key"])}})
	pointed(array.concat([first], pair), by_key) == {`module.buckets["a.x"].aws_s3_bucket.this`}
	by_value := calls({}, {"expressions": {"bucket": refs(["each.value.id", "each.value"])}, "for_each_expression": refs(["module.buckets"])})
	pointed(array.concat([first], pair), by_value) == {`module.buckets["a.x"].aws_s3_bucket.this`}
}

test_each_instance_of_a_module_keeps_to_itself if {
	root := {"module_calls": {"m": {"module": {"resources": [
		block("aws_s3_bucket.b", {}),
		block("aws_s3_bucket_public_access_block.g", {"bucket": refs(["aws_s3_bucket.b.id", "aws_s3_bucket.b"])}),
	]}}}}
	changes := [guard("module.m[1].aws_s3_bucket_public_access_block.g", {}, unknown), bucket("module.m[0].aws_s3_bucket.b", {}), bucket("module.m[1].aws_s3_bucket.b", {})]
	pointed(changes, root) == {"module.m[1].aws_s3_bucket.b"}
}

test_siblings_within_an_instance if {
	inner := calls({}, {"expressions": {"bucket": refs(["module.buckets.id", "module.buckets"])}})
	root := {"module_calls": {"m": {"module": inner}}}
	changes := [
		guard("module.m[1].module.guard.aws_s3_bucket_public_access_block.g", {}, unknown),
		bucket("module.m[0].module.buckets.aws_s3_bucket.this", {}),
		bucket("module.m[1].module.buckets.aws_s3_bucket.this", {}),
		bucket("module.buckets.aws_s3_bucket.this", {}),
	]
	pointed(changes, root) == {"module.m[1].module.buckets.aws_s3_bucket.this"}
}

test_a_root_resource_from_within_a_module if {
	root := {"module_calls": {"m": {
		"expressions": {"bucket": refs(["aws_s3_bucket.a.id", "aws_s3_bucket.a"])},
		"module": {"resources": [block("aws_s3_bucket_public_access_block.g", {"bucket": refs(["var.bucket.name", "var.bucket"])})]},
	}}}
	changes := array.concat([guard("module.m[0].aws_s3_bucket_public_access_block.g", {}, unknown)], two)
	pointed(changes, root) == {"aws_s3_bucket.a"}
}

test_attached_on_both_sides_of_what_stays if {
	changes := array.concat([one_guard], two)
	found := references.attached("aws_s3_bucket_public_access_block", "bucket", "aws_s3_bucket") with input as given(changes, guard_block(["aws_s3_bucket.a.id", "aws_s3_bucket.a"]))
	found == {"aws_s3_bucket.a": {one_guard.address: one_guard}}
	nothing := references.attached("aws_s3_bucket_logging", "bucket", "aws_s3_bucket") with input as given(changes, {})
	nothing == {}
}

test_no_configuration_and_no_such_type if {
	references.targets(one_guard, "bucket", "aws_s3_bucket") == set() with input as given([one_guard], {})
	plan.of("data.aws_vpc") == [] with input as given([one_guard], {})
}

test_a_bare_plan if {
	plan_itself := given(array.concat([one_guard], two), guard_block(["aws_s3_bucket.b.id", "aws_s3_bucket.b"])).plan
	references.targets(one_guard, "bucket", "aws_s3_bucket") == {"aws_s3_bucket.b"} with input as plan_itself
}

test_two_instances_by_index if {
	three := [bucket(sprintf("aws_s3_bucket.all[%d]", [i]), {}) | some i in [0, 1, 2]]
	list := ["aws_s3_bucket.all[0].id", "aws_s3_bucket.all[0]", "aws_s3_bucket.all", "aws_s3_bucket.all[2].id", "aws_s3_bucket.all[2]"]
	pointed(array.concat([one_guard], three), guard_block(list)) == {"aws_s3_bucket.all[0]", "aws_s3_bucket.all[2]"}
}
