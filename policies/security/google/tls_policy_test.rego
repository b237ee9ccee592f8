package tidelock.security.google.tls_policy_test

import data.tidelock.fixture
import data.tidelock.security.google.tls_policy

found(changes) := result if {
	result := tls_policy.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(fields) := fixture.create("google_compute_ssl_policy", fields)

test_old_versions_and_weak_ciphers_are_found if {
	messages([policy({"profile": "MODERN", "min_tls_version": "TLS_1_1"})]) == {"Clients may use old TLS: min_tls_version is TLS_1_1."}
	messages([policy({"profile": "COMPATIBLE", "min_tls_version": "TLS_1_2"})]) == {"Clients may use weak ciphers: profile is COMPATIBLE."}
	count(found([policy({})])) == 2
	messages([policy({"profile": "CUSTOM", "min_tls_version": "TLS_1_2", "custom_features": ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]})]) == {"Clients may use ciphers without forward secrecy: TLS_RSA_WITH_AES_128_CBC_SHA."}
}

test_proxy_without_a_policy_is_found if {
	count(found([fixture.create("google_compute_target_https_proxy", {})])) == 1
}

test_good_policies_pass if {
	count(found([
		policy({"profile": "MODERN", "min_tls_version": "TLS_1_2"}),
		policy({"profile": "RESTRICTED", "min_tls_version": "TLS_1_0"}),
		policy({"profile": "CUSTOM", "min_tls_version": "TLS_1_2", "custom_features": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]}),
		fixture.with_unknown(fixture.create("google_compute_target_ssl_proxy", {}), {"ssl_policy": true}),
	])) == 0
}
