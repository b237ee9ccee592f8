package tidelock.security.google.storage_public_test

import data.tidelock.fixture
import data.tidelock.security.google.storage_public

found(changes) := result if {
	result := storage_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

member(who) := fixture.create("google_storage_bucket_iam_member", {"role": "roles/storage.objectViewer", "member": who})

test_grants_to_everyone_are_denied if {
	messages([member("allUsers")]) == {"Everyone on the internet (allUsers) has roles/storage.objectViewer."}
	messages([member("allAuthenticatedUsers")]) == {"Everyone with a Google account (allAuthenticatedUsers) has roles/storage.objectViewer."}
	count(found([fixture.create("google_storage_managed_folder_iam_binding", {"role": "r", "members": ["user:a@example.com", "allUsers"]})])) == 1
}

test_named_members_pass if {
	count(found([member("group:a@example.com"), member("domain:example.com"), member("projectViewer:acme"), fixture.noop("google_storage_bucket_iam_member", {"role": "r", "member": "allUsers"})])) == 0
}

test_access_controls if {
	messages([fixture.create("google_storage_default_object_access_control", {"role": "OWNER", "entity": "allUsers"})]) == {"Everyone on the internet (allUsers) is OWNER."}
	count(found([fixture.create("google_storage_bucket_access_control", {"role": "READER", "entity": "user-a@example.com"})])) == 0
}

test_lists if {
	messages([fixture.create("google_storage_bucket_acl", {"role_entity": ["OWNER:user-a@example.com", "READER:allUsers"]})]) == {"Everyone on the internet (allUsers) is READER."}
	messages([fixture.create("google_storage_bucket_acl", {"role_entity": null, "predefined_acl": "publicRead"})]) == {"The predefined_acl publicRead is for everyone."}
	messages([fixture.create("google_storage_bucket_acl", {"default_acl": "authenticatedRead"})]) == {"The default_acl authenticatedRead is for everyone."}
	count(found([fixture.create("google_storage_object_acl", {"predefined_acl": "private", "role_entity": ["OWNER:user-a@example.com"]})])) == 0
}
