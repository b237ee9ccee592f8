package tidelock.security.google.dns_security_test

import data.tidelock.fixture
import data.tidelock.security.google.dns_security

found(changes) := result if {
	result := dns_security.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

zone(fields) := fixture.create("google_dns_managed_zone", fields)

test_unsigned_is_found if {
	messages([zone({})]) == {"This zone's answers are not signed: dnssec_config.state is off."}
	count(found([zone({"visibility": "public", "dnssec_config": [{"state": "off"}]})])) == 1
}

test_sha1_is_found if {
	messages([zone({"dnssec_config": [{"state": "on", "default_key_specs": [{"key_type": "keySigning", "algorithm": "rsasha1"}, {"key_type": "zoneSigning", "algorithm": "rsasha256"}]}]})]) == {"This zone is signed with SHA-1: the keySigning key's algorithm is rsasha1."}
}

test_signed_and_private_zones_pass if {
	count(found([
		zone({"dnssec_config": [{"state": "on"}]}),
		zone({"visibility": "private"}),
	])) == 0
}
