package tidelock.security.google.gke_secret_encryption_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_secret_encryption

found(changes) := result if {
	result := gke_secret_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(encryption) := fixture.create("google_container_cluster", {"database_encryption": encryption})

test_plain_secrets_are_found if {
	messages([cluster([])]) == {"Secrets are not encrypted by a key of yours: database_encryption.state is DECRYPTED."}
	count(found([cluster([{"state": "DECRYPTED"}])])) == 1
}

test_encrypted_secrets_pass if {
	count(found([cluster([{"state": "ENCRYPTED", "key_name": "k"}]), cluster([{"state": "ALL_OBJECTS_ENCRYPTION_ENABLED"}])])) == 0
}
