# METADATA
# scope: package
# title: Logs that go too soon, or never (AWS)
# description: Finds log groups that keep their logs for ever or for less than 90 days.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Break-ins are often found months later, when short-lived logs are gone. Logs that never go
#     cost more each month and keep personal data too long.
#   mend: >-
#     Set retention_in_days to 90 or more.
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.10", "A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_cloudwatch_log_group" "app" {
#           name              = "app"
#           retention_in_days = 7
#         }
#     good:
#       hcl: |
#         resource "aws_cloudwatch_log_group" "app" {
#           name              = "app"
#           retention_in_days = 365
#         }
package tidelock.security.aws.log_retention

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_cloudwatch_log_group"})
	aws.value(rc, ["log_group_class"], "STANDARD") != "DELIVERY"
	days := aws.value(rc, ["retention_in_days"], 0)
	days < least
	message := said(days)
}

least := 90

said(0) := "The logs are kept for ever: retention_in_days is not set."

said(days) := sprintf("The logs are kept for %d days; fewer than %d are too few.", [days, least]) if days > 0
