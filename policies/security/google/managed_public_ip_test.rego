package tidelock.security.google.managed_public_ip_test

import data.tidelock.fixture
import data.tidelock.security.google.managed_public_ip

found(changes) := result if {
	result := managed_public_ip.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

dataproc(config) := fixture.create("google_dataproc_cluster", {"cluster_config": [{"gce_cluster_config": config}]})

test_external_addresses_are_found if {
	messages([dataproc([{"internal_ip_only": false}])]) == {"These machines have external addresses: internal_ip_only is not true."}
	count(found([dataproc([])])) == 1
	messages([fixture.create("google_dataflow_job", {"ip_configuration": "WORKER_IP_PUBLIC"})]) == {"These machines have external addresses: ip_configuration is not WORKER_IP_PRIVATE."}
	count(found([fixture.create("google_workbench_instance", {"gce_setup": [{"disable_public_ip": false}]}), fixture.create("google_notebooks_instance", {})])) == 2
}

test_private_addresses_pass if {
	count(found([
		dataproc([{"internal_ip_only": true}]),
		fixture.create("google_dataproc_cluster", {"virtual_cluster_config": [{}]}),
		fixture.create("google_workbench_instance", {"gce_setup": [{"disable_public_ip": true}]}),
		fixture.create("google_dataflow_job", {"ip_configuration": "WORKER_IP_PRIVATE"}),
	])) == 0
}
