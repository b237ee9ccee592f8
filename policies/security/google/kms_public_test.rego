package tidelock.security.google.kms_public_test

import data.tidelock.fixture
import data.tidelock.security.google.kms_public

found(changes) := result if {
	result := kms_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everyone_is_denied if {
	messages([fixture.create("google_kms_key_ring_iam_binding", {"role": "roles/cloudkms.signer", "members": ["allAuthenticatedUsers"]})]) == {"Everyone with a Google account (allAuthenticatedUsers) has roles/cloudkms.signer."}
}

test_named_members_pass if {
	count(found([fixture.create("google_kms_crypto_key_iam_member", {"role": "r", "member": "serviceAccount:a@acme.iam.gserviceaccount.com"})])) == 0
}
