# METADATA
# scope: package
# title: Secret in plain text (AWS)
# description: Finds passwords and keys in user data, environment variables and container definitions.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     User data and environment variables are shown in the console and the API to everyone who may
#     look at the resource, and stand in the plan and the state.
#   mend: >-
#     Keep the secret in Secrets Manager or the Parameter Store, and hand over its ARN or read it
#     at the start.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lambda_function" "orders" {
#           function_name = "orders"
#           environment {
#             variables = {
#               DB_PASSWORD = "correct-horse"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_lambda_function" "orders" {
#           function_name = "orders"
#           environment {
#             variables = {
#               DB_PASSWORD_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"
#             }
#           }
#         }
package tidelock.security.aws.plain_secrets

import data.tidelock.aws
import data.tidelock.plan

# Values are never part of a message.
deny contains {"address": rc.address, "msg": message} if {
	some [rc, name, text] in variables
	secret(name, text)
	message := sprintf("The variable %s holds a secret in plain text.", [name])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, argument, text] in scripts
	some what, pattern in {"a private key": private_key, "an access key": access_key, "a password": password}
	regex.match(pattern, text)
	message := sprintf("%s holds %s in plain text.", [argument, what])
}

secret(name, text) if {
	regex.match(`(?i)(^|[_.-])(password|passwd|passphrase|secret|token|api_?key|private_?key|secret_?key|secret_?access_?key|credentials)$`, name)
	count(text) > 3
	not regex.match(`(?i)^(true|false|none|null|\d{1,5}|arn:.*|/.*|https?://.*|ssm:.*|\{\{resolve:.*)$`, text)
}

secret(_, text) if regex.match(private_key, text)

secret(_, text) if regex.match(access_key, text)

private_key := `-----BEGIN [A-Z ]*PRIVATE KEY-----`

access_key := `\b(AKIA|ASIA)[0-9A-Z]{16}\b`

# A password is set to text, not to another variable or the output of a program.
password := `(?im)^\s*(export\s+|set\s+)?[a-z_]*(password|passwd|secret|secret_access_key|api_key|token)\s*=\s*["']?[^\s"'$\x60]{4,}`

variables := array.concat(array.concat(functions, builds), containers)

functions := [[rc, name, text] |
	some rc in aws.of({"aws_lambda_function"})
	some environment in aws.blocks(rc.change.after, "environment")
	some name, text in environment.variables
	is_string(text)
]

builds := [[rc, variable.name, variable.value] |
	some rc in aws.of({"aws_codebuild_project"})
	some environment in aws.blocks(rc.change.after, "environment")
	some variable in aws.blocks(environment, "environment_variable")
	object.get(variable, "type", "PLAINTEXT") in {"PLAINTEXT", null}
	is_string(variable.value)
]

containers := [[rc, variable.name, variable.value] |
	some rc in aws.of({"aws_ecs_task_definition"})
	text := plan.text(rc.change.after, "container_definitions", "")
	json.is_valid(text)
	some container in json.unmarshal(text)
	some variable in aws.blocks(container, "environment")
	is_string(variable.value)
]

scripts := [[rc, argument, script] |
	some rc in aws.of({"aws_instance", "aws_launch_template", "aws_launch_configuration", "aws_spot_instance_request"})
	some argument in {"user_data", "user_data_base64"}
	script := readable(plan.text(rc.change.after, argument, ""))
]

readable(text) := base64.decode(text) if base64.is_valid(text)

else := text
