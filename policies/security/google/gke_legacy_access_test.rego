package tidelock.security.google.gke_legacy_access_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_legacy_access

found(changes) := result if {
	result := gke_legacy_access.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(fields) := fixture.create("google_container_cluster", fields)

test_old_ways_are_found if {
	messages([cluster({"enable_legacy_abac": true})]) == {"Rights are given past RBAC: enable_legacy_abac is true."}
	messages([cluster({"master_auth": [{"client_certificate_config": [{"issue_client_certificate": true}]}]})]) == {"A client certificate is issued, which can't be taken back: issue_client_certificate is true."}
	messages([cluster({"master_auth": [{"username": "admin", "password": "p"}]})]) == {"The API takes a password: master_auth sets username."}
}

test_others_pass if {
	count(found([
		cluster({}),
		cluster({"enable_legacy_abac": false, "master_auth": [{"username": "", "client_certificate_config": [{"issue_client_certificate": false}]}]}),
	])) == 0
}
