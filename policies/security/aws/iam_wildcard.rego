# METADATA
# scope: package
# title: Policy with all actions of a service everywhere (AWS)
# description: Finds IAM policies that allow all of a service's actions on every resource, or everything but some actions.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     s3:* on * reads and deletes every bucket of the account, also those that come later.
#     NotAction grants even the services that AWS adds next year.
#   mend: >-
#     List the actions that are needed, and name the resources by ARN.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_policy" "reports" {
#           name   = "reports"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "s3:*", "Resource": "*"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_iam_policy" "reports" {
#           name   = "reports"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-reports/*"
#             }]}
#           EOT
#         }
package tidelock.security.aws.iam_wildcard

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in broad
	wide := {action | some action in s.actions; regex.match(`^[a-z0-9-]+:\*$`, action)}
	count(wide) > 0
	message := sprintf("%s allows %s on every resource.", [aws.said(s), aws.listed(wide)])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in broad
	count(s.not_actions) > 0
	message := sprintf("%s allows everything but %s.", [aws.said(s), aws.listed(s.not_actions)])
}

broad := [[rc, s] |
	some [rc, s] in aws.grants
	aws.everywhere(s)
	count(s.conditions) == 0
]
