package tidelock.security.azure.aks_azure_policy_test

import data.tidelock.fixture
import data.tidelock.security.azure.aks_azure_policy

found(changes) := result if {
	result := aks_azure_policy.deny with input as fixture.input_of(changes)
}

cluster(after) := fixture.create("azurerm_kubernetes_cluster", after)

test_clusters_without_it_are_found if {
	count(found([cluster({})])) == 1
	count(found([cluster({"azure_policy_enabled": false})])) == 1
}

test_clusters_with_it_pass if {
	count(found([cluster({"azure_policy_enabled": true})])) == 0
}
