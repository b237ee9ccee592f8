package tidelock.security.azure.aks_network_policy_test

import data.tidelock.fixture
import data.tidelock.security.azure.aks_network_policy

found(changes) := result if {
	result := aks_network_policy.deny with input as fixture.input_of(changes)
}

cluster(profile) := fixture.create("azurerm_kubernetes_cluster", {"network_profile": profile})

test_clusters_without_policy_are_found if {
	count(found([cluster([{"network_plugin": "azure"}])])) == 1
	count(found([fixture.with_unknown(cluster([{"network_plugin": "azure"}]), {"network_profile": [{"network_policy": true}]})])) == 1
	count(found([fixture.with_unknown(fixture.create("azurerm_kubernetes_cluster", {}), {"network_profile": true})])) == 1
}

test_others_pass if {
	count(found([
		cluster([{"network_plugin": "azure", "network_policy": "cilium"}]),
		cluster([{"network_plugin": "none"}]),
	])) == 0
}
