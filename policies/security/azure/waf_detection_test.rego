package tidelock.security.azure.waf_detection_test

import data.tidelock.fixture
import data.tidelock.security.azure.waf_detection

found(changes) := result if {
	result := waf_detection.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(settings) := fixture.create("azurerm_web_application_firewall_policy", {"policy_settings": [settings]})

test_firewalls_that_watch_are_found if {
	messages([policy({"mode": "Detection"})]) == {"Attacks are reported and not stopped: the mode is Detection."}
	count(found([fixture.create("azurerm_cdn_frontdoor_firewall_policy", {"mode": "Detection"})])) == 1
	count(found([fixture.create("azurerm_application_gateway", {"waf_configuration": [{"enabled": true, "firewall_mode": "Detection"}]})])) == 1
}

test_firewalls_that_are_off_are_found if {
	messages([policy({"enabled": false, "mode": "Prevention"})]) == {"The firewall is turned off: enabled is false."}
}

test_others_pass if {
	count(found([
		policy({"enabled": true, "mode": "Prevention"}),
		fixture.create("azurerm_web_application_firewall_policy", {"policy_settings": []}),
		fixture.create("azurerm_application_gateway", {}),
	])) == 0
}
