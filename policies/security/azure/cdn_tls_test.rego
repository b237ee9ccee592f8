package tidelock.security.azure.cdn_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.cdn_tls

found(changes) := result if {
	result := cdn_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

route(after) := fixture.create("azurerm_cdn_frontdoor_route", after)

endpoint(after) := fixture.create("azurerm_cdn_endpoint", after)

test_plain_http_is_found if {
	count(found([route({"supported_protocols": ["Http", "Https"], "https_redirect_enabled": false})])) == 1
	messages([route({"supported_protocols": ["Https"], "forwarding_protocol": "HttpOnly"})]) == {"The origin is asked over plain HTTP: forwarding_protocol is HttpOnly."}
	count(found([endpoint({})])) == 1
}

test_old_tls_is_found if {
	messages([fixture.create("azurerm_cdn_frontdoor_custom_domain", {"tls": [{"minimum_tls_version": "TLS10"}]})]) == {`Old TLS is accepted: minimum_tls_version is "TLS10".`}
	count(found([fixture.create("azurerm_cdn_endpoint_custom_domain", {"user_managed_https": [{"tls_version": "None"}]})])) == 1
}

test_others_pass if {
	count(found([
		route({"supported_protocols": ["Http", "Https"], "https_redirect_enabled": true, "forwarding_protocol": "HttpsOnly"}),
		route({"supported_protocols": ["Https"], "https_redirect_enabled": false}),
		endpoint({"is_http_allowed": false}),
		endpoint({"is_http_allowed": true, "delivery_rule": [{"url_redirect_action": [{"protocol": "Https"}]}]}),
		fixture.create("azurerm_cdn_frontdoor_custom_domain", {"tls": [{"minimum_version": "TLS12"}]}),
	])) == 0
}
