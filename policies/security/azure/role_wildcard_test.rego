package tidelock.security.azure.role_wildcard_test

import data.tidelock.fixture
import data.tidelock.security.azure.role_wildcard

found(changes) := result if {
	result := role_wildcard.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

role(permission) := fixture.create("azurerm_role_definition", {"permissions": [permission]})

test_every_right_is_denied if {
	messages([role({"actions": ["*"]})]) == {`The role may do everything: its actions are "*".`}
	count(found([role({"actions": ["*"], "not_actions": ["Microsoft.Authorization/*"]})])) == 1
}

test_giving_roles_is_a_warning if {
	every action in {"*/write", "Microsoft.Authorization/*", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleDefinitions/*"} {
		{f.level | some f in found([role({"actions": [action]})])} == {"advisory"}
	}
	count(found([role({"actions": ["*/write"], "not_actions": ["Microsoft.Authorization/*"]})])) == 0
}

test_others_pass if {
	count(found([
		role({"actions": ["Microsoft.Web/sites/*", "*/read", "Microsoft.Authorization/*/read"]}),
		role({"actions": null, "data_actions": ["*"]}),
		fixture.create("azurerm_role_definition", {}),
	])) == 0
}
