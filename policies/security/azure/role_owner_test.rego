package tidelock.security.azure.role_owner_test

import data.tidelock.fixture
import data.tidelock.security.azure.role_owner

found(changes) := result if {
	result := role_owner.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

subscription := "/subscriptions/00000000-0000-0000-0000-000000000000"

assignment(after) := fixture.create("azurerm_role_assignment", after)

test_wide_roles_are_denied if {
	messages([assignment({"scope": subscription, "role_definition_name": "Owner"})]) == {"The role Owner is given for a subscription."}
	messages([assignment({"scope": "/providers/Microsoft.Management/managementGroups/acme", "role_definition_name": "User Access Administrator"})]) == {"The role User Access Administrator is given for a management group."}
	count(found([assignment({"scope": "/", "role_definition_name": "Owner"})])) == 1
}

test_roles_by_id_are_denied if {
	id := sprintf("%s/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", [subscription])
	count(found([assignment({"scope": subscription, "role_definition_id": id})])) == 1
	count(found([fixture.create("azurerm_pim_active_role_assignment", {"scope": subscription, "role_definition_id": id})])) == 1
}

test_a_condition_makes_it_a_warning if {
	{f.level | some f in found([assignment({"scope": subscription, "role_definition_name": "Owner", "condition": "a"})])} == {"advisory"}
}

test_narrow_ones_pass if {
	count(found([
		assignment({"scope": sprintf("%s/resourceGroups/shop", [subscription]), "role_definition_name": "Owner"}),
		assignment({"scope": subscription, "role_definition_name": "Reader"}),
		fixture.with_unknown(assignment({"role_definition_name": "Owner"}), {"scope": true}),
	])) == 0
}
