package tidelock.security.azure.aks_public_api_test

import data.tidelock.fixture
import data.tidelock.security.azure.aks_public_api

found(changes) := result if {
	result := aks_public_api.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(after) := fixture.create("azurerm_kubernetes_cluster", after)

profile(ranges) := cluster({"api_server_access_profile": [{"authorized_ip_ranges": ranges}]})

test_open_api_servers_are_found if {
	count(found([cluster({})])) == 1
	count(found([profile([])])) == 1
	count(found([fixture.with_unknown(cluster({}), {"api_server_access_profile": true, "api_server_authorized_ip_ranges": true})])) == 1
	messages([profile(["198.51.100.0/24", "0.0.0.0/0"])]) == {"Every address may reach the API server: 0.0.0.0/0 is among authorized_ip_ranges."}
}

test_closed_api_servers_pass if {
	count(found([
		cluster({"private_cluster_enabled": true}),
		profile(["198.51.100.0/24"]),
		cluster({"api_server_authorized_ip_ranges": ["198.51.100.0/24"]}),
		fixture.with_unknown(cluster({"api_server_access_profile": [{}]}), {"api_server_access_profile": [{"authorized_ip_ranges": true}]}),
	])) == 0
}
