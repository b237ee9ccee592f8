package tidelock.security.aws.cognito_guests_test

import data.tidelock.fixture
import data.tidelock.security.aws.cognito_guests

found(changes) := result if {
	result := cognito_guests.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_open if {
	messages([fixture.create("aws_cognito_identity_pool", {"allow_unauthenticated_identities": true})]) == {"Guests get AWS credentials: allow_unauthenticated_identities is true."}
	messages([fixture.create("aws_cognito_user_pool", {})]) == {"Nobody can use a second factor: mfa_configuration is OFF."}
}

test_closed if {
	count(found([fixture.create("aws_cognito_identity_pool", {"allow_unauthenticated_identities": false}), fixture.create("aws_cognito_user_pool", {"mfa_configuration": "OPTIONAL"})])) == 0
}
