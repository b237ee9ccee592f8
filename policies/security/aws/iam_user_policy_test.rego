package tidelock.security.aws.iam_user_policy_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_user_policy

found(changes) := result if {
	result := iam_user_policy.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_users if {
	messages([fixture.create("aws_iam_user_policy", {"user": "ada"})]) == {"The policy is attached to the user ada."}
	messages([fixture.create("aws_iam_policy_attachment", {"users": ["ada", "bob"], "roles": []})]) == {"The policy is attached to the user ada.", "The policy is attached to the user bob."}
	count(found([fixture.with_unknown(fixture.create("aws_iam_user_policy_attachment", {}), {"user": true})])) == 1
}

test_others_pass if {
	count(found([fixture.create("aws_iam_policy_attachment", {"users": null, "roles": ["a"]}), fixture.create("aws_iam_group_policy", {"group": "a"})])) == 0
}
