package tidelock.security.aws.cloudfront_tls_test

import data.tidelock.fixture
import data.tidelock.security.aws.cloudfront_tls

found(changes) := result if {
	result := cloudfront_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

site(after) := fixture.create("aws_cloudfront_distribution", after)

test_plain_or_old if {
	messages([site({"ordered_cache_behavior": [{"viewer_protocol_policy": "allow-all"}]})]) == {"Plain HTTP is served: viewer_protocol_policy is allow-all."}
	messages([site({"viewer_certificate": [{"acm_certificate_arn": "a", "minimum_protocol_version": "TLSv1.1_2016"}]})]) == {"Old TLS is accepted: minimum_protocol_version is TLSv1.1_2016."}
	messages([site({"origin": [{"origin_id": "app", "custom_origin_config": [{"origin_protocol_policy": "http-only", "origin_ssl_protocols": ["TLSv1", "TLSv1.2"]}]}]})]) == {
		"The origin app is asked in plain text: origin_protocol_policy is http-only.",
		"The origin app is asked with TLSv1.",
	}
}

test_others_pass if {
	count(found([
		site({"default_cache_behavior": [{"viewer_protocol_policy": "https-only"}], "viewer_certificate": [{"cloudfront_default_certificate": true, "minimum_protocol_version": "TLSv1"}]}),
		site({"viewer_certificate": [{"minimum_protocol_version": "TLSv1.2_2021"}], "origin": [{"origin_id": "s3"}]}),
		site({"viewer_certificate": [{"minimum_protocol_version": "TLSv1.3_2025"}], "origin": [{"custom_origin_config": [{"origin_protocol_policy": "https-only", "origin_ssl_protocols": ["TLSv1.2"]}]}]}),
	])) == 0
}
