package tidelock.security.azure.aks_logging_test

import data.tidelock.fixture
import data.tidelock.security.azure.aks_logging

found(changes) := result if {
	result := aks_logging.deny with input as fixture.input_of(changes)
}

cluster(after) := fixture.create("azurerm_kubernetes_cluster", object.union({"id": "/clusters/a"}, after))

test_clusters_without_logs_are_found if {
	count(found([cluster({})])) == 1
	count(found([cluster({"oms_agent": []})])) == 1
}

test_clusters_with_logs_pass if {
	count(found([cluster({"oms_agent": [{"log_analytics_workspace_id": "/workspaces/a"}]})])) == 0
	count(found([cluster({"addon_profile": [{"oms_agent": [{"enabled": true}]}]})])) == 0
	count(found([cluster({}), fixture.create("azurerm_monitor_diagnostic_setting", {"target_resource_id": "/clusters/a"})])) == 0
}
