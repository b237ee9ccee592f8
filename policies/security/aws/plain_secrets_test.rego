package tidelock.security.aws.plain_secrets_test

import data.tidelock.fixture
import data.tidelock.security.aws.plain_secrets

found(changes) := result if {
	result := plain_secrets.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

lambda(variables) := fixture.create("aws_lambda_function", {"environment": [{"variables": variables}]})

test_variables if {
	messages([lambda({"DB_PASSWORD": "correct-horse", "KEY": "AKIAIOSFODNN7EXAMPLE", "PEM": "-----BEGIN RSA PRIVATE KEY-----"})]) == {
		"The variable DB_PASSWORD holds a secret in plain text.",
		"The variable KEY holds a secret in plain text.",
		"The variable PEM holds a secret in plain text.",
	}
	messages([fixture.create("aws_codebuild_project", {"environment": [{"environment_variable": [{"name": "api_key", "value": "abcdef"}]}]})]) == {"The variable api_key holds a secret in plain text."}
	definitions := json.marshal([{"name": "a", "environment": [{"name": "TOKEN", "value": "abcdef"}]}])
	messages([fixture.create("aws_ecs_task_definition", {"container_definitions": definitions})]) == {"The variable TOKEN holds a secret in plain text."}
}

test_user_data if {
	messages([fixture.create("aws_instance", {"user_data": "#!/bin/sh\nexport DB_PASSWORD=correct-horse\n"})]) == {"user_data holds a password in plain text."}
	messages([fixture.create("aws_launch_template", {"user_data": base64.encode("x AKIAIOSFODNN7EXAMPLE")})]) == {"user_data holds an access key in plain text."}
	messages([fixture.create("aws_instance", {"user_data_base64": base64.encode("-----BEGIN PRIVATE KEY-----")})]) == {"user_data_base64 holds a private key in plain text."}
}

test_others_pass if {
	count(found([
		lambda({"DB_PASSWORD": "arn:aws:secretsmanager:x", "TOKEN": "/app/token", "TOKENS": "abcdef", "PASSWORD": "x", "MAX_TOKEN": "4096"}),
		lambda(null),
		fixture.create("aws_codebuild_project", {"environment": [{"environment_variable": [{"name": "TOKEN", "value": "app-token", "type": "SECRETS_MANAGER"}]}]}),
		fixture.create("aws_ecs_task_definition", {"container_definitions": "{"}),
		fixture.create("aws_ecs_task_definition", {"container_definitions": json.marshal([{"secrets": [{"name": "TOKEN", "valueFrom": "arn"}]}])}),
		fixture.create("aws_instance", {"user_data": "#!/bin/sh\nDB_PASSWORD=$(aws ssm get-parameter)\n"}),
		fixture.create("aws_instance", {"user_data": "b1946ac92492d2347c6235b4d2611184"}),
	])) == 0
}
