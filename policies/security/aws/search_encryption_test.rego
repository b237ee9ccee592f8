package tidelock.security.aws.search_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.search_encryption

found(changes) := result if {
	result := search_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_plain if {
	messages([fixture.create("aws_opensearch_domain", {})]) == {"Encryption at rest is off.", "Encryption between nodes is off.", "Enforcing HTTPS is off."}
	old := fixture.create("aws_elasticsearch_domain", {"encrypt_at_rest": [{"enabled": true}], "node_to_node_encryption": [{"enabled": true}], "domain_endpoint_options": [{"enforce_https": true}]})
	messages([old]) == {"TLS 1.0 is accepted."}
}

test_encrypted if {
	count(found([fixture.create("aws_opensearch_domain", {
		"encrypt_at_rest": [{"enabled": true}],
		"node_to_node_encryption": [{"enabled": true}],
		"domain_endpoint_options": [{"enforce_https": true, "tls_security_policy": "Policy-Min-TLS-1-2-2019-07"}],
	})])) == 0
}
