package tidelock.security.google.compute_shared_publicly_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_shared_publicly

found(changes) := result if {
	result := compute_shared_publicly.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everyone_is_denied if {
	messages([fixture.create("google_compute_snapshot_iam_binding", {"role": "roles/compute.storageAdmin", "members": ["allUsers"]})]) == {"Everyone on the internet (allUsers) has roles/compute.storageAdmin."}
}

test_named_members_pass if {
	count(found([fixture.create("google_compute_image_iam_member", {"role": "r", "member": "group:a@example.com"})])) == 0
}
