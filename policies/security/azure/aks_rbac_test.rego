package tidelock.security.azure.aks_rbac_test

import data.tidelock.fixture
import data.tidelock.security.azure.aks_rbac

found(changes) := result if {
	result := aks_rbac.deny with input as fixture.input_of(changes)
}

cluster(after) := fixture.create("azurerm_kubernetes_cluster", after)

test_clusters_without_roles_are_denied if {
	count(found([cluster({"role_based_access_control_enabled": false})])) == 1
	count(found([cluster({"role_based_access_control": [{"enabled": false}]})])) == 1
}

test_others_pass if {
	count(found([cluster({"role_based_access_control_enabled": true}), cluster({})])) == 0
}
