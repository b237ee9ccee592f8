package tidelock.security.google.iam_separation_of_duties_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_separation_of_duties

found(changes) := result if {
	result := iam_separation_of_duties.deny with input as fixture.input_of(changes)
}

member(name, project, role) := object.union(
	fixture.create("google_project_iam_member", {"project": project, "role": role, "member": "user:a@example.com"}),
	{"address": sprintf("google_project_iam_member.%s", [name])},
)

before(rc) := object.union(rc, {"change": {"actions": ["no-op"]}})

test_both_are_found if {
	found([member("a", "p", "roles/cloudkms.admin"), member("b", "p", "roles/cloudkms.cryptoKeyDecrypter")]) == {
		{"address": "google_project_iam_member.a", "msg": "user:a@example.com has both roles/cloudkms.admin and roles/cloudkms.cryptoKeyDecrypter."},
		{"address": "google_project_iam_member.b", "msg": "user:a@example.com has both roles/cloudkms.admin and roles/cloudkms.cryptoKeyDecrypter."},
	}
}

test_what_was_there_before_counts if {
	found([before(member("a", "p", "roles/iam.serviceAccountAdmin")), member("b", "p", "roles/iam.serviceAccountUser")]) == {{"address": "google_project_iam_member.b", "msg": "user:a@example.com has both roles/iam.serviceAccountAdmin and roles/iam.serviceAccountUser."}}
}

test_separate_duties_pass if {
	count(found([member("a", "p", "roles/cloudkms.admin"), member("b", "q", "roles/cloudkms.cryptoKeyDecrypter")])) == 0
	count(found([member("a", "p", "roles/cloudkms.admin"), member("b", "p", "roles/iam.serviceAccountUser")])) == 0
}
