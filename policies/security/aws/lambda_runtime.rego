# METADATA
# scope: package
# title: Function on a runtime that has ended (AWS)
# description: Finds Lambda functions whose runtime gets no more security patches.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Faults that are found in the language from now on stay in the function. After a while AWS
#     lets it no longer be changed.
#   mend: >-
#     Move to a runtime that AWS supports. Which have ended is a setting, ended_lambda_runtimes.
#   controls:
#     soc2: ["CC7.1"]
#     iso27001_2022: ["A.8.8"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lambda_function" "orders" {
#           function_name = "orders"
#           runtime       = "python3.7"
#         }
#     good:
#       hcl: |
#         resource "aws_lambda_function" "orders" {
#           function_name = "orders"
#           runtime       = "python3.13"
#         }
package tidelock.security.aws.lambda_runtime

import data.tidelock.aws
import data.tidelock.security.settings

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_lambda_function"})
	runtime := rc.change.after.runtime
	runtime in settings.ended_lambda_runtimes
	message := sprintf("The runtime %s gets no more security patches.", [runtime])
}
