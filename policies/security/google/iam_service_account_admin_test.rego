package tidelock.security.google.iam_service_account_admin_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_service_account_admin

found(changes) := result if {
	result := iam_service_account_admin.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

member(role, who) := fixture.create("google_project_iam_member", {"role": role, "member": who})

test_administrators_are_found if {
	messages([member("roles/storage.admin", "serviceAccount:app@acme.iam.gserviceaccount.com")]) == {"serviceAccount:app@acme.iam.gserviceaccount.com has roles/storage.admin on the whole project."}
	count(found([member("roles/iam.securityAdmin", "serviceAccount:app@acme.iam.gserviceaccount.com")])) == 1
}

test_people_users_and_agents_pass if {
	count(found([
		member("roles/storage.admin", "group:a@example.com"),
		member("roles/storage.objectUser", "serviceAccount:app@acme.iam.gserviceaccount.com"),
		member("roles/storage.admin", "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"),
	])) == 0
}
