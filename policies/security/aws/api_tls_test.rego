package tidelock.security.aws.api_tls_test

import data.tidelock.fixture
import data.tidelock.security.aws.api_tls

found(changes) := result if {
	result := api_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_old if {
	messages([fixture.create("aws_api_gateway_domain_name", {"security_policy": "TLS_1_0"})]) == {"TLS 1.0 is accepted: security_policy is TLS_1_0."}
	count(found([fixture.create("aws_apigatewayv2_domain_name", {"domain_name_configuration": [{"security_policy": "TLS_1_0"}]})])) == 1
}

test_new if {
	count(found([fixture.create("aws_api_gateway_domain_name", {"security_policy": "TLS_1_2"}), fixture.create("aws_api_gateway_domain_name", {})])) == 0
}
