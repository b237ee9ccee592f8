package tidelock.cost_test

import data.tidelock.cost.expensive
import data.tidelock.cost.increase
import data.tidelock.cost.nonproduction
import data.tidelock.cost.oversized
import data.tidelock.cost.unknown
import data.tidelock.fixture

estimated(before, after, known) := {
	"plan": {"resource_changes": []},
	"cost": {"currency": "EUR", "before": before, "after": after, "delta": after - before, "known": known},
}

risen(given) := {f.msg | some f in found} if found := increase.deny with input as given

test_a_large_rise if {
	risen(estimated(500, 1500.5, true)) == {"The cost rises by 1001 EUR a month, to 1501; up to 1000 are free of questions."}
	risen(estimated(0, 5000, false)) == {"The cost rises by at least 5000 EUR a month, to 5000; up to 1000 are free of questions."}
}

test_a_large_share if {
	risen(estimated(400, 700, true)) == {"The cost rises by 75 % to 700 EUR a month; up to 50 % are free of questions."}
}

test_small_rises_pass if {
	every given in [estimated(10, 100, true), estimated(0, 900, true), estimated(2000, 2900, true), estimated(900, 100, true), {"plan": {}}] {
		risen(given) == set()
	}
}

test_limits_by_setting if {
	given := estimated(400, 410, true)
	count(risen(fixture.with_settings(given, "cost", {"most_increase": 5}))) == 1
	count(risen(fixture.with_settings(given, "cost", {"percent_from": 0, "most_percent": 1}))) == 1
}

test_unknown_cost if {
	given := estimated(1, 2, false)
	none := unknown.deny with input as given
	count(none) == 0
	found := unknown.deny with input as fixture.with_settings(given, "cost", {"tell_unknown": true})
	count(found) == 1
	priced := unknown.deny with input as fixture.with_settings(estimated(1, 2, true), "cost", {"tell_unknown": true})
	count(priced) == 0
	unpriced := unknown.deny with input as fixture.with_settings({"plan": {}}, "cost", {"tell_unknown": true})
	count(unpriced) == 0
}

large(changes) := {f.msg | some f in found} if found := oversized.deny with input as fixture.input_of(changes)

test_large_sizes if {
	large([
		fixture.create("aws_instance", {"instance_type": "u-6tb1.metal"}),
		fixture.create("aws_eks_node_group", {"instance_types": ["t3.large", "p5.48xlarge", null]}),
		fixture.update("aws_db_instance", {"instance_class": "db.x2iedn.large"}),
		fixture.create("azurerm_kubernetes_cluster", {"default_node_pool": [{"vm_size": "standard_m64s"}]}),
		fixture.create("google_container_node_pool", {"node_config": [{"machine_type": "n2-standard-128"}]}),
		fixture.create("aws_instance", {"instance_type": "x1e.xlarge"}),
	]) == {sprintf("The size %s is among those that are seldom needed.", [size]) |
		some size in ["u-6tb1.metal", "p5.48xlarge", "db.x2iedn.large", "standard_m64s", "n2-standard-128", "x1e.xlarge"]
	}
}

test_usual_sizes_pass if {
	large([
		fixture.create("aws_instance", {"instance_type": "m7i.4xlarge"}), fixture.create("aws_instance", {"instance_type": null}),
		fixture.create("aws_instance", {}), fixture.create("azurerm_linux_virtual_machine", {"size": "Standard_D4s_v5"}),
		fixture.create("google_compute_instance", {"machine_type": "e2-medium"}), fixture.create("google_compute_instance", {"machine_type": "n2-standard-16"}),
		fixture.create("google_sql_database_instance", {"settings": [{"tier": "db-custom-2-7680"}]}), fixture.create("google_sql_database_instance", {"settings": []}),
		fixture.remove("aws_instance", {"instance_type": "p5.48xlarge"}),
		fixture.create("aws_elasticache_cluster", {"node_type": "cache.t4g.micro"}),
	]) == set()
}

test_sizes_by_setting if {
	given := fixture.input_of([fixture.create("aws_instance", {"instance_type": "p5.48xlarge"}), fixture.create("aws_instance", {"instance_type": "t3.micro"})])
	found := oversized.deny with input as fixture.with_settings(given, "cost", {"oversized": ["t3.*"]})
	count(found) == 1
}

test_expensive_types if {
	found := expensive.deny with input as fixture.input_of([fixture.create("aws_shield_subscription", {}), fixture.create("aws_vpc", {}), fixture.update("aws_ec2_host", {})])
	{f.msg | some f in found} == {"A new aws_shield_subscription costs much from its first hour."}
	other := expensive.deny with input as fixture.with_settings(fixture.input_of([fixture.create("aws_vpc", {})]), "cost", {"expensive_types": ["aws_v*"]})
	count(other) == 1
}

in_environment(environment, changes) := object.union(fixture.input_of(changes), {"project": {"environment": environment}})

doubled := [
	fixture.create("aws_db_instance", {"multi_az": true}),
	fixture.create("azurerm_postgresql_flexible_server", {"high_availability": [{"mode": "ZoneRedundant"}]}),
	fixture.create("google_sql_database_instance", {"settings": [{"availability_type": "REGIONAL"}]}),
]

gateway(name) := object.union(fixture.create("aws_nat_gateway", {}), {"address": sprintf("aws_nat_gateway.%s", [name])})

test_doubled_outside_of_production if {
	every environment in ["dev", "Development", "staging"] {
		found := nonproduction.deny with input as in_environment(environment, doubled)
		count(found) == 3
	}
	gateways := nonproduction.deny with input as in_environment("dev", [gateway("a"), gateway("b")])
	{f.msg | some f in gateways} == {"This is one of 2 NAT gateways, in the environment dev."}
	{f.address | some f in gateways} == {"aws_nat_gateway.a", "aws_nat_gateway.b"}
}

test_single_or_in_production_passes if {
	every environment in ["production", "prod", ""] {
		found := nonproduction.deny with input as in_environment(environment, doubled)
		count(found) == 0
	}
	unnamed := nonproduction.deny with input as fixture.input_of(doubled)
	count(unnamed) == 0
	single := nonproduction.deny with input as in_environment("dev", [
		gateway("a"), fixture.create("aws_db_instance", {"multi_az": false}), fixture.create("google_sql_database_instance", {"settings": [{"availability_type": "ZONAL"}]}),
		fixture.create("azurerm_postgresql_flexible_server", {"high_availability": []}),
	])
	count(single) == 0
}

test_environments_by_setting if {
	found := nonproduction.deny with input as fixture.with_settings(in_environment("lab", doubled), "cost", {"nonproduction": ["lab"]})
	count(found) == 3
}

test_patterns_that_cannot_be_read_are_told if {
	given := fixture.with_settings(in_environment("dev", []), "cost", {"oversized": ["["], "expensive_types": ["["], "nonproduction": ["["]})
	count(oversized.deny) == 1 with input as given
	count(expensive.deny) == 1 with input as given
	count(nonproduction.deny) == 1 with input as given
}
