# METADATA
# scope: package
# title: Any role may be passed on (AWS)
# description: Finds IAM policies that allow iam:PassRole for every role.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Whoever may pass any role to a service starts a machine or function with the rights of the
#     strongest role in the account, and so has them.
#   mend: >-
#     Name the roles in Resource, and the service in a condition on iam:PassedToService.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_policy" "deploy" {
#           name   = "deploy"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_iam_policy" "deploy" {
#           name   = "deploy"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/web"
#             }]}
#           EOT
#         }
package tidelock.security.aws.iam_pass_role

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in aws.grants
	aws.takes_in(s.actions, "iam:PassRole")
	not aws.everything(s)
	some resource in s.resources
	regex.match(`^(\*|arn:[^:]*:iam::[^:]*:(\*|role/\*))$`, resource)
	not to_a_service(s)
	message := sprintf("%s allows iam:PassRole for %s.", [aws.said(s), resource])
}

to_a_service(s) if {
	some c in s.conditions
	c.key == "iam:passedtoservice"
}
