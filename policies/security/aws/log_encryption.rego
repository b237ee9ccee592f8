# METADATA
# scope: package
# title: Logs without a KMS key (AWS)
# description: Finds log groups that are not encrypted with a KMS key.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Logs often hold more than they should. With a key of their own, whoever may read the
#     account's logs still needs a right to the key.
#   mend: >-
#     Set kms_key_id to a key whose policy lets CloudWatch Logs use it.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.15", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_cloudwatch_log_group" "app" {
#           name = "app"
#         }
#     good:
#       hcl: |
#         resource "aws_cloudwatch_log_group" "app" {
#           name       = "app"
#           kms_key_id = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d"
#         }
package tidelock.security.aws.log_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The logs are not encrypted with a KMS key."} if {
	some rc in aws.of({"aws_cloudwatch_log_group"})
	not aws.set(rc, ["kms_key_id"])
}
