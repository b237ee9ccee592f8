package tidelock.security.azure.defender_free_test

import data.tidelock.fixture
import data.tidelock.security.azure.defender_free

found(changes) := result if {
	result := defender_free.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

plan_of(after) := fixture.create("azurerm_security_center_subscription_pricing", after)

test_free_plans_are_found if {
	messages([plan_of({"tier": "Free", "resource_type": "KeyVaults"})]) == {"Defender is off for KeyVaults: tier is Free."}
	messages([plan_of({"tier": "Free"})]) == {"Defender is off for VirtualMachines: tier is Free."}
}

test_others_pass if {
	count(found([plan_of({"tier": "Standard"})])) == 0
}
