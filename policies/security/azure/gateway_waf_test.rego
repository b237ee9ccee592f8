package tidelock.security.azure.gateway_waf_test

import data.tidelock.fixture
import data.tidelock.security.azure.gateway_waf

found(changes) := result if {
	result := gateway_waf.deny with input as fixture.input_of(changes)
}

gateway(after) := fixture.create("azurerm_application_gateway", after)

test_gateways_without_firewall_are_found if {
	count(found([gateway({})])) == 1
	count(found([gateway({"waf_configuration": [{"enabled": false}]})])) == 1
}

test_gateways_with_one_pass if {
	count(found([
		gateway({"firewall_policy_id": "/policies/a"}),
		fixture.with_unknown(gateway({}), {"firewall_policy_id": true}),
		gateway({"waf_configuration": [{"enabled": true}]}),
	])) == 0
}
