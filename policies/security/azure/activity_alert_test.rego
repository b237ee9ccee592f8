package tidelock.security.azure.activity_alert_test

import data.tidelock.fixture
import data.tidelock.security.azure.activity_alert

found(changes) := result if {
	result := activity_alert.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

alert(after) := fixture.create("azurerm_monitor_activity_log_alert", after)

test_dead_alerts_are_found if {
	messages([alert({"enabled": false, "action": [{}]})]) == {"The alert is turned off: enabled is false."}
	messages([alert({"action": []})]) == {"The alert tells nobody: it has no action."}
}

test_others_pass if {
	count(found([alert({"enabled": true, "action": [{}]}), fixture.with_unknown(alert({}), {"action": true})])) == 0
}
