package tidelock.security.azure.flow_logs_test

import data.tidelock.fixture
import data.tidelock.security.azure.flow_logs

found(changes) := result if {
	result := flow_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

good := {"enabled": true, "retention_policy": [{"enabled": true, "days": 90}], "traffic_analytics": [{"enabled": true}]}

log(after) := fixture.create("azurerm_network_watcher_flow_log", object.union(good, after))

test_weak_logs_are_found if {
	messages([log({"enabled": false})]) == {"The flow log is turned off: enabled is false."}
	messages([log({"retention_policy": [{"enabled": true, "days": 7}]})]) == {"Flows are gone after 7 days: retention_policy.days should be 90 or more."}
	count(found([log({"traffic_analytics": []})])) == 1
	count(found([log({"traffic_analytics": [{"enabled": false}]})])) == 1
}

test_others_pass if {
	count(found([
		log({}),
		log({"retention_policy": [{"enabled": true, "days": 0}]}),
		log({"retention_policy": [{"enabled": false, "days": 0}]}),
	])) == 0
}
