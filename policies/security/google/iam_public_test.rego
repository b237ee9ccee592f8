package tidelock.security.google.iam_public_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_public

found(changes) := result if {
	result := iam_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everyone_is_denied if {
	messages([fixture.create("google_project_iam_member", {"role": "roles/viewer", "member": "allAuthenticatedUsers"})]) == {"Everyone with a Google account (allAuthenticatedUsers) has roles/viewer."}
	count(found([fixture.create("google_service_account_iam_binding", {"role": "roles/iam.serviceAccountTokenCreator", "members": ["allUsers"]})])) == 1
	count(found([fixture.create("google_organization_iam_policy", {"policy_data": "{\"bindings\":[{\"role\":\"roles/viewer\",\"members\":[\"allUsers\"]}]}"})])) == 1
}

test_named_members_pass if {
	count(found([fixture.create("google_project_iam_member", {"role": "roles/viewer", "member": "group:a@example.com"})])) == 0
}
