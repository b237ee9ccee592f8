package tidelock.security.azure.databricks_public_nodes_test

import data.tidelock.fixture
import data.tidelock.security.azure.databricks_public_nodes

found(changes) := result if {
	result := databricks_public_nodes.deny with input as fixture.input_of(changes)
}

workspace(after) := fixture.create("azurerm_databricks_workspace", after)

test_public_addresses_are_found if {
	count(found([workspace({"custom_parameters": [{"no_public_ip": false}]})])) == 1
}

test_others_pass if {
	count(found([workspace({"custom_parameters": [{"no_public_ip": true}]}), workspace({})])) == 0
}
