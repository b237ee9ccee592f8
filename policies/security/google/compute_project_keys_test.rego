package tidelock.security.google.compute_project_keys_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_project_keys

found(changes) := result if {
	result := compute_project_keys.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

machine(metadata) := fixture.create("google_compute_instance", {"metadata": metadata})

test_project_keys_are_found if {
	count(found([machine({})])) == 1
	count(found([machine({"block-project-ssh-keys": "false"})])) == 1
	messages([fixture.create("google_compute_project_metadata", {"metadata": {"ssh-keys": "a:ssh-rsa b"}})]) == {"The metadata ssh-keys opens every machine of the project."}
	messages([fixture.create("google_compute_project_metadata_item", {"key": "sshKeys", "value": "a"})]) == {"The metadata sshKeys opens every machine of the project."}
}

test_blocked_keys_and_os_login_pass if {
	count(found([
		machine({"block-project-ssh-keys": "TRUE"}),
		object.union(machine({"enable-oslogin": "TRUE"}), {"address": "google_compute_instance.y"}),
		fixture.create("google_compute_project_metadata", {"metadata": {"a": "b"}}),
	])) == 0
}

test_metadata_that_is_not_known_yet_passes if {
	count(found([fixture.with_unknown(machine(null), {"metadata": true})])) == 0
	count(found([fixture.with_unknown(machine({}), {"metadata": {"block-project-ssh-keys": true}})])) == 0
}
