# METADATA
# scope: package
# title: API without access logs (AWS)
# description: Finds stages of API Gateway that write no access log.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     The access log tells who called what and what was answered. Without it an abuse of the API
#     is seen in the bill at best.
#   mend: >-
#     Add an access_log_settings block with a log group.
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_api_gateway_stage" "live" {
#           rest_api_id   = "a1b2c3"
#           deployment_id = "d4e5f6"
#           stage_name    = "live"
#         }
#     good:
#       hcl: |
#         resource "aws_api_gateway_stage" "live" {
#           rest_api_id   = "a1b2c3"
#           deployment_id = "d4e5f6"
#           stage_name    = "live"
#           access_log_settings {
#             destination_arn = "arn:aws:logs:eu-west-1:111122223333:log-group:api"
#             format          = "$context.requestId"
#           }
#         }
package tidelock.security.aws.api_logs

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Calls are logged nowhere."} if {
	some rc in aws.of({"aws_api_gateway_stage", "aws_apigatewayv2_stage"})
	not aws.set(rc, ["access_log_settings"])
}
