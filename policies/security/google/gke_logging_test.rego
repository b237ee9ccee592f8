package tidelock.security.google.gke_logging_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_logging

found(changes) := result if {
	result := gke_logging.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(fields) := fixture.create("google_container_cluster", fields)

test_no_logs_are_found if {
	messages([cluster({"logging_service": "none"})]) == {"This cluster is not watched: logging_service is none."}
	messages([cluster({"monitoring_config": [{"enable_components": []}]})]) == {"This cluster is not watched: monitoring_config has no enable_components."}
}

test_defaults_and_logs_pass if {
	count(found([
		cluster({}),
		cluster({"logging_service": "logging.googleapis.com/kubernetes", "logging_config": [{"enable_components": ["SYSTEM_COMPONENTS"]}]}),
	])) == 0
}
