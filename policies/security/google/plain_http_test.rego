package tidelock.security.google.plain_http_test

import data.tidelock.fixture
import data.tidelock.security.google.plain_http

found(changes) := result if {
	result := plain_http.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

proxy := fixture.create("google_compute_target_http_proxy", {"url_map": "web"})

map(fields) := fixture.create("google_compute_url_map", object.union({"name": "web"}, fields))

test_served_over_http_is_found if {
	messages([proxy, map({"default_service": "web"})]) == {"This proxy serves over HTTP: google_compute_url_map.x does not redirect to HTTPS."}
	count(found([proxy, map({"default_url_redirect": [{"https_redirect": false, "host_redirect": "example.com"}]})])) == 1
}

test_redirects_and_maps_from_elsewhere_pass if {
	count(found([proxy, map({"default_url_redirect": [{"https_redirect": true}]})])) == 0
	count(found([proxy])) == 0
	count(found([map({})])) == 0
}
