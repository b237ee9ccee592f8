# METADATA
# scope: package
# title: API that asks for no identity (AWS)
# description: Finds methods and routes of API Gateway that everyone may call.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Such a method can be called by everyone on the internet. Where the code behind it forgets to
#     ask who calls, nobody does.
#   mend: >-
#     Set authorization to AWS_IAM, JWT, COGNITO_USER_POOLS or CUSTOM, or waive the finding where
#     the API is public on purpose.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.3", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_api_gateway_method" "orders" {
#           rest_api_id   = "a1b2c3"
#           resource_id   = "d4e5f6"
#           http_method   = "POST"
#           authorization = "NONE"
#         }
#     good:
#       hcl: |
#         resource "aws_api_gateway_method" "orders" {
#           rest_api_id   = "a1b2c3"
#           resource_id   = "d4e5f6"
#           http_method   = "POST"
#           authorization = "AWS_IAM"
#         }
package tidelock.security.aws.api_open

import data.tidelock.aws

# Browsers ask OPTIONS before they say who they are.
deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_api_gateway_method"})
	rc.change.after.authorization == "NONE"
	rc.change.after.http_method != "OPTIONS"
	not rc.change.after.api_key_required == true
	message := sprintf("Everyone may call the method %s.", [rc.change.after.http_method])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_apigatewayv2_route"})
	aws.value(rc, ["authorization_type"], "NONE") == "NONE"
	key := rc.change.after.route_key
	by_itself(key)
	not rc.change.after.api_key_required == true
	message := sprintf("Everyone may call the route %s.", [key])
}

# Of a WebSocket API only $connect asks who calls; its other routes have no
# method before a path.
by_itself("$connect")

by_itself(key) if {
	contains(key, " /")
	not startswith(key, "OPTIONS ")
}

deny contains {"address": rc.address, "msg": "Everyone may call the function by its URL."} if {
	some rc in aws.of({"aws_lambda_function_url"})
	rc.change.after.authorization_type == "NONE"
}
