package tidelock.security.aws.iam_access_key_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_access_key

found(changes) := result if {
	result := iam_access_key.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_keys_and_passwords if {
	messages([fixture.create("aws_iam_access_key", {"user": "ci"})]) == {"The user ci gets an access key that never ends, and the state holds it in plain text."}
	messages([fixture.create("aws_iam_access_key", {"user": "ci", "status": "Active", "pgp_key": "keybase:acme"})]) == {"The user ci gets an access key that never ends."}
	messages([fixture.create("aws_iam_user_login_profile", {"user": "ada", "pgp_key": "keybase:acme"})]) == {"The user ada gets a password for the console."}
}

test_inactive_keys_pass if {
	count(found([fixture.update("aws_iam_access_key", {"user": "ci", "status": "Inactive"})])) == 0
}
