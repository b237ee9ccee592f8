package tidelock.security.google.iam_impersonation_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_impersonation

found(changes) := result if {
	result := iam_impersonation.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

member(role, who) := fixture.create("google_project_iam_member", {"role": role, "member": who})

test_roles_on_the_project_are_found if {
	messages([member("roles/iam.serviceAccountTokenCreator", "user:a@example.com")]) == {"user:a@example.com may act as every service account of the project: it has roles/iam.serviceAccountTokenCreator."}
}

test_others_pass if {
	count(found([
		member("roles/viewer", "user:a@example.com"),
		member("roles/iam.serviceAccountTokenCreator", "serviceAccount:service-1234@gcp-sa-pubsub.iam.gserviceaccount.com"),
		fixture.create("google_service_account_iam_member", {"role": "roles/iam.serviceAccountUser", "member": "user:a@example.com"}),
	])) == 0
}
