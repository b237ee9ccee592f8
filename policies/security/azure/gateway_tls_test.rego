package tidelock.security.azure.gateway_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.gateway_tls

found(changes) := result if {
	result := gateway_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

gateway(after) := fixture.create("azurerm_application_gateway", after)

test_old_policies_are_found if {
	messages([gateway({"ssl_policy": [{"policy_name": "AppGwSslPolicy20170401"}]})]) == {`Old TLS is accepted: policy_name is "AppGwSslPolicy20170401".`}
	messages([gateway({"ssl_policy": [{"min_protocol_version": "TLSv1_0"}]})]) == {`Old TLS is accepted: min_protocol_version is "TLSv1_0".`}
	count(found([gateway({"ssl_profile": [{"ssl_policy": [{"min_protocol_version": "TLSv1_1"}]}]})])) == 1
}

test_others_pass if {
	count(found([
		gateway({"ssl_policy": [{"policy_name": "AppGwSslPolicy20220101S", "min_protocol_version": ""}]}),
		gateway({"ssl_policy": [{"policy_type": "Custom", "min_protocol_version": "TLSv1_2"}]}),
		gateway({"ssl_policy": [], "ssl_profile": null}),
	])) == 0
}
