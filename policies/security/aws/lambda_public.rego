# METADATA
# scope: package
# title: Function that everyone may call (AWS)
# description: Denies permissions that let every AWS account call a function or use a layer.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Anyone with an AWS account may run the function with its rights, as often as they like, on
#     your bill.
#   mend: >-
#     Name the principal, and add source_arn or source_account where it is a service.
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lambda_permission" "all" {
#           action        = "lambda:InvokeFunction"
#           function_name = "orders"
#           principal     = "*"
#         }
#     good:
#       hcl: |
#         resource "aws_lambda_permission" "bucket" {
#           action        = "lambda:InvokeFunction"
#           function_name = "orders"
#           principal     = "s3.amazonaws.com"
#           source_arn    = "arn:aws:s3:::acme-orders"
#         }
package tidelock.security.aws.lambda_public

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Every AWS account may call the function: principal is *."} if {
	some rc in aws.of({"aws_lambda_permission"})
	rc.change.after.principal == "*"
	not narrowed(rc)
	not by_url(rc)
}

deny contains {"address": rc.address, "msg": "Every AWS account may use the layer: principal is *."} if {
	some rc in aws.of({"aws_lambda_layer_version_permission"})
	rc.change.after.principal == "*"
	not narrowed(rc)
}

# Any account can make its own bucket, topic or API call the function.
deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some rc in aws.of({"aws_lambda_permission"})
	principal := rc.change.after.principal
	endswith(principal, ".amazonaws.com")
	not principal in {"elasticloadbalancing.amazonaws.com", "secretsmanager.amazonaws.com"}
	not narrowed(rc)
	message := sprintf("%s may call the function for every account: source_arn and source_account are empty.", [principal])
}

narrowed(rc) if {
	some argument in {"source_arn", "source_account", "principal_org_id", "organization_id"}
	aws.set(rc, [argument])
}

# Whether its URL asks for an identity is judged by security.aws.api_open.
by_url(rc) if rc.change.after.action == "lambda:InvokeFunctionUrl"
