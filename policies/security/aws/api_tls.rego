# METADATA
# scope: package
# title: API with old TLS (AWS)
# description: Finds custom domains of API Gateway that take TLS 1.0.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     TLS 1.0 has known weaknesses and is withdrawn; a client can be talked down to it.
#   mend: >-
#     Set security_policy = "TLS_1_2".
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_api_gateway_domain_name" "api" {
#           domain_name     = "api.example.com"
#           security_policy = "TLS_1_0"
#         }
#     good:
#       hcl: |
#         resource "aws_api_gateway_domain_name" "api" {
#           domain_name     = "api.example.com"
#           security_policy = "TLS_1_2"
#         }
package tidelock.security.aws.api_tls

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "TLS 1.0 is accepted: security_policy is TLS_1_0."} if {
	some rc in aws.of({"aws_api_gateway_domain_name"})
	rc.change.after.security_policy == "TLS_1_0"
}

deny contains {"address": rc.address, "msg": "TLS 1.0 is accepted: security_policy is TLS_1_0."} if {
	some rc in aws.of({"aws_apigatewayv2_domain_name"})
	some configuration in aws.blocks(rc.change.after, "domain_name_configuration")
	configuration.security_policy == "TLS_1_0"
}
