package tidelock.security.google.api_keys_test

import data.tidelock.fixture
import data.tidelock.security.google.api_keys

found(changes) := result if {
	result := api_keys.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

key(restrictions) := fixture.create("google_apikeys_key", {"restrictions": restrictions})

targets := {"api_targets": [{"service": "maps-backend.googleapis.com"}]}

test_unlimited_keys_are_found if {
	count(found([key([])])) == 2
	messages([key([targets])]) == {"Any program may use this key: restrictions names no sites, addresses or apps."}
	messages([key([{"server_key_restrictions": [{"allowed_ips": ["198.51.100.7"]}]}])]) == {"This key works for every API: restrictions has no api_targets."}
}

test_limited_keys_pass if {
	count(found([key([object.union(targets, {"browser_key_restrictions": [{"allowed_referrers": ["https://example.com/*"]}]})])])) == 0
}
