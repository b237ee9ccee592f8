package tidelock.security.google.resource_public_test

import data.tidelock.fixture
import data.tidelock.security.google.resource_public

found(changes) := result if {
	result := resource_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everyone_is_denied if {
	messages([fixture.create("google_secret_manager_secret_iam_member", {"role": "roles/secretmanager.secretAccessor", "member": "allAuthenticatedUsers"})]) == {"Everyone with a Google account (allAuthenticatedUsers) has roles/secretmanager.secretAccessor."}
	count(found([fixture.create("google_artifact_registry_repository_iam_binding", {"role": "roles/artifactregistry.reader", "members": ["allUsers"]})])) == 1
}

test_named_members_pass if {
	count(found([fixture.create("google_pubsub_topic_iam_member", {"role": "r", "member": "domain:example.com"})])) == 0
}

test_what_other_rules_look_at_passes if {
	count(found([
		fixture.create("google_storage_bucket_iam_member", {"role": "r", "member": "allUsers"}),
		fixture.create("google_cloud_run_v2_service_iam_member", {"role": "r", "member": "allUsers"}),
		fixture.create("google_project_iam_audit_config", {"role": "r", "member": "allUsers"}),
	])) == 0
}
