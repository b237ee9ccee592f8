package tidelock.security.aws.iam_administrator_attached_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_administrator_attached

found(changes) := result if {
	result := iam_administrator_attached.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

arn(name) := sprintf("arn:aws:iam::aws:policy/%s", [name])

test_each_way if {
	messages([fixture.create("aws_iam_role_policy_attachment", {"policy_arn": arn("AdministratorAccess")})]) == {"AdministratorAccess is attached."}
	messages([fixture.create("aws_iam_role", {"managed_policy_arns": [arn("ReadOnlyAccess"), arn("PowerUserAccess")]})]) == {"PowerUserAccess is attached."}
	messages([fixture.create("aws_ssoadmin_managed_policy_attachment", {"managed_policy_arn": "arn:aws-cn:iam::aws:policy/IAMFullAccess"})]) == {"IAMFullAccess is attached."}
}

test_others_pass if {
	count(found([
		fixture.create("aws_iam_role_policy_attachment", {"policy_arn": arn("ReadOnlyAccess")}),
		fixture.create("aws_iam_role_policy_attachment", {"policy_arn": "arn:aws:iam::111122223333:policy/AdministratorAccess"}),
		fixture.with_unknown(fixture.create("aws_iam_role_policy_attachment", {}), {"policy_arn": true}),
	])) == 0
}
