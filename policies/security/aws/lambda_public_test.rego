package tidelock.security.aws.lambda_public_test

import data.tidelock.fixture
import data.tidelock.security.aws.lambda_public

found(changes) := result if {
	result := lambda_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

permission(fields) := fixture.create("aws_lambda_permission", object.union({"action": "lambda:InvokeFunction"}, fields))

test_everyone if {
	messages([permission({"principal": "*"})]) == {"Every AWS account may call the function: principal is *."}
	messages([fixture.create("aws_lambda_layer_version_permission", {"principal": "*"})]) == {"Every AWS account may use the layer: principal is *."}
}

test_a_service_for_everyone_is_a_warning if {
	some f in found([permission({"principal": "sns.amazonaws.com"})])
	f.level == "advisory"
	f.msg == "sns.amazonaws.com may call the function for every account: source_arn and source_account are empty."
}

test_others_pass if {
	count(found([
		permission({"principal": "*", "principal_org_id": "o-1"}),
		permission({"principal": "*", "action": "lambda:InvokeFunctionUrl"}),
		permission({"principal": "111122223333"}),
		fixture.with_unknown(permission({"principal": "s3.amazonaws.com"}), {"source_arn": true}),
		permission({"principal": "secretsmanager.amazonaws.com"}),
		fixture.create("aws_lambda_layer_version_permission", {"principal": "*", "organization_id": "o-1"}),
	])) == 0
}
